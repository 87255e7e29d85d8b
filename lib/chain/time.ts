const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:[Zz]|([+-])(\d{2}):(\d{2}))?$/;
const NORMAL = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/**
 * An RFC 3339 timestamp as the log keeps it: UTC, truncated (never rounded) to milliseconds,
 * `YYYY-MM-DDTHH:mm:ss.sssZ`. A timestamp without offset is read as UTC.
 *
 * @throws RangeError for anything else: leap seconds, dates no calendar has, years outside 0001–9999.
 */
export function normalizeTimestamp(text: string): string {
  const match = RFC_3339.exec(text);
  if (!match) {
    throw new RangeError(
      `${quoted(text)} is not an RFC 3339 timestamp such as 2026-01-02T03:04:05.678Z`,
    );
  }
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (second === 60)
    throw new RangeError(`${quoted(text)} is a leap second, which is not accepted`);
  const millisecond = Number((match[7] ?? "").slice(0, 3).padEnd(3, "0"));
  const offsetHour = Number(match[9] ?? 0);
  const offsetMinute = Number(match[10] ?? 0);
  const date = new Date(0);
  // Not Date.UTC: it takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day);
  const calendarDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  date.setUTCHours(hour, minute, second, millisecond);
  if (
    !calendarDay ||
    hour > 23 ||
    minute > 59 ||
    second > 59 ||
    offsetHour > 23 ||
    offsetMinute > 59
  ) {
    throw new RangeError(`${quoted(text)} names a date or time that does not exist`);
  }
  const offsetMinutes = (match[8] === "-" ? -1 : 1) * (offsetHour * 60 + offsetMinute);
  const utc = new Date(date.getTime() - offsetMinutes * 60_000);
  if (utc.getUTCFullYear() < 1 || utc.getUTCFullYear() > 9999) {
    throw new RangeError(`${quoted(text)} lies outside the years 0001 to 9999`);
  }
  return utc.toISOString();
}

/** Whether a text already has the form that normalizeTimestamp gives. */
export function isNormalTimestamp(text: string): boolean {
  return NORMAL.test(text) && normalizeTimestamp(text) === text;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
