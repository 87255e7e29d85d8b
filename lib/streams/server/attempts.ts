import type { Scope } from "@/lib/auth/scope";
import { readPool, writePool } from "@/lib/db/pool";
import type { HalfHour, StreamAttempt } from "../schema";
import { type AttemptPage, attemptPageSchema } from "../work-schema";
import type { StreamKey } from "./lease";

/** What was sent and how it ended: request by request, and by half hours. */

const HALF_HOUR_MS = 1_800_000;
const SLOTS = 48;

export interface AttemptRow {
  id: string;
  lane: string;
  created_at: Date;
  from_seq: number;
  to_seq: number;
  events: number;
  bytes: number;
  outcome: StreamAttempt["outcome"];
  status: number | null;
  latency_ms: number;
  code: string | null;
  message: string | null;
  reply: string | null;
}

export function toAttempt(row: AttemptRow): StreamAttempt {
  const { created_at, from_seq: fromSeq, to_seq: toSeq, latency_ms: latencyMs, ...rest } = row;
  return { ...rest, at: created_at.toISOString(), fromSeq, toSeq, latencyMs };
}

export const ATTEMPT_COLUMNS = `a.id, a.lane, a.created_at, a.from_seq, a.to_seq, a.events, a.bytes, a.outcome,
  a.status, a.latency_ms, a.code, a.message, a.reply`;

/** Requests of a stream, newest first; those of days ago are gone. */
export async function listAttempts(
  { organizationId }: Scope,
  streamId: string,
  page: Omit<AttemptPage, "id"> = {},
): Promise<StreamAttempt[]> {
  const { limit, before } = attemptPageSchema.parse({ ...page, id: streamId });
  const { rows } = await readPool().query<AttemptRow>(
    `SELECT ${ATTEMPT_COLUMNS} FROM stream_attempts a
     WHERE a.organization_id = $1 AND a.stream_id = $2 AND ($3::text IS NULL OR a.id < $3)
     ORDER BY a.id DESC LIMIT $4`,
    [organizationId, streamId, before ?? null, limit],
  );
  return rows.map(toAttempt);
}

/** The last 24 hours of each stream of the organization: 48 slots, the present one last, none left out. */
export async function readHalfHours({ organizationId }: Scope): Promise<Map<string, HalfHour[]>> {
  const last = Math.floor(Date.now() / HALF_HOUR_MS) * HALF_HOUR_MS;
  const slots = Array.from({ length: SLOTS }, (_, at) =>
    new Date(last - (SLOTS - 1 - at) * HALF_HOUR_MS).toISOString(),
  );
  const { rows } = await readPool().query<{
    id: string;
    slot: Date | null;
    delivered: number | null;
    failed: number | null;
  }>(
    `SELECT s.id, h.slot, h.delivered, h.failed FROM streams s
     LEFT JOIN stream_halfhours h ON h.organization_id = s.organization_id AND h.stream_id = s.id
       AND h.slot >= $2
     WHERE s.organization_id = $1 AND s.deleted_at IS NULL`,
    [organizationId, slots[0]],
  );
  const streams = new Map<string, HalfHour[]>();
  for (const { id, slot, delivered, failed } of rows) {
    const own = streams.get(id) ?? slots.map((at) => ({ slot: at, delivered: 0, failed: 0 }));
    streams.set(id, own);
    const found = slot && own[slots.indexOf(slot.toISOString())];
    if (found) Object.assign(found, { delivered, failed });
  }
  return streams;
}

const KEPT = "7 days";
const KEPT_ATTEMPTS = 2_000;
const JOBS_KEPT = "30 days";
const HISTORY_KEPT = "90 days";

/** Keeps a busy stream's list short. */
export async function trimAttempts(key: StreamKey): Promise<void> {
  await writePool().query(
    `DELETE FROM stream_attempts WHERE organization_id = $1 AND stream_id = $2 AND id <= (
       SELECT id FROM stream_attempts WHERE organization_id = $1 AND stream_id = $2
       ORDER BY id DESC OFFSET $3 LIMIT 1)`,
    [key.organizationId, key.streamId, KEPT_ATTEMPTS],
  );
}

/** What is told of the past few days only; jobs, discarded events and comparisons of long ago. */
export async function deleteOldDeliveries(): Promise<void> {
  const pool = writePool();
  await pool.query("DELETE FROM stream_attempts WHERE created_at < now() - $1::interval", [KEPT]);
  await pool.query("DELETE FROM stream_halfhours WHERE slot < now() - $1::interval", [KEPT]);
  await pool.query(
    "DELETE FROM stream_state WHERE lane <> 'live' AND finished_at < now() - $1::interval",
    [JOBS_KEPT],
  );
  await pool.query("DELETE FROM dead_letters WHERE discarded_at < now() - $1::interval", [
    HISTORY_KEPT,
  ]);
  // A finding stands until a later comparison says something.
  await pool.query(
    `DELETE FROM stream_reconciliations r WHERE checked_at < now() - $1::interval
       AND EXISTS (SELECT FROM stream_reconciliations newer WHERE newer.organization_id = r.organization_id
         AND newer.stream_id = r.stream_id AND newer.checked_at > r.checked_at AND newer.error IS NULL)`,
    [HISTORY_KEPT],
  );
}
