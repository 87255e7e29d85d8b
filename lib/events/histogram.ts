import type { Counted } from "./facets";
import { momentOf, zoneOffsetMs } from "./zoned-time";

/** Events per stretch of time. */
export interface Histogram {
  /** Bucket `index` covers `bounds[index]` (included) to `bounds[index + 1]` (not); epoch milliseconds. */
  bounds: number[];
  counts: number[];
  /** How many of them were denied or failed. */
  failed: number[];
  counted: Counted;
  /** Of which events it was asked whether they failed. */
  failedCounted: Counted;
  /** The zone whose days the buckets follow: the viewer's, or UTC where that one cannot be counted. */
  zone: string;
  /** Time of the oldest event kept, whatever is filtered; epoch milliseconds. */
  floorMs: number;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
export const HOUR_MS = 60 * MINUTE;
export const DAY_MS = 24 * HOUR_MS;

/** Steps that people count in. A day and more follow the calendar. */
const STEPS_MS = [
  ...[1, 2, 5, 10, 15, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 3, 6, 12].map((hours) => hours * HOUR_MS),
];
const CALENDAR_STEPS = [
  { days: 1 },
  { days: 2 },
  { days: 7 },
  { months: 1 },
  { months: 3 },
  { months: 12 },
  { months: 60 },
  { months: 120 },
  { months: 1_200 },
] as const;

export const MAX_BUCKETS = 120;

/**
 * Bucket bounds over a span, at most MAX_BUCKETS buckets on the smallest step that people count in: whole
 * days, weeks (from Monday) and months of the zone, shorter ones from its midnight on.
 * @param fromMs included, `toMs` not; epoch milliseconds
 * @param leastMs no smaller step than this
 */
export function histogramBounds(fromMs: number, toMs: number, zone: string, leastMs = 0): number[] {
  const spanMs = Math.max(toMs - fromMs, 1);
  const stepMs = STEPS_MS.find((step) => step >= leastMs && spanMs / step <= MAX_BUCKETS - 1);
  if (stepMs) return evenBounds(fromMs, toMs, stepMs, zone);
  for (const step of CALENDAR_STEPS) {
    const dayCount = "days" in step ? step.days : step.months * 28;
    if (spanMs / (dayCount * DAY_MS) > MAX_BUCKETS - 1) continue;
    const bounds =
      "days" in step
        ? dayBounds(fromMs, toMs, step.days, zone)
        : monthBounds(fromMs, toMs, step.months, zone);
    if (bounds.length <= MAX_BUCKETS + 1) return bounds;
  }
  return monthBounds(fromMs, toMs, 12_000, zone);
}

function evenBounds(fromMs: number, toMs: number, stepMs: number, zone: string): number[] {
  const offset = zoneOffsetMs(zone, fromMs);
  const start = Math.floor((fromMs + offset) / stepMs) * stepMs - offset;
  const bounds = [start];
  while ((bounds.at(-1) as number) < toMs) bounds.push(start + bounds.length * stepMs);
  return bounds;
}

/** 1970-01-01 was a Thursday: this many days before it a Monday. */
const MONDAY = 3;

function dayBounds(fromMs: number, toMs: number, days: number, zone: string): number[] {
  const wallDay = Math.floor((fromMs + zoneOffsetMs(zone, fromMs)) / DAY_MS);
  const start = Math.floor((wallDay + MONDAY) / days) * days - MONDAY;
  return upTo(toMs, (index) => momentOf(zone, (start + index * days) * DAY_MS));
}

function monthBounds(fromMs: number, toMs: number, months: number, zone: string): number[] {
  const wall = new Date(fromMs + zoneOffsetMs(zone, fromMs));
  const month = wall.getUTCFullYear() * 12 + wall.getUTCMonth();
  const start = Math.floor(month / months) * months;
  return upTo(toMs, (index) => {
    const at = start + index * months;
    return momentOf(zone, new Date(0).setUTCFullYear(Math.floor(at / 12), at % 12, 1));
  });
}

function upTo(toMs: number, boundAt: (index: number) => number): number[] {
  const bounds = [boundAt(0)];
  while ((bounds.at(-1) as number) < toMs) bounds.push(boundAt(bounds.length));
  return bounds;
}
