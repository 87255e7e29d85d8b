import { momentOf, zoneOffsetMs } from "../zoned-time";
import type { TimeRange } from "./url";

/**
 * A time as people type it: `15m`, `3mo`, `today`, `last month`, `2026-08`, `2026-08-01..03`,
 * `2026-08-01 14:00..16:30`, `since 2026-08-01`, `before 2026-08-01`, `all`. Days begin at midnight in the zone,
 * weeks on Monday; a day, month or year that ends a range belongs to it, a clock time does not.
 */
export type TimeInput = { ok: true; time: TimeRange } | { ok: false; message: string };

const UNITS: Record<string, string> = {
  m: "m",
  min: "m",
  minute: "m",
  h: "h",
  hour: "h",
  d: "d",
  day: "d",
  w: "w",
  week: "w",
  mo: "mo",
  month: "mo",
  y: "y",
  year: "y",
};

const HINT = "Write it like 24h, yesterday, 2026-08-01, 2026-08-01..03 or since 2026-08-01.";

class Problem extends Error {}

/** A span on the zone's clocks, written as if they were UTC, in milliseconds; the end is excluded. */
interface Wall {
  startMs: number;
  endMs: number;
  /** A clock time ends a range where it stands. */
  isClock: boolean;
  /** Year, month, day, hour, minute, second; as many as were given. */
  parts: number[];
}

/** @param zone IANA name */
export function parseTimeInput(input: string, zone: string, nowMs: number): TimeInput {
  const text = input.trim().toLowerCase().replace(/\s+/g, " ");
  try {
    return { ok: true, time: parse(text, zone, nowMs) };
  } catch (error) {
    if (error instanceof Problem) return { ok: false, message: error.message };
    throw error;
  }
}

function parse(text: string, zone: string, nowMs: number): TimeRange {
  if (/^(?:|all|all time)$/.test(text)) return { kind: "all" };
  const relative = /^(?:last |past )?([1-9]\d{0,3}) ?([a-z]+?)s?$/.exec(text);
  const unit = relative && UNITS[relative[2] as string];
  if (relative && unit) return { kind: "relative", range: `${relative[1]}${unit}` };
  const wallNowMs = nowMs + zoneOffsetMs(zone, nowMs);
  const instant = (wallMs: number) => {
    const date = new Date(momentOf(zone, wallMs));
    const iso = Number.isNaN(date.getTime()) ? "" : date.toISOString();
    if (!/^\d{4}-/.test(iso) || iso.startsWith("0000"))
      throw new Problem("Years go from 1 to 9999.");
    return iso;
  };
  const bounded = (from: number | null, to: number | null): TimeRange => {
    if (from !== null && to !== null && from >= to)
      throw new Problem("The end must be later than the start.");
    const [start, end] = [from === null ? null : instant(from), to === null ? null : instant(to)];
    // An hour that a clock change skips has no length.
    if (start && end && start >= end) throw new Problem("The clocks of this zone skip that time.");
    return { kind: "absolute", from: start, to: end };
  };

  const open = /^(since|from|after|before|until) (.+)$/.exec(text);
  if (open) {
    const { startMs, endMs, isClock } = toWall(open[2] as string, wallNowMs, null);
    if (open[1] === "before") return bounded(null, startMs);
    if (open[1] === "until") return bounded(null, isClock ? startMs : endMs);
    return bounded(open[1] === "after" && !isClock ? endMs : startMs, null);
  }
  const range = /^(.*?)(?: ?\.\. ?| to )(.*)$/.exec(text);
  if (!range) {
    const { startMs, endMs } = toWall(text, wallNowMs, null);
    return bounded(startMs, endMs);
  }
  const first = range[1] ? toWall(range[1], wallNowMs, null) : null;
  const last = range[2] ? toWall(range[2], wallNowMs, first) : null;
  if (!first && !last) throw new Problem(HINT);
  return bounded(first?.startMs ?? null, (last?.isClock ? last.startMs : last?.endMs) ?? null);
}

