import { writePool } from "@/lib/db/pool";
import type { LastError, StreamAttempt, StreamState } from "../schema";

export interface StreamKey {
  organizationId: string;
  streamId: string;
  /** `live`, or the id of a job. */
  lane: string;
}

/** The right to deliver one lane until `lease_until`; whoever takes it next raises the epoch. */
export interface Lease extends Readonly<StreamKey> {
  readonly kind: "live" | "backfill" | "redrive";
  readonly epoch: number;
  readonly durationMs: number;
  /** End of the lane, exclusive; null for live delivery. */
  readonly toSeq: number | null;
  readonly ratePerSecond: number | null;
  readonly rewinds: number;
  cursorSeq: number;
  /** Exclusive end of the range that was planned before the last send, if that one is not settled. */
  inflightToSeq: number | null;
  failures: number;
  firstFailureAt: Date | null;
  checkpointSize: number;
  checkpointSentAt: Date | null;
  /** When a receiver last took something; before that, when the lane began. */
  lastSentAt: Date;
  // What the last statement saw around the lane.
  /** Nothing further may be sent. */
  isStopped: boolean;
  /** Changes with every change of the stream. */
  version: string;
  /** First sequence that is not appended yet: what is below was committed before rows are read. */
  nextSeq: number;
  firstSeq: number;
  now: Date;
}

interface HeldRow {
  kind: Lease["kind"];
  state: StreamState;
  lease_epoch: number;
  cursor_seq: number;
  inflight_to_seq: number | null;
  to_seq: number | null;
  rate_per_second: number | null;
  rewinds: number;
  failures: number;
  first_failure_at: Date | null;
  checkpoint_size: number;
  checkpoint_sent_at: Date | null;
  last_sent_at: Date;
  finished_at: Date | null;
  version: Date;
  next_seq: number;
  first_seq: number;
  now: Date;
}

const WORKING = ["active", "degraded", "error"];
const DELIVERING = `t.state IN ('active', 'degraded', 'error')`;
const HELD = "t.organization_id = $1 AND t.stream_id = $2 AND t.lane = $3 AND t.lease_epoch = $4";
const AROUND = `s.organization_id = t.organization_id AND s.id = t.stream_id AND s.deleted_at IS NULL
  AND h.organization_id = t.organization_id`;
const RETURNED = `t.organization_id, t.stream_id, t.lane, t.kind, t.state, t.lease_epoch, t.cursor_seq,
  t.inflight_to_seq, t.to_seq, t.rate_per_second, t.rewinds, t.failures, t.first_failure_at, t.checkpoint_size,
  t.checkpoint_sent_at, coalesce(t.last_success_at, t.created_at) AS last_sent_at, t.finished_at,
  s.updated_at AS version, h.next_seq, h.first_seq, now() AS now`;
/** A person's pause, made while a send was under way, outlives that send. */
const UNLESS_STOPPED = (state: string) => `CASE WHEN ${DELIVERING} THEN ${state} ELSE t.state END`;
const AFTER = (parameter: string) => `now() + ${parameter} * interval '1 millisecond'`;

const heldBy = (lease: Lease) => [
  ...[lease.organizationId, lease.streamId, lease.lane, lease.epoch],
];

function stateOf(row: HeldRow) {
  return {
    cursorSeq: row.cursor_seq,
    inflightToSeq: row.inflight_to_seq,
    failures: row.failures,
    firstFailureAt: row.first_failure_at,
    checkpointSize: row.checkpoint_size,
    checkpointSentAt: row.checkpoint_sent_at,
    lastSentAt: row.last_sent_at,
    isStopped: !WORKING.includes(row.state) || row.finished_at !== null,
    version: row.version.toISOString(),
    nextSeq: row.next_seq,
    firstSeq: row.first_seq,
    now: row.now,
  };
}

/** One request that has ended, to be kept with what it led to. */
export type Attempt = Omit<StreamAttempt, "lane" | "at"> & {
  /** Events that the receiver took. */
  taken: number;
  /** Of a redrive: the events that it held. */
  seqs: number[] | null;
};

