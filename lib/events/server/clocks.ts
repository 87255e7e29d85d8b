import type { Scope } from "@/lib/auth/scope";
import { databaseAheadMs } from "@/lib/clock";
import { Prisma } from "@/lib/generated/prisma/client";
import { readRows } from "./read";

export interface Clocks {
  /** Received time of the newest event, ISO 8601; null while there is none. */
  lastRecordedAt: string | null;
  /** How far that lies ahead of this server's clock: after a clock that stepped back it stands still so long. */
  recordedAheadMs: number;
  /** The database's clock minus this server's, by as much as the read's own duration cannot explain. */
  databaseAheadMs: number;
}

/** @throws AppError timeout or unavailable */
export async function readClocks(scope: Scope): Promise<Clocks> {
  const beforeMs = Date.now();
  const [row] = await readRows<{ now_ms: number; recorded_ms: number | null }>(Prisma.sql`
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now_ms,
      (SELECT (extract(epoch FROM last_recorded_at) * 1000)::float8 FROM log_heads
       WHERE organization_id = ${scope.organizationId}) AS recorded_ms`);
  const afterMs = Date.now();
  const { now_ms: databaseMs = afterMs, recorded_ms: recordedMs = null } = row ?? {};
  return {
    lastRecordedAt: recordedMs === null ? null : new Date(recordedMs).toISOString(),
    recordedAheadMs: Math.max(0, (recordedMs ?? 0) - afterMs),
    databaseAheadMs: databaseAheadMs({ databaseMs, beforeMs, afterMs }),
  };
}
