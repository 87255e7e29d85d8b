/** How the clocks stand that received times come from, measured in one read. */
export interface Clocks {
  /** Received time of the newest event, ISO 8601; null while there is none. */
  lastRecordedAt: string | null;
  /** How far that lies ahead of this server's clock: after a clock that stepped back it stands still so long. */
  recordedAheadMs: number;
  /** The database's clock minus this server's, by as much as the read's own duration cannot explain. */
  databaseAheadMs: number;
}

/** Clocks kept by NTP stay well within this of each other. */
export const CLOCK_TOLERANCE_MS = 2_000;
