import type { Storage } from "./schema";

const DAY_MS = 86_400_000;

export interface Forecast {
  /** How much the database grows in a day, on average of the samples. */
  bytesPerDay: number;
  eventsPerDay: number;
  /** Until the disk is full; null: it does not grow, or its disk is not this host's. */
  daysLeft: number | null;
}

/** What the samples of the last 30 days say of the next ones; null while they span less than a day. */
export function forecast({ samples, disk }: Storage): Forecast | null {
  const last = samples.at(-1);
  const recent = samples.filter(
    ({ day }) => last && Date.parse(last.day) - Date.parse(day) <= 30 * DAY_MS,
  );
  const first = recent[0];
  if (!first || !last) return null;
  const days = (Date.parse(last.day) - Date.parse(first.day)) / DAY_MS;
  if (days < 1) return null;
  const bytesPerDay = (last.databaseBytes - first.databaseBytes) / days;
  return {
    bytesPerDay,
    eventsPerDay: (last.eventsSealed - first.eventsSealed) / days,
    daysLeft:
      disk.holdsDatabase && bytesPerDay > 0 ? Math.floor(disk.freeBytes / bytesPerDay) : null,
  };
}
