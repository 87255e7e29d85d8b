import {
  CircleCheck,
  CircleDashed,
  CircleDotDashed,
  CircleMinus,
  CircleSlash,
  CircleX,
} from "lucide-react";
import { StateMark } from "@/components/ui/state-mark";
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

export function ExportStateMark({ state }: { state: ExportState }) {
  return <StateMark mark={MARKS[state]} words={STATE_WORDS[state]} />;
}
