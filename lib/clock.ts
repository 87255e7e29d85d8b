/** Clocks kept by NTP stay well within this of each other. */
export const CLOCK_TOLERANCE_MS = 2_000;

/**
 * The database's clock minus this process's, in milliseconds, by as much as the read's own duration cannot explain.
 * @param read what the database's clock said, between `beforeMs` and `afterMs` of this process's
 */
export function databaseAheadMs(read: {
  databaseMs: number;
  beforeMs: number;
  afterMs: number;
}): number {
  const nearestMs = Math.min(Math.max(read.databaseMs, read.beforeMs), read.afterMs);
  return Math.round(read.databaseMs - nearestMs);
}
