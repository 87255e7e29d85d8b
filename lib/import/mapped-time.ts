import { normalizeTimestamp } from "@/lib/chain/time";
import { momentOf, zoneOffsetMs } from "@/lib/events/zoned-time";

/** Times of other systems' files. A time without a zone is never read without one being named. */

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/** Tokens of a pattern, longest first, as the Unicode standard (LDML) names them. */
const TOKENS = {
  yyyy: "(?<year>\\d{4})",
  MMM: "(?<monthName>[A-Za-z]{3})",
  MM: "(?<month>\\d{2})",
  M: "(?<month>\\d{1,2})",
  dd: "(?<day>\\d{2})",
  d: "(?<day>\\d{1,2})",
  HH: "(?<hour>\\d{2})",
  H: "(?<hour>\\d{1,2})",
  hh: "(?<hour12>\\d{2})",
  h: "(?<hour12>\\d{1,2})",
  mm: "(?<minute>\\d{2})",
  ss: "(?<second>\\d{2})",
  S: "(?<fraction>\\d{1,9})",
  a: "(?<half>[AaPp][Mm])",
  X: "(?<offset>[Zz]|[+-]\\d{2}:?\\d{2})",
} as const;

const TOKEN = /'([^']*)'|yyyy|MMM|MM|M|dd|d|HH|H|hh|h|mm|ss|S+|a|X+|[A-Za-z]+|[^A-Za-z]/g;
const compiled = new Map<string, RegExp>();

/** @throws RangeError saying which part of a pattern is not known, or is missing. */
export function compilePattern(pattern: string): RegExp {
  const known = compiled.get(pattern);
  if (known) return known;
  const source = [...pattern.matchAll(TOKEN)].map(([part, quoted]) => {
    if (quoted !== undefined) return literal(quoted);
    const token = part.replace(/^S+$/, "S").replace(/^X+$/, "X");
    if (Object.hasOwn(TOKENS, token)) return TOKENS[token as keyof typeof TOKENS];
    if (/[A-Za-z]/.test(part))
      throw new RangeError(
        `“${part}” is not a part of a time: use ${Object.keys(TOKENS).join(", ")}, and put other letters into '…'`,
      );
    return literal(part);
  });
  const groups = source.flatMap((part) => /^\(\?<(\w+)>/.exec(part)?.[1] ?? []);
  const twice = groups.find((group, at) => groups.indexOf(group) !== at);
  if (twice) throw new RangeError(`it has ${twice} twice: MM is the month, mm the minute`);
  if (groups.includes("hour12") !== groups.includes("half"))
    throw new RangeError("h and a go together: without a, the hour is H");
  const expression = new RegExp(`^${source.join("")}$`);
  for (const [name, tokens] of Object.entries({ year: "yyyy", month: "MM", day: "dd" }))
    if (!source.some((part) => part.startsWith(`(?<${name}`)))
      throw new RangeError(`it has no ${name} (${tokens})`);
  compiled.set(pattern, expression);
  return expression;
}

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

const ISO =
  /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(:\d{2})?(\.\d+)?\s?([Zz]|UTC|[+-]\d{2}:?\d{2})?$/;

/**
 * A cell as the log keeps times.
 * @param format `iso`, `epoch_s`, `epoch_ms`, or a pattern such as `dd.MM.yyyy HH:mm:ss`
 * @param zone IANA name, for times that name no offset themselves. Of a time that comes twice when clocks
 * are set back, the first is meant.
 * @throws RangeError saying what is wrong with the text.
 */
export function mappedTime(text: string, format: string, zone: string | undefined): string {
  if (format === "epoch_s" || format === "epoch_ms") return epoch(text, format);
  const [wall, offset] = format === "iso" ? isoParts(text) : patternParts(text, format);
  if (offset !== null) return normalizeTimestamp(`${wall}${offset}`);
  if (zone === undefined)
    throw new RangeError(
      `“${text}” names no time zone: say under occurred_at.zone which one it is in`,
    );
  const wallMs = Date.parse(normalizeTimestamp(`${wall}Z`));
  const moment = momentOf(zone, wallMs);
  if (moment + zoneOffsetMs(zone, moment) !== wallMs)
    throw new RangeError(`“${text}” does not exist in ${zone}: clocks were set forward over it`);
  return normalizeTimestamp(new Date(moment).toISOString());
}

function epoch(text: string, format: "epoch_s" | "epoch_ms"): string {
  const unit = format === "epoch_s" ? "seconds" : "milliseconds";
  if (!/^-?\d+(\.\d+)?$/.test(text))
    throw new RangeError(`“${text}” is not a number of ${unit} since 1970`);
  const date = new Date(Math.floor(Number(text) * (format === "epoch_s" ? 1_000 : 1)));
  const year = date.getUTCFullYear();
  if (!(year >= 1 && year <= 9999))
    throw new RangeError(`“${text}” ${unit} since 1970 lie outside the years 0001 to 9999`);
  return normalizeTimestamp(date.toISOString());
}

function isoParts(text: string): [string, string | null] {
  const match = ISO.exec(text);
  if (!match)
    throw new RangeError(`“${text}” is not an ISO 8601 time such as 2026-01-02T03:04:05Z`);
  const [, date, minutes, seconds = ":00", fraction = "", offset] = match;
  return [`${date}T${minutes}${seconds}${fraction}`, offset ? isoOffset(offset) : null];
}

function patternParts(text: string, pattern: string): [string, string | null] {
  const parts = compilePattern(pattern).exec(text)?.groups;
  if (!parts) throw new RangeError(`“${text}” is not a time of the form ${pattern}`);
  const month = parts.monthName
    ? MONTHS.indexOf(parts.monthName.toLowerCase()) + 1
    : Number(parts.month);
  if (month === 0) throw new RangeError(`“${parts.monthName}” is not a month such as Jan`);
  const date = [parts.year, two(month), two(parts.day)].join("-");
  const fraction = parts.fraction ? `.${parts.fraction}` : "";
  const time = [hourOf(parts), parts.minute ?? "00", parts.second ?? "00"].join(":");
  return [`${date}T${time}${fraction}`, parts.offset ? isoOffset(parts.offset) : null];
}

function hourOf({ hour, hour12, half }: Record<string, string | undefined>): string {
  if (hour12 === undefined) return two(hour ?? 0);
  if (Number(hour12) < 1 || Number(hour12) > 12)
    throw new RangeError(`${hour12} is no hour of a twelve-hour clock`);
  return two((Number(hour12) % 12) + (half?.toLowerCase() === "pm" ? 12 : 0));
}

const two = (value: string | number | undefined) => String(value).padStart(2, "0");
const isoOffset = (offset: string) =>
  /^(z|utc)$/i.test(offset) ? "Z" : offset.replace(/^(...):?/, "$1:");
