import {
  CircleCheck,
  CircleDashed,
  CircleDot,
  CircleDotDashed,
  CircleSlash,
  CircleX,
} from "lucide-react";
import { StateMark } from "@/components/ui/state-mark";
import type { ImportState } from "@/lib/import/schema";
import { STATE_WORDS } from "./words";

const MARKS = {
  uploaded: { Icon: CircleDot, colour: "text-(--text-2)" },
  queued: { Icon: CircleDashed, colour: "text-(--text-2)" },
  running: { Icon: CircleDotDashed, colour: "text-(--text)" },
  done: { Icon: CircleCheck, colour: "text-(--st-active)" },
  failed: { Icon: CircleX, colour: "text-(--st-failing)" },
  cancelled: { Icon: CircleSlash, colour: "text-(--text-2)" },
} satisfies Record<ImportState, unknown>;

export function ImportStateMark({ state }: { state: ImportState }) {
  return <StateMark mark={MARKS[state]} words={STATE_WORDS[state]} />;
}
