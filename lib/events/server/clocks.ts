import type { Scope } from "@/lib/auth/scope";
import { Prisma } from "@/lib/generated/prisma/client";
import type { Clocks } from "../clocks";
import { readRows } from "./read";

/**
 * Compares the log's newest received time and the database's clock with this server's.
 * @throws AppError timeout or unavailable
 */
export async function readClocks(scope: Scope): Promise<Clocks> {
  const beforeMs = Date.now();
  const [row] = await readRows<{ now_ms: number; recorded_ms: number | null }>(Prisma.sql`
    SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now_ms,
      (SELECT (extract(epoch FROM last_recorded_at) * 1000)::float8 FROM log_heads
       WHERE organization_id = ${scope.organizationId}) AS recorded_ms`);
  const afterMs = Date.now();
  const { now_ms: databaseMs = afterMs, recorded_ms: recordedMs = null } = row ?? {};
  const nearestMs = Math.min(Math.max(databaseMs, beforeMs), afterMs);
  return {
    lastRecordedAt: recordedMs === null ? null : new Date(recordedMs).toISOString(),
    recordedAheadMs: Math.max(0, (recordedMs ?? 0) - afterMs),
    databaseAheadMs: Math.round(databaseMs - nearestMs),
  };
}
