import { type TimeRange, timeBounds } from "./url";

/** The range beside this one, as long as it is; null where it is open at an end. */
export function stepTime(time: TimeRange, nowMs: number, by: 1 | -1): TimeRange | null {
  const { from, to } = timeBounds(time, nowMs);
  if (time.kind === "all" || !from || (time.kind === "absolute" && !to)) return null;
  const [startMs, endMs] = [Date.parse(from), to ? Date.parse(to) : nowMs];
  const iso = (ms: number) => new Date(ms + by * (endMs - startMs)).toISOString();
  // The years that a URL can say.
  const isSayable = /^\d{4}-/.test(iso(startMs)) && /^\d{4}-/.test(iso(endMs));
  return isSayable ? { kind: "absolute", from: iso(startMs), to: iso(endMs) } : null;
}