/** Keeps attempts, beside a CTE `held`: the row that was changed, or none. */
const RECORDED = (parameter: string) => `
  tried AS (
    SELECT held.organization_id, held.stream_id, held.lane, a.* FROM held,
      jsonb_to_recordset(${parameter}::jsonb) AS a (id text, "fromSeq" bigint, "toSeq" bigint, seqs bigint[],
        events integer, bytes integer, outcome text, status integer, "latencyMs" integer, code text, message text,
        reply text, taken integer)),
  kept AS (
    INSERT INTO stream_attempts (organization_id, stream_id, lane, id, from_seq, to_seq, seqs, events, bytes,
      outcome, status, latency_ms, code, message, reply)
    SELECT organization_id, stream_id, lane, id, "fromSeq", "toSeq", seqs, events, bytes, outcome, status,
      "latencyMs", code, message, reply FROM tried),
  counted AS (
    INSERT INTO stream_halfhours AS c (organization_id, stream_id, slot, delivered, failed)
    SELECT organization_id, stream_id, date_bin('30 minutes', now(), TIMESTAMPTZ '2000-01-01 00:00:00Z'), taken,
      CASE outcome WHEN 'delivered' THEN 0 ELSE 1 END FROM tried
    ON CONFLICT (organization_id, stream_id, slot) DO UPDATE
    SET delivered = c.delivered + EXCLUDED.delivered, failed = c.failed + EXCLUDED.failed)`;

const listOf = (attempt: Attempt | null) => JSON.stringify(attempt ? [attempt] : []);

/** Lets the lease know what a statement did. @returns false when another holder or a person was faster */
function keep(lease: Lease, [row]: HeldRow[]): boolean {
  if (row) Object.assign(lease, stateOf(row));
  return row !== undefined;
}

/**
 * Lanes with something to send, free to be taken now, longest waiting first. Live ones have undelivered events, a
 * checkpoint that their receiver has not seen, or have said nothing for long.
 */
export async function findDue(limit: number): Promise<StreamKey[]> {
  const { rows } = await writePool().query<{
    organization_id: string;
    stream_id: string;
    lane: string;
  }>(
    `SELECT t.organization_id, t.stream_id, t.lane FROM stream_state t
     JOIN log_heads h ON h.organization_id = t.organization_id
     JOIN streams s ON s.organization_id = t.organization_id AND s.id = t.stream_id AND s.deleted_at IS NULL
     WHERE ${DELIVERING} AND t.finished_at IS NULL AND t.next_attempt_at <= now()
       AND (t.lease_until IS NULL OR t.lease_until <= now())
       AND (t.lane <> 'live' OR t.cursor_seq < h.next_seq
         OR s.heartbeat_minutes > 0 AND greatest(t.last_success_at, t.checkpoint_sent_at, t.created_at)
           <= now() - s.heartbeat_minutes * interval '1 minute'
         OR t.checkpoint_size < t.cursor_seq
           AND (t.checkpoint_sent_at IS NULL OR t.checkpoint_sent_at <= now() - interval '1 minute')
           AND EXISTS (SELECT FROM checkpoints c WHERE c.organization_id = t.organization_id
             AND c.origin = h.origin AND c.tree_size > t.checkpoint_size AND c.tree_size <= t.cursor_seq))
     ORDER BY t.next_attempt_at LIMIT $1`,
    [limit],
  );
  return rows.map((row) => ({
    organizationId: row.organization_id,
    streamId: row.stream_id,
    lane: row.lane,
  }));
}

/** @returns null when another process was faster or the stream was stopped meanwhile. */
export async function claim(
  key: StreamKey,
  owner: string,
  durationMs: number,
): Promise<Lease | null> {
  const { rows } = await writePool().query<HeldRow>(
    `UPDATE stream_state t
     SET lease_owner = $4, lease_until = ${AFTER("$5")}, lease_epoch = lease_epoch + 1
     FROM streams s, log_heads h
     WHERE t.organization_id = $1 AND t.stream_id = $2 AND t.lane = $3 AND ${DELIVERING}
       AND t.finished_at IS NULL AND next_attempt_at <= now()
       AND (lease_until IS NULL OR lease_until <= now()) AND ${AROUND}
     RETURNING ${RETURNED}`,
    [key.organizationId, key.streamId, key.lane, owner, durationMs],
  );
  const [row] = rows;
  if (!row) return null;
  return {
    ...key,
    durationMs,
    kind: row.kind,
    epoch: row.lease_epoch,
    toSeq: row.to_seq,
    ratePerSecond: row.rate_per_second,
    rewinds: row.rewinds,
    ...stateOf(row),
  };
}

/**
 * Records what the next request holds, before it is sent, and extends the lease; with the request before it, whose
 * range this narrows.
 * @returns false when the lease was lost or the stream stopped: nothing may be sent.
 */
