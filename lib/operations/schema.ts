/** What the operator's page and the metrics say of an instance. Times are ISO 8601, UTC; sizes are bytes. */

export interface ProcessState {
  kind: "server" | "worker";
  host: string;
  pid: number;
  version: string;
  startedAt: string;
  seenAt: string;
  /** Not heard of for longer than it tells of itself. */
  isSilent: boolean;
  /** The database's clock minus its own, in milliseconds. */
  databaseAheadMs: number;
}

export interface SizeSample {
  /** 2026-11-29 */
  day: string;
  databaseBytes: number;
  eventsSealed: number;
}

export interface Storage {
  databaseBytes: number;
  /** Rows, indexes and out-of-line values of events. */
  eventBytes: number;
  /** In the logs now. */
  events: number;
  eventsSealed: number;
  /** Oldest first, today's last. */
  samples: SizeSample[];
  /** Of the disk that the data directory lies on; the database's own only where it is the embedded one. */
  disk: { freeBytes: number; totalBytes: number; holdsDatabase: boolean };
}

export interface Queues {
  exportsWaiting: number;
  exportsRunning: number;
  verifications: number;
  alertsUnsent: number;
  /** Events that streams have yet to deliver, all streams together. */
  streamLag: number;
  streamsInError: number;
  /** Set aside and not decided on; at most COUNTED. */
  deadLetters: number;
  /** Events that no signed checkpoint covers yet. */
  unsigned: number;
  /** Logs whose newest event has waited for minutes. */
  unsignedLogs: number;
  /** Events not yet in the counts of days and hours. */
  uncounted: number;
}

/** Dead letters are counted so far, and then as "more". */
export const COUNTED = 10_000;

export interface SlowQuery {
  /** Without its values. */
  text: string;
  /** How long it has been running, or took on average. */
  ms: number;
  /** How often it ran; null: it runs now. */
  calls: number | null;
}

export interface KeyAge {
  name: string;
  /** Null: the file is not on this host. */
  since: string | null;
}

export interface Operations {
  version: string;
  node: string;
  postgres: string;
  isEmbedded: boolean;
  processes: ProcessState[];
  pendingMigrations: string[];
  storage: Storage;
  queues: Queues;
  running: SlowQuery[];
  /** Null: pg_stat_statements is not installed. */
  slowest: SlowQuery[] | null;
  secrets: KeyAge[];
  apiKeys: { alive: number; neverUsed: number; olderThanYear: number };
  backup: { at: string; withKeys: boolean } | null;
  hasMailServer: boolean;
}
