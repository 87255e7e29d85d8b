import type { Counted } from "@/lib/events/facets";
import { DAY_MS, type Histogram, HOUR_MS } from "@/lib/events/histogram";

export interface Labels {
  short(atMs: number): string;
  long(atMs: number): string;
  day(atMs: number): string;
}

/** Words as fine as the step: `14:30`, `23 Nov`, `Mar 2026`. */
export function labels(bounds: readonly number[], timeZone: string): Labels {
  const step = (bounds[1] as number) - (bounds[0] as number);
  const span = (bounds.at(-1) as number) - (bounds[0] as number);
  const format = (options: Intl.DateTimeFormatOptions) => {
    const made = new Intl.DateTimeFormat("en-GB", { timeZone, hourCycle: "h23", ...options });
    return (atMs: number) => made.format(atMs);
  };
  const day = { day: "numeric", month: "short" } as const;
  const wholeDay = format({ ...day, year: "numeric" });
  const clock: Intl.DateTimeFormatOptions = { hour: "2-digit", minute: "2-digit" };
  if (step < 60_000) clock.second = "2-digit";
  if (step >= 28 * DAY_MS) {
    const month = format({ month: "short", year: "numeric" });
    return { short: month, long: month, day: wholeDay };
  }
  if (step >= DAY_MS) return { short: format(day), long: wholeDay, day: wholeDay };
  const long = format({ ...day, ...clock });
  return {
    short: span > 2 * DAY_MS ? format(day) : span > 20 * HOUR_MS ? long : format(clock),
    long,
    day: wholeDay,
  };
}

/** About eight labels, none at the very ends. */
export function ticks(bounds: readonly number[]): number[] {
  const size = bounds.length - 1;
  const every = Math.max(Math.round(size / 8), 1);
  return bounds.flatMap((_, index) =>
    index % every === Math.floor(every / 2) && index > 0 && index < size ? [index] : [],
  );
}

export function describe(
  { bounds, counts, failed, zone }: Histogram,
  words: Labels,
  from: number,
  to: number,
): string {
  const total = (series: number[]) =>
    series.slice(from, to + 1).reduce((all, count) => all + count, 0);
  const bad = total(failed);
  return `${words.long(bounds[from] as number)} to ${words.long(bounds[to + 1] as number)} ${zone} · ${total(counts).toLocaleString("en-US")} events${bad > 0 ? `, ${bad.toLocaleString("en-US")} denied or failed` : ""}`;
}

/** What was counted, where that is not everything. */
export function coverage(counted: Counted, failed: Counted, zone: string): string {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    dateStyle: "medium",
    timeStyle: "short",
  });
  const back = (part: Counted) => (part.kind === "all" ? "" : format.format(new Date(part.backTo)));
  if (counted.kind !== "all")
    return `Counted back to ${back(counted)} ${zone}; hatched: not counted`;
  return failed.kind === "all" ? "" : `Failures counted back to ${back(failed)} ${zone}`;
}
