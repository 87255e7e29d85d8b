import type { ReactNode } from "react";
import { CopyButton } from "@/components/ui/copy-button";

/** What became of a link that was just made: words, and the link itself where it is shown this once. */
export function ShownLink(props: { link: string | null; children: ReactNode }) {
  return (
    <div
      role="status"
      className="grid gap-1.5 rounded-[5px] border border-(--accent-line) bg-(--accent-tint) p-3"
    >
      <p>{props.children}</p>
      {props.link !== null && (
        <div className="flex items-center gap-2">
          <code className="min-w-0 flex-1 font-mono text-[12px] break-all" data-testid="new-link">
            {props.link}
          </code>
          <CopyButton text={props.link} label="Copy the link">
            Copy
          </CopyButton>
        </div>
      )}
    </div>
  );
}
