/** Wall clocks of IANA zones by the platform's own tables. */

const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether the platform knows the zone: `Europe/Oslo`, `UTC`. */
export function isTimeZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    era: "short",
  });
  formats.set(zone, format);
  return format;
}

/** How far the zone's clocks are ahead of UTC at a moment, in milliseconds. */
export function zoneOffsetMs(zone: string, atMs: number): number {
  if (zone === "UTC") return 0;
  const parts: Record<string, string> = {};
  for (const { type, value } of formatOf(zone).formatToParts(atMs)) parts[type] = value;
  const year = parts.era === "BC" ? 1 - Number(parts.year) : Number(parts.year);
  const wallMs = new Date(0).setUTCFullYear(year, Number(parts.month) - 1, Number(parts.day));
  const timeMs =
    (Number(parts.hour) * 60 + Number(parts.minute)) * 60_000 + Number(parts.second) * 1000;
  return wallMs + timeMs - Math.floor(atMs / 1000) * 1000;
}

/**
 * The moment at which the zone's clocks show a time, given as if it were UTC. A time that a clock change
 * skipped is shown as much later; of one that comes twice it is the first.
 */
export function momentOf(zone: string, wallMs: number): number {
  const before = wallMs - zoneOffsetMs(zone, wallMs - 86_400_000);
  const after = wallMs - zoneOffsetMs(zone, wallMs + 86_400_000);
  const fits = [Math.min(before, after), Math.max(before, after)].find(
    (moment) => moment + zoneOffsetMs(zone, moment) === wallMs,
  );
  return fits ?? Math.max(before, after);
}
