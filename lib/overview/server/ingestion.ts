import type { Scope } from "@/lib/auth/scope";
import { type Clocks, readClocks } from "@/lib/events/server/clocks";
import { readRows } from "@/lib/events/server/read";
import { Prisma } from "@/lib/generated/prisma/client";
import type { Period } from "../period";

const HOUR_MS = 3_600_000;

export interface Ingestion {
  /** The event with the highest number; null while there is none. */
  last: { id: string; seq: number; recordedAt: string } | null;
  /** Events received within the last hour. */
  lastHour: number;
  clocks: Clocks;
}

/** @throws AppError timeout or unavailable */
export async function readIngestion(scope: Scope): Promise<Ingestion> {
  const { organizationId } = scope;
  const hourAgo = new Date(Date.now() - HOUR_MS).toISOString();
  // Received times never decrease along the sequence: halving finds where the hour begins.
  const [rows, clocks] = await Promise.all([
    readRows<{ id: string; seq: number; recorded_ms: number; last_hour: number }>(Prisma.sql`
      WITH RECURSIVE head AS (
        SELECT first_seq, next_seq FROM log_heads WHERE organization_id = ${organizationId}
      ), halving (low, high) AS (
        SELECT first_seq, next_seq FROM head
        UNION ALL
        SELECT CASE WHEN is_older THEN middle + 1 ELSE low END, CASE WHEN is_older THEN high ELSE middle END
        FROM (
          SELECT low, high, (low + high) / 2 AS middle, coalesce((
            SELECT e.recorded_at < ${hourAgo}::timestamptz FROM events e
            WHERE e.organization_id = ${organizationId} AND e.seq = (low + high) / 2), true) AS is_older
          FROM halving WHERE low < high
        ) step
      )
      SELECT e.id, e.seq::float8 AS seq, (extract(epoch FROM e.recorded_at) * 1000)::float8 AS recorded_ms,
        (SELECT next_seq - low FROM halving WHERE low = high)::float8 AS last_hour
      FROM head, events e WHERE e.organization_id = ${organizationId} AND e.seq = (SELECT next_seq - 1 FROM head)`),
    readClocks(scope),
  ]);
  const [row] = rows;
  return {
    last: row
      ? { id: row.id, seq: row.seq, recordedAt: new Date(row.recorded_ms).toISOString() }
      : null,
    lastHour: row?.last_hour ?? 0,
    clocks,
  };
}

/** The time of the newest event by occurred_at, of all and within the period; null where there is none. */
export async function readNewest(
  { organizationId }: Scope,
  { from, to }: Period,
): Promise<{ ever: string | null; within: string | null }> {
  const newest = (condition: Prisma.Sql) => Prisma.sql`(
    SELECT (extract(epoch FROM e.occurred_at) * 1000)::float8 FROM events e
    WHERE e.organization_id = ${organizationId} AND ${condition}
    ORDER BY e.occurred_at DESC, e.seq DESC LIMIT 1)`;
  const [row] = await readRows<{ ever: number | null; within: number | null }>(Prisma.sql`
    SELECT ${newest(Prisma.sql`true`)} AS ever,
      ${newest(Prisma.sql`e.occurred_at >= ${from}::timestamptz AND e.occurred_at < ${to}::timestamptz`)} AS within`);
  const iso = (ms: number | null | undefined) => (ms == null ? null : new Date(ms).toISOString());
  return { ever: iso(row?.ever), within: iso(row?.within) };
}
