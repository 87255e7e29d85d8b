import { parseEventSearch, type SearchParams } from "@/lib/events/filter/parse-url";

/** Whole days in UTC, as the stored counts are: what the overview is about, and as many days before it. */
export interface Period {
  /** In the page's URL: `7d`, `30d`, `90d`; null when it names `from` and `to`. */
  range: Range | null;
  days: number;
  /** ISO 8601, midnight: start of the days to compare with, start and end (not included). */
  before: string;
  from: string;
  to: string;
}

export const ranges = ["7d", "30d", "90d"] as const;
export type Range = (typeof ranges)[number];

export const DAY_MS = 86_400_000;
const MAX_DAYS = 366;
/** The year 1 is the earliest time an event can have. */
const FIRST_DAY = Date.parse("0001-01-01T00:00:00Z") / DAY_MS;

function periodOf(range: Range | null, days: number, endMs: number): Period {
  const iso = (ms: number) => new Date(ms).toISOString();
  const fromMs = endMs - days * DAY_MS;
  return { range, days, before: iso(fromMs - days * DAY_MS), from: iso(fromMs), to: iso(endMs) };
}

/** The period that a URL's `range`, or `from` and `to`, names; without either the 30 days up to today. */
export function parsePeriod(
  params: SearchParams,
  nowMs: number,
): { ok: true; period: Period } | { ok: false; message: string } {
  const parsed = parseEventSearch(params);
  if (!parsed.ok)
    return { ok: false, message: parsed.problems.map(({ message }) => message).join(" ") };
  const { time } = parsed.search;
  if (time.kind !== "absolute") {
    const range = ranges.find((known) => known === (time.kind === "all" ? "30d" : time.range));
    if (!range) return { ok: false, message: `The overview's ranges are ${ranges.join(", ")}.` };
    const endMs = (Math.floor(nowMs / DAY_MS) + 1) * DAY_MS;
    return { ok: true, period: periodOf(range, Number.parseInt(range, 10), endMs) };
  }
  const { from, to } = time;
  if (!from || !to) return { ok: false, message: "Give both `from` and `to`." };
  const firstDay = Math.floor(Date.parse(from) / DAY_MS);
  const endDay = Math.ceil(Date.parse(to) / DAY_MS);
  const days = endDay - firstDay;
  if (days > MAX_DAYS)
    return { ok: false, message: `The overview shows at most ${MAX_DAYS} days.` };
  if (firstDay - days < FIRST_DAY)
    return { ok: false, message: "There are no days before these to compare with." };
  return { ok: true, period: periodOf(null, days, endDay * DAY_MS) };
}

/** As many days, ending with the day of a moment. */
export function periodEndingAt(iso: string, days: number): Period {
  return periodOf(null, days, (Math.floor(Date.parse(iso) / DAY_MS) + 1) * DAY_MS);
}