export async function plan(
  lease: Lease,
  toSeq: number,
  durationMs = lease.durationMs,
  attempt: Attempt | null = null,
): Promise<boolean> {
  const { rows } = await writePool().query<HeldRow>(
    `WITH held AS (
       UPDATE stream_state t SET inflight_to_seq = $6, last_attempt_at = now(), lease_until = ${AFTER("$7")}
       FROM streams s, log_heads h
       WHERE ${HELD} AND cursor_seq = $5 AND ${DELIVERING} AND t.finished_at IS NULL AND ${AROUND}
       RETURNING ${RETURNED}), ${RECORDED("$8")}
     SELECT * FROM held`,
    [...heldBy(lease), lease.cursorSeq, toSeq, durationMs, listOf(attempt)],
  );
  return keep(lease, rows);
}

export interface Letter {
  seq: number;
  error: LastError;
}

const reasonOf = ({ error: { message, reply } }: Letter): string =>
  reply ? `${message} It said: ${reply}` : message;

/** Sets events aside and takes others back, beside `held` as RECORDED does. */
const WITH_LETTERS = `,
  set_aside AS (
    INSERT INTO dead_letters (organization_id, stream_id, seq, reason)
    SELECT held.organization_id, held.stream_id, l.* FROM held, unnest($14::bigint[], $15::text[]) AS l
    ON CONFLICT (organization_id, stream_id, seq) DO UPDATE
    SET reason = EXCLUDED.reason, created_at = now(), lane = NULL),
  cured AS (
    DELETE FROM dead_letters d USING held
    WHERE d.organization_id = $1 AND d.stream_id = held.stream_id AND d.seq = ANY($16::bigint[]))`;

/** What is known of the range from the cursor on. */
export interface Settlement {
  toSeq: number;
  /** Exclusive end of the range that is sent next, at once; null: not known yet. */
  nextToSeq?: number | null;
  /** Events that the receiver took. */
  delivered?: number[];
  passedOver?: number;
  letters?: Letter[];
  error?: LastError | null;
  /** Null: nothing was sent, the filter took nothing. */
  attempt: Attempt | null;
  leaseMs?: number;
}

/**
 * Moves the cursor past what the receiver took, and past what was set aside or passed over, together with all that
 * is kept of it. A lane at its end is finished.
 * @returns false when another process has taken the lane, or a person has moved the cursor: this range counts nothing.
 */
export async function settle(lease: Lease, settlement: Settlement): Promise<boolean> {
  const { toSeq, delivered = [], letters = [], passedOver = 0, attempt } = settlement;
  // Live delivery comes to an event once; a job may bring what was set aside.
  const cured = lease.lane === "live" ? [] : delivered;
  const touchesLetters = letters.length + cured.length > 0;
  const { rows } = await writePool().query<HeldRow>({
    // Planned once per connection: that takes four times as long as all the rest.
    name: touchesLetters ? "settle with letters" : "settle",
    text: `WITH held AS (
       UPDATE stream_state t SET cursor_seq = $6, inflight_to_seq = $7, lease_until = ${AFTER("$8")},
         state = CASE WHEN $9 THEN ${UNLESS_STOPPED("'active'")} ELSE t.state END,
         failures = CASE WHEN $9 THEN 0 ELSE failures END,
         first_failure_at = CASE WHEN $9 THEN NULL ELSE first_failure_at END,
         last_error = coalesce($10, last_error),
         last_success_at = CASE WHEN $11::integer > 0 THEN now() ELSE last_success_at END,
         last_attempt_at = CASE WHEN $7::bigint IS NULL THEN last_attempt_at ELSE now() END,
         delivered = delivered + $11, passed_over = passed_over + $12,
         finished_at = CASE WHEN $6 >= t.to_seq THEN coalesce(finished_at, now()) ELSE finished_at END
       FROM streams s, log_heads h
       WHERE ${HELD} AND cursor_seq = $5 AND ${AROUND}
       RETURNING ${RETURNED}), ${RECORDED("$13")}${touchesLetters ? WITH_LETTERS : ""}
     SELECT * FROM held`,
    values: [
      ...heldBy(lease),
      ...[lease.cursorSeq, toSeq, settlement.nextToSeq ?? null],
      ...[settlement.leaseMs ?? lease.durationMs, attempt !== null],
      settlement.error ? JSON.stringify(settlement.error) : null,
      ...[delivered.length, passedOver, listOf(attempt)],
      ...(touchesLetters ? [letters.map(({ seq }) => seq), letters.map(reasonOf), cured] : []),
    ],
  });
  return keep(lease, rows);
}

