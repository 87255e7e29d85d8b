import { CopyButton } from "@/components/ui/copy-button";

/** A key that was just made. */
export function NewKey({ value }: { value: string }) {
  return (
    <div
      role="status"
      className="grid gap-1.5 rounded-[5px] border border-(--accent-line) bg-(--accent-tint) p-3"
    >
      <p>Copy the key now: it is not kept and cannot be shown again.</p>
      <div className="flex items-center gap-2">
        <code className="min-w-0 flex-1 font-mono text-[12px] break-all" data-testid="new-key">
          {value}
        </code>
        <CopyButton text={value} label="Copy the key">
          Copy
        </CopyButton>
      </div>
    </div>
  );
}
