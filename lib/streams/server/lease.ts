import type pg from "pg";
import { inTransaction, writePool } from "@/lib/db/pool";
import type { LastError, StreamState } from "../schema";

/** The right to deliver one stream until `lease_until`; whoever takes it next raises the epoch. */
export interface Lease {
  readonly organizationId: string;
  readonly streamId: string;
  readonly epoch: number;
  readonly durationMs: number;
  cursorSeq: number;
  /** Exclusive end of the range that was planned before the last send, if that one is not settled. */
  inflightToSeq: number | null;
  failures: number;
  firstFailureAt: Date | null;
}

export interface StreamKey {
  organizationId: string;
  streamId: string;
}

const DELIVERING = `state IN ('active', 'degraded', 'error')`;
const HELD = `organization_id = $1 AND stream_id = $2 AND lease_epoch = $3`;
/** A person's pause, made while a send was under way, outlives that send. */
const UNLESS_STOPPED = (state: string) => `CASE WHEN ${DELIVERING} THEN ${state} ELSE state END`;

function heldBy(lease: Lease): [string, string, number] {
  return [lease.organizationId, lease.streamId, lease.epoch];
}

const EXTEND = (parameter: string) => `now() + ${parameter} * interval '1 millisecond'`;

/** Streams with undelivered events, free to be taken now; longest waiting first. */
export async function findDue(limit: number): Promise<StreamKey[]> {
  const { rows } = await writePool().query<{ organization_id: string; stream_id: string }>(
    `SELECT t.organization_id, t.stream_id FROM stream_state t
     JOIN log_heads h ON h.organization_id = t.organization_id
     JOIN streams s ON s.organization_id = t.organization_id AND s.id = t.stream_id
     WHERE t.${DELIVERING} AND t.cursor_seq < h.next_seq AND t.next_attempt_at <= now()
       AND (t.lease_until IS NULL OR t.lease_until <= now()) AND s.deleted_at IS NULL
     ORDER BY t.next_attempt_at LIMIT $1`,
    [limit],
  );
  return rows.map((row) => ({ organizationId: row.organization_id, streamId: row.stream_id }));
}

/** @returns null when another process was faster or the stream was stopped meanwhile. */
export async function claim(
  key: StreamKey,
  owner: string,
  durationMs: number,
): Promise<Lease | null> {
  const { rows } = await writePool().query<{
    lease_epoch: number;
    cursor_seq: number;
    inflight_to_seq: number | null;
    failures: number;
    first_failure_at: Date | null;
  }>(
    `UPDATE stream_state
     SET lease_owner = $3, lease_until = ${EXTEND("$4")}, lease_epoch = lease_epoch + 1
     WHERE organization_id = $1 AND stream_id = $2 AND ${DELIVERING} AND next_attempt_at <= now()
       AND (lease_until IS NULL OR lease_until <= now())
     RETURNING lease_epoch, cursor_seq, inflight_to_seq, failures, first_failure_at`,
    [key.organizationId, key.streamId, owner, durationMs],
  );
  const row = rows[0];
  if (!row) return null;
  return {
    ...key,
    durationMs,
    epoch: row.lease_epoch,
    cursorSeq: row.cursor_seq,
    inflightToSeq: row.inflight_to_seq,
    failures: row.failures,
    firstFailureAt: row.first_failure_at,
  };
}

/**
 * Records what the next request holds, before it is sent, and extends the lease.
 * @returns false when the lease was lost or the stream stopped: nothing may be sent.
 */
export async function plan(lease: Lease, toSeq: number): Promise<boolean> {
  const { rowCount } = await writePool().query(
    `UPDATE stream_state SET inflight_to_seq = $5, last_attempt_at = now(), lease_until = ${EXTEND("$6")}
     WHERE ${HELD} AND cursor_seq = $4 AND ${DELIVERING}`,
    [...heldBy(lease), lease.cursorSeq, toSeq, lease.durationMs],
  );
  if (rowCount === 1) lease.inflightToSeq = toSeq;
  return rowCount === 1;
}

