import type pg from "pg";
import { inTransaction, longPool } from "@/lib/db/pool";

const EVENTS_PER_TRANSACTION = 5_000;

/**
 * Counts events up to the head into rollup_hourly and rollup_actions_daily, by occurred_at in UTC, and into
 * rollup_keys_hourly, by recorded_at. The counts and the cursor move in one transaction that holds the
 * cursor's row: two followers at once never count twice.
 * @returns how many sequence numbers were passed.
 */
export async function followRollups(organizationId: string): Promise<number> {
  await longPool().query(
    "INSERT INTO followers (organization_id, name) VALUES ($1, 'rollups') ON CONFLICT DO NOTHING",
    [organizationId],
  );
  let followed = 0;
  for (;;) {
    const step = await inTransaction(longPool(), (client) => countEvents(client, organizationId));
    if (step === 0) return followed;
    followed += step;
  }
}

/** One step of followRollups, in the caller's transaction. */
export async function countEvents(client: pg.PoolClient, organizationId: string): Promise<number> {
  // The update changes nothing but takes the cursor's lock; FOR UPDATE would not survive a shard move.
  const cursor = await client.query<{ next_seq: number }>(
    `UPDATE followers SET next_seq = next_seq WHERE organization_id = $1 AND name = 'rollups'
     RETURNING next_seq`,
    [organizationId],
  );
  const head = await client.query<{ next_seq: number }>(
    "SELECT next_seq FROM log_heads WHERE organization_id = $1",
    [organizationId],
  );
  const from = cursor.rows[0]?.next_seq;
  const end = head.rows[0]?.next_seq;
  if (from === undefined || end === undefined) return 0;
  const to = Math.min(end, from + EVENTS_PER_TRANSACTION);
  if (to <= from) return 0;

  const range = [organizationId, from, to];
  await client.query(
    `INSERT INTO rollup_hourly (organization_id, hour, events)
     SELECT organization_id, date_trunc('hour', occurred_at, 'UTC'), count(*) FROM events
     WHERE organization_id = $1 AND seq >= $2 AND seq < $3 GROUP BY 1, 2
     ON CONFLICT (organization_id, hour) DO UPDATE SET events = rollup_hourly.events + EXCLUDED.events`,
    range,
  );
  await client.query(
    `INSERT INTO rollup_actions_daily (organization_id, day, action, events)
     SELECT organization_id, (occurred_at AT TIME ZONE 'UTC')::date, action, count(*) FROM events
     WHERE organization_id = $1 AND seq >= $2 AND seq < $3 GROUP BY 1, 2, 3
     ON CONFLICT (organization_id, day, action) DO UPDATE
     SET events = rollup_actions_daily.events + EXCLUDED.events`,
    range,
  );
  await client.query(
    `INSERT INTO rollup_keys_hourly (organization_id, hour, api_key_id, events)
     SELECT organization_id, date_trunc('hour', recorded_at, 'UTC'), api_key_id, count(*) FROM events
     WHERE organization_id = $1 AND seq >= $2 AND seq < $3 AND api_key_id IS NOT NULL GROUP BY 1, 2, 3
     ON CONFLICT (organization_id, hour, api_key_id) DO UPDATE
     SET events = rollup_keys_hourly.events + EXCLUDED.events`,
    range,
  );
  await client.query(
    "UPDATE followers SET next_seq = $2 WHERE organization_id = $1 AND name = 'rollups'",
    [organizationId, to],
  );
  return to - from;
}
