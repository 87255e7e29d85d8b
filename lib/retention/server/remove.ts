import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { inTransaction, longPool } from "@/lib/db/pool";
import { asRetention, asRole } from "./owner-transaction";
import { countUnfinished, readEnds } from "./plan";

/**
 * Takes away what a record of pruning covers: months that nobody needs any more at once, the rest from its beginning
 * on, in small transactions. What a stop leaves is the end of it, which verification still checks, and the next run
 * goes on there.
 */

/** Events of one transaction: some tens of milliseconds. */
const BATCH = 500;
/** Who writes and reads meanwhile has three quarters of the time. */
const REST = 3;
const KEYS = 5_000;

export interface RemoveOptions {
  signal?: AbortSignal | undefined;
  /** Called after each transaction. */
  onBatch?: ((removed: number) => void) | undefined;
}

/**
 * Deletes the events below the log's beginning, and what belongs to them, at a pace that leaves most of the time to
 * whoever writes and reads meanwhile.
 * @returns how many events
 * @throws AppError conflict when a legal hold is placed meanwhile; the signal's reason
 */
export async function removePruned(
  pool: pg.Pool,
  scope: Scope,
  { signal, onBatch }: RemoveOptions = {},
): Promise<number> {
  const { first } = await readEnds(scope);
  const left = await countUnfinished(scope, first);
  for (let low = first - left; low < first; low += BATCH) {
    signal?.throwIfAborted();
    const started = Date.now();
    const range = [scope.organizationId, low, Math.min(low + BATCH, first)];
    await asRetention(pool, scope, (client) => removeRange(client, range));
    onBatch?.(Math.min(low + BATCH, first) - (first - left));
    await sleep(REST * (Date.now() - started));
  }
  await finish(pool, scope, first, signal);
  return left;
}

/** What goes is booked to the run that announced it, which a later one may have to finish. */
const RUNS = "r.organization_id = $1 AND r.prune_size > $2 AND r.first_seq < $3";
const OF_RUN = "g.seq >= r.first_seq AND g.seq < r.prune_size";

async function removeRange(client: pg.PoolClient, range: (string | number)[]): Promise<void> {
  const ends = await client.query(
    `SELECT min(recorded_at) AS first, max(recorded_at) AS last FROM events
     WHERE organization_id = $1 AND seq >= $2 AND seq < $3`,
    range,
  );
  const times = [ends.rows[0]?.first, ends.rows[0]?.last];
  // First the whole keys, so that each can be looked up; one join of all three tables is planned worse.
  await client.query(
    `WITH target AS MATERIALIZED (
       SELECT e.seq, e.recorded_at, e.occurred_at, part ->> 'type' AS type, part ->> 'id' AS id
       FROM events e CROSS JOIN jsonb_array_elements(
         CASE jsonb_typeof(e.targets) WHEN 'array' THEN e.targets ELSE '[]' END) part
       WHERE e.organization_id = $1 AND e.seq >= $2 AND e.seq < $3 AND e.recorded_at BETWEEN $4 AND $5),
     gone AS (
       DELETE FROM event_targets t USING target
       WHERE t.organization_id = $1 AND t.target_type = target.type AND t.target_id = target.id
         AND t.occurred_at = target.occurred_at AND t.seq = target.seq AND t.recorded_at = target.recorded_at
       RETURNING pg_column_size(t.*) AS bytes, t.seq)
     UPDATE retention_runs r SET bytes = bytes + (SELECT coalesce(sum(g.bytes), 0) FROM gone g WHERE ${OF_RUN})
     WHERE ${RUNS}`,
    [...range, ...times],
  );
  await client.query(
    `WITH gone AS (
       DELETE FROM events e WHERE organization_id = $1 AND seq >= $2 AND seq < $3 AND recorded_at BETWEEN $4 AND $5
         AND seq < (SELECT first_seq FROM log_heads WHERE organization_id = $1)
       RETURNING pg_column_size(e.*) AS bytes, seq, chain_hash)
     UPDATE retention_runs r SET deleted = deleted + (SELECT count(*) FROM gone g WHERE ${OF_RUN}),
       bytes = bytes + (SELECT coalesce(sum(g.bytes), 0) FROM gone g WHERE ${OF_RUN}),
       left_after = coalesce((SELECT chain_hash FROM gone g WHERE ${OF_RUN} ORDER BY seq DESC LIMIT 1), left_after)
     WHERE ${RUNS}`,
    [...range, ...times],
  );
}

/** Keys of imports live as long as their events. Then nothing is left. */
async function finish(
  pool: pg.Pool,
  scope: Scope,
  first: number,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { organizationId } = scope;
  for (let removed = KEYS; removed === KEYS; ) {
    signal?.throwIfAborted();
    removed = await asRetention(pool, scope, async (client) => {
      const { rowCount } = await client.query(
        `DELETE FROM idempotency_keys WHERE organization_id = $1 AND source = 'import' AND key_hash IN (
           SELECT key_hash FROM idempotency_keys WHERE organization_id = $1 AND source = 'import' AND seq < $2 LIMIT $3)`,
        [organizationId, first, KEYS],
      );
      return rowCount ?? 0;
    });
  }
  await asRetention(pool, scope, (client) =>
    client.query(
      "UPDATE retention_runs SET finished_at = now() WHERE organization_id = $1 AND finished_at IS NULL AND prune_size <= $2",
      [organizationId, first],
    ),
  );
}

export interface DroppedMonth {
  /** Its first day. */
  month: string;
  bytes: number;
}

const MONTH = /^events_(\d{4})_(\d{2})$/;
const TRIES = 4;
const PAUSE_MS = 1_000;
/** The lock was not to be had in time, or somebody waited for us. */
const BUSY = new Set(["55P03", "40P01"]);

/** Drops the months in which every log's events are pruned; one that is busy all the while is left for the next time. */
export async function dropSpentPartitions(
  pool: pg.Pool,
  signal?: AbortSignal,
): Promise<DroppedMonth[]> {
  const { rows } = await longPool().query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = 'events'::regclass ORDER BY 1`,
  );
  const dropped: DroppedMonth[] = [];
  for (const { name } of rows) {
    const [, year, number] = MONTH.exec(name) ?? [];
    if (year === undefined || number === undefined) continue;
    const month = `${year}-${number}-01`;
    const bytes = await dropMonth(pool, month, signal);
    if (bytes !== null) dropped.push({ month, bytes });
  }
  return dropped;
}

async function dropMonth(
  pool: pg.Pool,
  month: string,
  signal: AbortSignal | undefined,
): Promise<number | null> {
  for (let tries = 1; ; tries += 1) {
    signal?.throwIfAborted();
    try {
      return await inTransaction(pool, (client) =>
        asRole(client, "trailseal_retention", async () => {
          const { rows } = await client.query<{ bytes: number | null }>(
            "SELECT drop_spent_partition($1) AS bytes",
            [month],
          );
          return rows[0]?.bytes ?? null;
        }),
      );
    } catch (error) {
      if (!BUSY.has(String((error as { code?: unknown }).code))) throw error;
      if (tries === TRIES) return null;
      await sleep(PAUSE_MS * tries);
    }
  }
}