async function moveCursor(
  client: pg.Pool | pg.PoolClient,
  lease: Lease,
  toSeq: number,
  inflightToSeq: number | null,
  changes: string,
  values: unknown[],
): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE stream_state SET cursor_seq = $5, inflight_to_seq = $6, lease_until = ${EXTEND("$7")}, ${changes}
     WHERE ${HELD} AND cursor_seq = $4`,
    [...heldBy(lease), lease.cursorSeq, toSeq, inflightToSeq, lease.durationMs, ...values],
  );
  if (rowCount !== 1) return false;
  Object.assign(lease, { cursorSeq: toSeq, inflightToSeq, failures: 0, firstFailureAt: null });
  return true;
}

const RECOVERED = `state = ${UNLESS_STOPPED("'active'")}, failures = 0, first_failure_at = NULL`;

/**
 * Moves the cursor past what the receiver took.
 * @returns false when another process has taken the stream: its range counts, ours was a copy.
 */
export function commitDelivered(
  lease: Lease,
  toSeq: number,
  events: number,
  nextInflightToSeq: number | null = null,
): Promise<boolean> {
  const changes = `${RECOVERED}, last_success_at = now(), delivered = delivered + $8`;
  return moveCursor(writePool(), lease, toSeq, nextInflightToSeq, changes, [events]);
}

/** Sets one refused event aside, together with the move of the cursor past it. */
export function setAside(lease: Lease, seq: number, error: LastError): Promise<boolean> {
  return inTransaction(writePool(), async (client) => {
    const changes = `${RECOVERED}, last_error = $8`;
    const moved = await moveCursor(client, lease, seq + 1, null, changes, [JSON.stringify(error)]);
    if (!moved) return false;
    const reason = error.reply ? `${error.message} It said: ${error.reply}` : error.message;
    await client.query(
      `INSERT INTO dead_letters (organization_id, stream_id, seq, reason) VALUES ($1, $2, $3, $4)
       ON CONFLICT DO NOTHING`,
      [lease.organizationId, lease.streamId, seq, reason],
    );
    return true;
  });
}

/** Events set aside since the receiver last took one, or since somebody last changed or resumed the stream. */
export async function countSetAsideInARow(lease: Lease, limit: number): Promise<number> {
  const { rows } = await writePool().query<{ count: number }>(
    `SELECT count(*) FROM (
       SELECT 1 FROM dead_letters d
       JOIN stream_state t ON t.organization_id = d.organization_id AND t.stream_id = d.stream_id
       JOIN streams s ON s.organization_id = d.organization_id AND s.id = d.stream_id
       WHERE d.organization_id = $1 AND d.stream_id = $2
         AND d.created_at > greatest(t.last_success_at, s.updated_at)
       LIMIT $3) recent`,
    [lease.organizationId, lease.streamId, limit],
  );
  return rows[0]?.count ?? 0;
}

/** Gives the lease back after a failure, to be taken again in `delayMs`. */
export async function fail(
  lease: Lease,
  state: StreamState,
  error: LastError,
  delayMs: number,
): Promise<void> {
  await writePool().query(
    `UPDATE stream_state SET state = ${UNLESS_STOPPED("$4")}, failures = failures + 1,
       first_failure_at = coalesce(first_failure_at, now()), last_error = $5,
       next_attempt_at = ${EXTEND("$6")}, lease_owner = NULL, lease_until = NULL
     WHERE ${HELD}`,
    [...heldBy(lease), state, JSON.stringify(error), delayMs],
  );
}

/** Gives the lease back; the stream queues behind the others that are due. */
export async function release(lease: Lease): Promise<void> {
  await writePool().query(
    `UPDATE stream_state SET lease_owner = NULL, lease_until = NULL, next_attempt_at = now()
     WHERE ${HELD}`,
    heldBy(lease),
  );
}