/** @param before the start of the range that this ends: `03` takes its year and month from it */
function toWall(text: string, wallNowMs: number, before: Wall | null): Wall {
  const now = new Date(wallNowMs);
  const [year, month, day] = [now.getUTCFullYear(), now.getUTCMonth() + 1, now.getUTCDate()];
  const named = /^(?:(this|last) (week|month|year)|today|yesterday|now)$/.exec(text);
  if (named) {
    const back = named[1] === "last" ? 1 : 0;
    if (text === "now") return { startMs: wallNowMs, endMs: wallNowMs, isClock: true, parts: [] };
    if (text === "today") return span([year, month, day]);
    if (text === "yesterday") return span([year, month, day - 1]);
    if (named[2] === "year") return span([year - back]);
    if (named[2] === "month") return span([year, month - back]);
    const monday = day - ((now.getUTCDay() + 6) % 7) - 7 * back;
    const { startMs } = span([year, month, monday]);
    return {
      startMs,
      endMs: startMs + 7 * 86_400_000,
      isClock: false,
      parts: [year, month, monday],
    };
  }
  const found =
    /^(?:(?:(\d{4})-)?(?:(\d\d?)-)?(\d\d?)|(\d{4})(?:-(\d\d?))?)?(?:(?:^|[t ])(\d\d?):(\d\d)(?::(\d\d))?)?$/.exec(
      text,
    );
  if (!found || text === "") throw new Problem(`“${text}” is not understood. ${HINT}`);
  const [, y, mo, d, onlyYear, yearMonth, h, mi, s] = found.map((part) =>
    part === undefined ? undefined : Number(part),
  );
  // `2026-08` is a month, not a day of an unknown one.
  const given =
    onlyYear !== undefined
      ? [onlyYear, yearMonth]
      : y !== undefined && mo === undefined
        ? [y, d]
        : [y, mo, d];
  const base = before?.parts.length ? before.parts : [year, month, day];
  const isDay = given.length === 3 && given[2] !== undefined;
  if (isDay && given[0] === undefined && !before)
    throw new Problem(
      `“${text}” lacks a year: write ${year}-${pad(mo ?? month)}-${pad(d ?? day)}.`,
    );
  const date =
    isDay && mo === undefined && given[0] === undefined && base.length < 3
      ? [...base.slice(0, -1), d]
      : isDay
        ? [given[0] ?? base[0], given[1] ?? base[1], given[2]]
        : given[0] !== undefined
          ? given
          : base.slice(0, 3);
  if (h !== undefined && date[2] === undefined) throw new Problem(`“${text}” lacks a day. ${HINT}`);
  const parts = [...date, h, mi, s].filter((part) => part !== undefined) as number[];
  const wall = span(parts);
  if (written(parts) !== written(fieldsOf(wall.startMs).slice(0, parts.length)))
    throw new Problem(`There is no ${written(parts)}.`);
  return wall;
}

const pad = (value: number) => String(value).padStart(2, "0");

function written(parts: readonly number[]): string {
  const [date, time] = [parts.slice(0, 3), parts.slice(3)];
  return [date.map(pad).join("-"), time.map(pad).join(":")].filter(Boolean).join(" ");
}

function fieldsOf(ms: number): number[] {
  const at = new Date(ms);
  return [
    at.getUTCFullYear(),
    at.getUTCMonth() + 1,
    at.getUTCDate(),
    at.getUTCHours(),
    at.getUTCMinutes(),
    at.getUTCSeconds(),
  ];
}

/** A year, month, day, minute or second by its parts. */
function span(parts: number[]): Wall {
  const at = (by: number) => {
    const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.map(
      (part, index) => (index === parts.length - 1 ? part + by : part),
    );
    const ms = new Date(0).setUTCFullYear(year, month - 1, day);
    return ms + ((hour * 60 + minute) * 60 + second) * 1000;
  };
  return { startMs: at(0), endMs: at(1), isClock: parts.length > 3, parts };
}
