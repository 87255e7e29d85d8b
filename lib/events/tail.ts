import type { EventSearch } from "./filter/url";
import type { EventRow } from "./schema";

/** An event of a live tail. `isLate`: something that happened after it had been stored before it. */
export interface TailRow extends EventRow {
  isLate: boolean;
}

/** What a tail has to say after reading the log up to and including the number `seq`. */
export interface TailStep {
  seq: number;
  /** In sequence order. */
  rows: TailRow[];
  /** Matching events that were passed over; null: too many numbers to count them. */
  skipped: { count: number | null } | null;
}

/** More matching events than this at once are passed over, and said to be. */
export const TAIL_BUFFER = 500;

export type TailEnd = "session" | "limit" | "stopping";

/** Why a search has no live tail; null when it has one: newest first, ending now. */
export function whyNoTail({ time, after, before }: EventSearch): string | null {
  if (time.kind === "absolute" && time.to !== null)
    return "Live needs a time range that ends now; this one has a fixed end.";
  if (after !== null || before !== null)
    return "Live needs the newest events; this page starts further down.";
  return null;
}
