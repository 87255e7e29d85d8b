import { EyeOff } from "lucide-react";
import type { ReactNode } from "react";
import { fieldNamesOf, type StoredSight } from "@/lib/events/sight";
import { SightProvider } from "./seen";

/** Tells the page below what the reader sees, and the reader, so that what is missing is not taken for all. */
export function SeenPart(props: { sight: StoredSight | null; children: ReactNode }) {
  const { sight } = props;
  const hidden = sight && fieldNamesOf(sight.hidden);
  return (
    <SightProvider value={sight}>
      {sight && (
        <p
          data-testid="sight"
          className="flex shrink-0 items-start gap-2 border-b border-(--border) bg-(--bg) px-4 py-1.5 text-[12px] text-(--text-2)"
        >
          <EyeOff size={14} aria-hidden="true" className="mt-0.5 shrink-0" />
          <span className="min-w-0 break-words">
            {sight.filter === null ? (
              "You see all events"
            ) : (
              <>
                You see events that match{" "}
                <code className="font-mono text-(--text)">{sight.filter}</code>
              </>
            )}
            {hidden && `; hidden for you: ${hidden}`}.
          </span>
        </p>
      )}
      {props.children}
    </SightProvider>
  );
}
