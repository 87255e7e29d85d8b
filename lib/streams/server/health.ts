import type { Scope } from "@/lib/auth/scope";
import { getPrisma } from "@/lib/db/prisma";
import { getEnv } from "@/lib/env";
import { AppError } from "@/lib/errors";
import { Prisma } from "@/lib/generated/prisma/client";
import type { FormatId } from "../formats";
import { describeSaved } from "../registry";
import { lastErrorSchema, type StreamState, type StreamSummary, type StreamView } from "../schema";
import { retentionEnd } from "./alarms";
import { readHalfHours } from "./attempts";
import { describeSecrets, storedSecretsSchema } from "./secrets";

const DEAD_LETTERS_COUNTED = 10_000;

interface HealthRow {
  id: string;
  name: string;
  destination: string;
  config: unknown;
  secrets: unknown;
  format: FormatId;
  filter: string;
  heartbeat_minutes: number;
  lag_alert_minutes: number;
  created_at: Date;
  updated_at: Date;
  state: StreamState;
  cursor_seq: bigint;
  next_seq: bigint;
  first_seq: bigint;
  start_seq: bigint | null;
  passed_over: bigint;
  checkpoint_size: bigint;
  checkpoint_sent_at: Date | null;
  retention_days: number | null;
  oldest_waiting: Date | null;
  database_now: Date;
  delivered: bigint;
  dead_letters: bigint;
  failures: number;
  first_failure_at: Date | null;
  next_attempt_at: Date;
  last_attempt_at: Date | null;
  last_success_at: Date | null;
  last_error: unknown;
}

const iso = (date: Date | null) => date?.toISOString() ?? null;

function toSummary(row: HealthRow): StreamSummary {
  const destination = describeSaved(row.destination, row.config);
  const lagMs = row.oldest_waiting ? row.database_now.getTime() - row.oldest_waiting.getTime() : 0;
  return {
    id: row.id,
    name: row.name,
    destination: destination.id,
    destinationLabel: destination.label,
    description: destination.description,
    config: destination.config,
    secrets: describeSecrets(storedSecretsSchema.parse(row.secrets)),
    format: row.format,
    filter: row.filter,
    heartbeatMinutes: row.heartbeat_minutes,
    lagAlertMinutes: row.lag_alert_minutes,
    state: row.state,
    startSeq: Number(row.start_seq ?? 0),
    cursorSeq: Number(row.cursor_seq),
    headSeq: Number(row.next_seq),
    firstSeq: Number(row.first_seq),
    lagEvents: Math.max(0, Number(row.next_seq) - Number(row.cursor_seq)),
    lagS: Math.max(0, lagMs / 1000),
    retentionEndsAt: iso(retentionEnd(row.oldest_waiting, row.retention_days)),
    delivered: Number(row.delivered),
    passedOver: Number(row.passed_over),
    checkpointSize: Number(row.checkpoint_size),
    checkpointSentAt: iso(row.checkpoint_sent_at),
    deadLetters: Number(row.dead_letters),
    failures: row.failures,
    firstFailureAt: iso(row.first_failure_at),
    nextAttemptAt: row.next_attempt_at.toISOString(),
    lastAttemptAt: iso(row.last_attempt_at),
    lastSuccessAt: iso(row.last_success_at),
    lastError: row.last_error === null ? null : lastErrorSchema.parse(row.last_error),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

/** Streams of the scope's organization with their health, one or all, oldest first. */
export async function readSummaries(scope: Scope, id?: string): Promise<StreamSummary[]> {
  const only = id === undefined ? Prisma.empty : Prisma.sql`AND s.id = ${id}`;
  const rows = await getPrisma().$queryRaw<HealthRow[]>`
    SELECT s.id, s.name, s.destination, s.config, s.secrets, s.format, s.filter,
      s.heartbeat_minutes, s.lag_alert_minutes, s.created_at, s.updated_at,
      t.state, t.cursor_seq, t.delivered, t.failures, t.first_failure_at, t.next_attempt_at,
      t.last_attempt_at, t.last_success_at, t.last_error, t.from_seq AS start_seq, t.passed_over, t.checkpoint_size,
      t.checkpoint_sent_at, h.next_seq, h.first_seq, coalesce(o.retention_days, ${getEnv().TRAILSEAL_RETENTION_DAYS ?? null}::int) AS retention_days,
      now() AS database_now,
      (SELECT e.recorded_at FROM events e
        WHERE e.organization_id = ${scope.organizationId} AND e.seq >= t.cursor_seq
        ORDER BY e.seq LIMIT 1) AS oldest_waiting,
      (SELECT count(*) FROM (SELECT 1 FROM dead_letters d
        WHERE d.organization_id = ${scope.organizationId} AND d.stream_id = s.id
          AND d.discarded_at IS NULL
        LIMIT ${DEAD_LETTERS_COUNTED}) counted) AS dead_letters
    FROM streams s
    JOIN stream_state t ON t.organization_id = s.organization_id AND t.stream_id = s.id
      AND t.lane = 'live'
    JOIN log_heads h ON h.organization_id = s.organization_id
    JOIN organizations o ON o.id = s.organization_id
    WHERE s.organization_id = ${scope.organizationId} AND s.deleted_at IS NULL ${only}
    ORDER BY s.created_at, s.id`;
  return rows.map(toSummary);
}

/** The same with their last 24 hours. */
export async function readViews(scope: Scope, id?: string): Promise<StreamView[]> {
  const [streams, halfHours] = await Promise.all([readSummaries(scope, id), readHalfHours(scope)]);
  return streams.map((stream) => ({ stream, halfHours: halfHours.get(stream.id) ?? [] }));
}

/** @throws AppError not_found */
export async function readView(scope: Scope, id: string): Promise<StreamView> {
  const [view] = await readViews(scope, id);
  if (!view) throw new AppError("not_found", "There is no such stream.");
  return view;
}
