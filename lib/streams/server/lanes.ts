import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { readPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { newId } from "@/lib/ids";
import { lastErrorSchema, type StreamLane, type StreamState } from "../schema";
import { type BackfillInput, backfillSchema } from "../work-schema";
import { changeStream } from "./audit";
import { resolveRange } from "./ranges";

/** Jobs beside live delivery: a range sent once more, or what was set aside. */

const LANES_SHOWN = 50;
const MAX_OPEN = 5;

interface LaneRow {
  lane: string;
  kind: StreamLane["kind"];
  state: StreamState;
  from_seq: number;
  to_seq: number;
  cursor_seq: number;
  rate_per_second: number | null;
  delivered: number;
  last_error: unknown;
  created_by: string | null;
  created_at: Date;
  finished_at: Date | null;
}

function toLane(row: LaneRow): StreamLane {
  const isFinished = row.finished_at !== null && row.state !== "disabled";
  return {
    id: row.lane,
    kind: row.kind,
    state: isFinished ? "finished" : row.state,
    fromSeq: row.from_seq,
    toSeq: row.to_seq,
    cursorSeq: row.cursor_seq,
    ratePerSecond: row.rate_per_second,
    delivered: row.delivered,
    lastError: row.last_error === null ? null : lastErrorSchema.parse(row.last_error),
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
  };
}

const COLUMNS = `lane, kind, state, from_seq, to_seq, cursor_seq, rate_per_second, delivered, last_error,
  created_by, created_at, finished_at`;

/** A stream's jobs, newest first. One that was cancelled is disabled and has an end. */
export async function readLanes(
  { organizationId }: Scope,
  streamId: string,
): Promise<StreamLane[]> {
  const { rows } = await readPool().query<LaneRow>(
    `SELECT ${COLUMNS} FROM stream_state
     WHERE organization_id = $1 AND stream_id = $2 AND lane <> 'live'
     ORDER BY created_at DESC, lane DESC LIMIT $3`,
    [organizationId, streamId, LANES_SHOWN],
  );
  return rows.map(toLane);
}

export interface NewLane {
  lane: string;
  kind: StreamLane["kind"];
  fromSeq: number;
  toSeq: number;
  ratePerSecond: number | null;
}

/**
 * A job of a stream; it waits where the stream is paused.
 * @throws AppError conflict when too many are open
 */
export async function insertLane(
  client: pg.PoolClient,
  scope: Scope,
  streamId: string,
  lane: NewLane,
): Promise<StreamLane> {
  const { principal, organizationId } = scope;
  const { rows } = await client.query<LaneRow>(
    `INSERT INTO stream_state (organization_id, stream_id, lane, kind, state, cursor_seq, from_seq, to_seq,
       rate_per_second, created_by)
     SELECT t.organization_id, t.stream_id, $3, $4, CASE t.state WHEN 'paused' THEN 'paused' ELSE 'active' END,
       $5::bigint, $5::bigint, $6, $7, $8
     FROM stream_state t
     WHERE t.organization_id = $1 AND t.stream_id = $2 AND t.lane = 'live' AND (
       SELECT count(*) FROM stream_state o WHERE o.organization_id = $1 AND o.stream_id = $2
         AND o.lane <> 'live' AND o.finished_at IS NULL) < $9
     RETURNING ${COLUMNS}`,
    [
      ...[organizationId, streamId, lane.lane, lane.kind, lane.fromSeq, lane.toSeq],
      ...[lane.ratePerSecond, principal.kind === "user" ? principal.email : principal.kind],
      MAX_OPEN,
    ],
  );
  const [row] = rows;
  if (!row)
    throw new AppError(
      "conflict",
      `This stream has ${MAX_OPEN} jobs already. Wait for one to end, or cancel one.`,
    );
  return toLane(row);
}

/**
 * Sends a range once more, beside live delivery.
 * @throws AppError invalid_request for a range that is empty or not kept
 */
export async function startBackfill(scope: Scope, input: BackfillInput): Promise<StreamLane> {
  const { id, ratePerSecond, ...ends } = backfillSchema.parse(input);
  const { fromSeq, toSeq } = await resolveRange(scope, ends);
  return changeStream(scope, id, "backfill_started", async (client) => {
    const lane = newId("lane");
    const range = { lane, kind: "backfill" as const, fromSeq, toSeq, ratePerSecond };
    return {
      result: await insertLane(client, scope, id, range),
      metadata: {
        lane,
        from_seq: String(fromSeq),
        to_seq: String(toSeq),
        ...(ratePerSecond === null ? {} : { rate_per_second: String(ratePerSecond) }),
      },
    };
  });
}

/** Ends a job where it is. What it was to send again waits for another decision. */
export async function cancelLane(
  scope: Scope,
  { id, lane }: { id: string; lane: string },
): Promise<StreamLane> {
  return changeStream(scope, id, "lane_cancelled", async (client) => {
    const key = [scope.organizationId, id, lane];
    const { rows } = await client.query<LaneRow>(
      `UPDATE stream_state SET state = 'disabled', finished_at = now()
       WHERE organization_id = $1 AND stream_id = $2 AND lane = $3 AND lane <> 'live' AND finished_at IS NULL
       RETURNING ${COLUMNS}`,
      key,
    );
    const [row] = rows;
    if (!row) throw new AppError("not_found", "There is no such job, or it has ended.");
    await client.query(
      "UPDATE dead_letters SET lane = NULL WHERE organization_id = $1 AND stream_id = $2 AND lane = $3",
      key,
    );
    return { result: toLane(row), metadata: { lane, cursor_seq: String(row.cursor_seq) } };
  });
}
