import type { TimeRange } from "@/lib/events/filter/url";
import { clockOf, type Zone } from "./zone";

const UNITS: Record<string, string> = {
  m: "minute",
  h: "hour",
  d: "day",
  w: "week",
  mo: "month",
  y: "year",
};

/** `2026-08-01 14:00`; the clock only where it says something. */
export function momentWords(iso: string, zone: Zone): string {
  const { day, time } = clockOf(iso, zone);
  if (time === "00:00:00") return day;
  return `${day} ${time.endsWith(":00") ? time.slice(0, 5) : time}`;
}

/** A time range as its button says it; whole days by the first and the last. */
export function timeWords(time: TimeRange, zone: Zone): string {
  if (time.kind === "all") return "All time";
  if (time.kind === "relative") {
    const count = Number.parseInt(time.range, 10);
    const unit = UNITS[time.range.replace(/^\d+/, "")];
    return count === 1 ? `Last ${unit}` : `Last ${count} ${unit}s`;
  }
  const { from, to } = time;
  if (from && to) {
    const [first, end] = [clockOf(from, zone), clockOf(to, zone)];
    if (first.time === "00:00:00" && end.time === "00:00:00") {
      const last = clockOf(new Date(Date.parse(to) - 1).toISOString(), zone);
      return first.day === last.day ? first.day : `${first.day} to ${last.day}`;
    }
  }
  if (from && to) return `${momentWords(from, zone)} to ${momentWords(to, zone)}`;
  return from ? `Since ${momentWords(from, zone)}` : `Before ${momentWords(to as string, zone)}`;
}
