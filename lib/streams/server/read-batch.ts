import { writePool } from "@/lib/db/pool";
import type { StreamEvent } from "../destination";
import { type OpenDestination, openDestination } from "../registry";
import type { Lease } from "./lease";
import { type StoredSecrets, storedSecretsSchema } from "./secrets";
import { parseDestination } from "./stream-rows";

interface EventRow {
  seq: number;
  recorded_at: Date;
  chain_hash: Buffer;
  id: string;
  action: string;
  version: number;
  occurred_at: Date;
  actor: unknown;
  targets: unknown[];
  context: unknown;
  metadata: unknown;
}

/** What an erased actor or target looks like at every exit (integrity spec, erasure). */
const ERASED = { type: "erased", id: "erased" };

function toStreamEvent(row: EventRow, organizationId: string): StreamEvent {
  return {
    seq: row.seq,
    chainHash: row.chain_hash.toString("hex"),
    recordedAt: row.recorded_at.toISOString(),
    event: {
      id: row.id,
      organization_id: organizationId,
      action: row.action,
      version: row.version,
      occurred_at: row.occurred_at.toISOString(),
      actor: row.actor ?? ERASED,
      targets: row.targets.map((target) => target ?? ERASED),
      ...(row.context === null ? {} : { context: row.context }),
      ...(row.metadata === null ? {} : { metadata: row.metadata }),
    },
  };
}

/** Events at the lease's cursor, ascending: the planned range, else at most `limit`. */
export async function readEvents(lease: Lease, limit: number): Promise<StreamEvent[]> {
  const { rows } = await writePool().query<EventRow>(
    `SELECT seq, recorded_at, chain_hash, id, action, version, occurred_at, actor, targets, context, metadata
     FROM events
     WHERE organization_id = $1 AND seq >= $2 AND ($3::bigint IS NULL OR seq < $3)
     ORDER BY seq LIMIT $4`,
    [lease.organizationId, lease.cursorSeq, lease.inflightToSeq, limit],
  );
  return rows.map((row) => toStreamEvent(row, lease.organizationId));
}

/** First sequence that is not appended yet. */
export async function readHead(organizationId: string): Promise<number> {
  const { rows } = await writePool().query<{ next_seq: number }>(
    "SELECT next_seq FROM log_heads WHERE organization_id = $1",
    [organizationId],
  );
  return rows[0]?.next_seq ?? 0;
}

export interface LoadedStream {
  destination: OpenDestination;
  secrets: StoredSecrets;
}

/** Configuration as saved now; null when the stream was deleted. */
export async function loadStream(lease: Lease): Promise<LoadedStream | null> {
  const { rows } = await writePool().query<{
    destination: string;
    config: unknown;
    secrets: unknown;
  }>(
    `SELECT destination, config, secrets FROM streams
     WHERE organization_id = $1 AND id = $2 AND deleted_at IS NULL`,
    [lease.organizationId, lease.streamId],
  );
  const row = rows[0];
  if (!row) return null;
  return {
    destination: openDestination(parseDestination(row.destination), row.config),
    secrets: storedSecretsSchema.parse(row.secrets),
  };
}
