import { CircleCheck, CirclePause, CirclePower, CircleX, TriangleAlert } from "lucide-react";
import { StateMark } from "@/components/ui/state-mark";
import type { StreamState } from "@/lib/streams/schema";
import { STATE_WORDS } from "./words";

const MARKS = {
  active: { Icon: CircleCheck, colour: "text-(--st-active)" },
  degraded: { Icon: TriangleAlert, colour: "text-(--st-degraded)" },
  error: { Icon: CircleX, colour: "text-(--st-failing)" },
  paused: { Icon: CirclePause, colour: "text-(--st-paused)" },
  disabled: { Icon: CirclePower, colour: "text-(--st-failing)" },
} satisfies Record<StreamState, unknown>;

export function StreamStateMark({ state }: { state: StreamState }) {
  return <StateMark mark={MARKS[state]} words={STATE_WORDS[state]} />;
}
