import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";

/** Codes that were just made. */
export function RecoveryCodes(props: { codes: string[]; onKept(): void }) {
  return (
    <div
      role="status"
      className="grid gap-2 rounded-[5px] border border-(--accent-line) bg-(--accent-tint) p-3"
    >
      <p>
        Keep these recovery codes where you find them without your phone. Each signs you in once in
        place of the app. They cannot be shown again.
      </p>
      <ul
        className="grid gap-x-6 gap-y-1 font-mono text-[12px] sm:grid-cols-2"
        data-testid="recovery-codes"
      >
        {props.codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className="flex flex-wrap gap-2">
        <CopyButton text={props.codes.join("\n")} label="Copy the recovery codes">
          Copy
        </CopyButton>
        <Button onClick={props.onKept}>I have kept them</Button>
      </div>
    </div>
  );
}
