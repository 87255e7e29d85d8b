import { clockOf, type Zone } from "@/components/events/zone";

const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;

/** When a day (`2026-11-23`) begins in a zone, epoch milliseconds. No zone begins its days off the quarter. */
export function dayStart(day: string, zone: Zone): number {
  const noon = Date.parse(`${day}T12:00:00Z`);
  // Zones lie within 14 hours of UTC, so the day has begun by the one and not by the other.
  let [before, after] = [noon / QUARTER_MS - 27 * 4, noon / QUARTER_MS + 3 * 4];
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (clockOf(new Date(middle * QUARTER_MS).toISOString(), zone).day >= day) after = middle;
    else before = middle;
  }
  return after * QUARTER_MS;
}

/** The `count` days up to a day, oldest first. */
export function daysUpTo(day: string, count: number): string[] {
  const last = Date.parse(`${day}T00:00:00Z`);
  return Array.from({ length: count }, (_, index) =>
    new Date(last - (count - 1 - index) * DAY_MS).toISOString().slice(0, 10),
  );
}

export function dayAfter(day: string): string {
  return (
    daysUpTo(day, 1)
      .map((same) => new Date(Date.parse(same) + DAY_MS).toISOString())[0]
      ?.slice(0, 10) ?? day
  );
}

const LONG = new Intl.DateTimeFormat("en-GB", {
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
  timeZone: "UTC",
});
const SHORT = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });

/** `Monday 23 November 2026` */
export function dayWords(day: string): string {
  return LONG.format(Date.parse(day)).replace(",", "");
}

/** `23 Nov` */
export function shortDay(day: string): string {
  return SHORT.format(Date.parse(day));
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? one : many}`;
}
