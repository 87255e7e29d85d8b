import { CopyButton } from "@/components/ui/copy-button";

/** A secret made by the server: shown this once. */
export function SecretOnce({ secret }: { secret: string }) {
  return (
    <div
      role="status"
      className="grid gap-1.5 rounded-[5px] border border-(--accent-line) bg-(--accent-tint) p-3"
    >
      <p>Copy the signing secret into the receiver now: it cannot be shown again, only replaced.</p>
      <div className="flex items-center gap-2">
        <code
          className="min-w-0 flex-1 font-mono text-[12px] break-all"
          data-testid="signing-secret"
        >
          {secret}
        </code>
        <CopyButton text={secret} label="Copy the signing secret">
          Copy
        </CopyButton>
      </div>
    </div>
  );
}
