import { CircleCheck, CirclePause, CirclePower, CircleX, TriangleAlert } from "lucide-react";
import type { StreamState } from "@/lib/streams/schema";
import { STATE_WORDS } from "./words";

const MARKS = {
  active: { Icon: CircleCheck, colour: "text-(--st-active)" },
  degraded: { Icon: TriangleAlert, colour: "text-(--st-degraded)" },
  error: { Icon: CircleX, colour: "text-(--st-failing)" },
  paused: { Icon: CirclePause, colour: "text-(--st-paused)" },
  disabled: { Icon: CirclePower, colour: "text-(--st-failing)" },
} satisfies Record<StreamState, unknown>;

/** Shape and word; colour only repeats them. */
export function StateMark({ state }: { state: StreamState }) {
  const { Icon, colour } = MARKS[state];
  return (
    <span className={`inline-flex items-center gap-1.5 font-medium ${colour}`}>
      <Icon aria-hidden="true" className="size-4 shrink-0" strokeWidth={1.6} />
      {STATE_WORDS[state]}
    </span>
  );
}
