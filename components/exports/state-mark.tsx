import {
  CircleCheck,
  CircleDashed,
  CircleDotDashed,
  CircleMinus,
  CircleSlash,
  CircleX,
} from "lucide-react";
import type { ExportState } from "@/lib/exports/schema";
import { STATE_WORDS } from "./words";

const MARKS = {
  queued: { Icon: CircleDashed, colour: "text-(--text-2)" },
  running: { Icon: CircleDotDashed, colour: "text-(--text)" },
  ready: { Icon: CircleCheck, colour: "text-(--st-active)" },
  failed: { Icon: CircleX, colour: "text-(--st-failing)" },
  cancelled: { Icon: CircleSlash, colour: "text-(--text-2)" },
  expired: { Icon: CircleMinus, colour: "text-(--text-2)" },
} satisfies Record<ExportState, unknown>;

/** Shape and word; colour only repeats them. */
export function StateMark({ state }: { state: ExportState }) {
  const { Icon, colour } = MARKS[state];
  return (
    <span className={`inline-flex items-center gap-1.5 font-medium ${colour}`}>
      <Icon aria-hidden="true" className="size-4 shrink-0" strokeWidth={1.6} />
      {STATE_WORDS[state]}
    </span>
  );
}