/** Remembers a checkpoint or heartbeat that was taken, or refused for good. @returns false as settle */
export async function settleCheckpoint(
  lease: Lease,
  size: number,
  attempt: Attempt,
  error: LastError | null,
): Promise<boolean> {
  const { rows } = await writePool().query<HeldRow>(
    `WITH held AS (
       UPDATE stream_state t SET checkpoint_size = greatest(checkpoint_size, $5), checkpoint_sent_at = now(),
         state = ${UNLESS_STOPPED("'active'")}, failures = 0, first_failure_at = NULL,
         last_attempt_at = now(), last_error = coalesce($6, last_error),
         last_success_at = CASE WHEN $6::jsonb IS NULL THEN now() ELSE last_success_at END
       FROM streams s, log_heads h WHERE ${HELD} AND ${AROUND}
       RETURNING ${RETURNED}), ${RECORDED("$7")}
     SELECT * FROM held`,
    [...heldBy(lease), size, error && JSON.stringify(error), listOf(attempt)],
  );
  return keep(lease, rows);
}

/** Jumps over events that are not kept any more, and says so. @returns false as settle */
export async function skipPruned(lease: Lease, toSeq: number, error: LastError): Promise<boolean> {
  const { rows } = await writePool().query<HeldRow>(
    `UPDATE stream_state t SET cursor_seq = $6, inflight_to_seq = NULL, last_error = $7,
       skipped = skipped + int8multirange(int8range($5, $6)),
       finished_at = CASE WHEN $6 >= t.to_seq THEN now() END
     FROM streams s, log_heads h WHERE ${HELD} AND cursor_seq = $5 AND ${AROUND} RETURNING ${RETURNED}`,
    [...heldBy(lease), lease.cursorSeq, toSeq, JSON.stringify(error)],
  );
  return keep(lease, rows);
}

/** Events set aside since the receiver last took one, the lane began, or somebody changed or resumed the stream. */
export async function countSetAsideInARow(lease: Lease, limit: number): Promise<number> {
  const { rows } = await writePool().query<{ count: number }>(
    `SELECT count(*) FILTER (WHERE newest.created_at > greatest(t.last_success_at, t.created_at, s.updated_at)) AS count
     FROM stream_state t
     JOIN streams s ON s.organization_id = t.organization_id AND s.id = t.stream_id
     CROSS JOIN LATERAL (SELECT d.created_at FROM dead_letters d
       WHERE d.organization_id = t.organization_id AND d.stream_id = t.stream_id AND d.seq < t.cursor_seq
       ORDER BY d.seq DESC LIMIT $4) newest
     WHERE t.organization_id = $1 AND t.stream_id = $2 AND t.lane = $3`,
    [lease.organizationId, lease.streamId, lease.lane, limit],
  );
  return rows[0]?.count ?? 0;
}

/** Has the lease outlast what is done next. @returns false as plan */
export async function extend(lease: Lease, durationMs: number): Promise<boolean> {
  const { rows } = await writePool().query<HeldRow>(
    `UPDATE stream_state t SET lease_until = ${AFTER("$5")} FROM streams s, log_heads h
     WHERE ${HELD} AND ${DELIVERING} AND ${AROUND} RETURNING ${RETURNED}`,
    [...heldBy(lease), durationMs],
  );
  return keep(lease, rows);
}

/**
 * Gives the lease back after a failure, to be taken again in `delayMs`.
 * @param narrowedTo exclusive end of the range that is tried then; null: the one that failed
 */
export async function fail(
  lease: Lease,
  state: StreamState,
  error: LastError,
  delayMs: number,
  attempt: Attempt | null = null,
  narrowedTo: number | null = null,
): Promise<void> {
  await writePool().query(
    `WITH held AS (
       UPDATE stream_state t SET state = ${UNLESS_STOPPED("$5")}, failures = failures + 1,
         first_failure_at = coalesce(first_failure_at, now()), last_error = $6,
         next_attempt_at = ${AFTER("$7")}, lease_owner = NULL, lease_until = NULL,
         inflight_to_seq = coalesce($9, inflight_to_seq)
       WHERE ${HELD} RETURNING t.organization_id, t.stream_id, t.lane), ${RECORDED("$8")}
     SELECT FROM held`,
    [...heldBy(lease), state, JSON.stringify(error), delayMs, listOf(attempt), narrowedTo],
  );
}

/** Gives the lease back; the lane queues behind the others that are due. */
export async function release(lease: Lease, delayMs = 0): Promise<void> {
  await writePool().query(
    `UPDATE stream_state t SET lease_owner = NULL, lease_until = NULL, next_attempt_at = ${AFTER("$5")}
     WHERE ${HELD}`,
    [...heldBy(lease), delayMs],
  );
}
