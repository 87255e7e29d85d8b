import { CopyButton } from "@/components/ui/copy-button";

/** Secrets made by the server, by name: shown this once. */
export function SecretsOnce({ secrets }: { secrets: Record<string, string> }) {
  return (
    <div
      role="status"
      className="grid gap-1.5 rounded-[5px] border border-(--accent-line) bg-(--accent-tint) p-3"
    >
      <p>Copy this into the receiver now: it cannot be shown again, only replaced.</p>
      {Object.entries(secrets).map(([name, secret]) => (
        <div key={name} className="flex items-center gap-2">
          <code
            className="min-w-0 flex-1 font-mono text-[12px] break-all"
            data-testid={name.replaceAll("_", "-")}
          >
            {secret}
          </code>
          <CopyButton text={secret} label={`Copy the ${name.replaceAll("_", " ")}`}>
            Copy
          </CopyButton>
        </div>
      ))}
    </div>
  );
}
