import { writePool } from "@/lib/db/pool";
import { newId } from "@/lib/ids";
import type { StreamEvent } from "../destination";
import type { Lease } from "./lease";

/**
 * Checkpoints go where the events go, so that the receiver is a witness: it holds what the log was signed as. A stream
 * that has nothing to say repeats the newest now and then: silence means trouble.
 */

const BETWEEN_CHECKPOINTS_MS = 60_000;
const MINUTE_MS = 60_000;
/** What a metadata value may hold. */
const VALUE_LENGTH = 500;

export interface CheckpointItem {
  item: StreamEvent;
  /** Part of the delivery id. */
  name: string;
  /** Checkpoints up to this size need not be sent any more. */
  size: number;
}

interface Checkpoint {
  origin: string;
  tree_size: number;
  root: Buffer;
  note: string;
}

/** What a live lane has to say besides events, now; null: nothing. */
export async function dueCheckpoint(
  lease: Lease,
  heartbeatMinutes: number,
): Promise<CheckpointItem | null> {
  if (lease.kind !== "live" || lease.inflightToSeq !== null) return null;
  // A receiver that fails on these gets its events all the same.
  if (lease.failures > 0 && lease.cursorSeq < lease.nextSeq) return null;
  const now = lease.now.getTime();
  const sentMs = lease.checkpointSentAt?.getTime() ?? 0;
  const isFresh = lease.checkpointSize < lease.cursorSeq && now - sentMs >= BETWEEN_CHECKPOINTS_MS;
  const quietMs = now - Math.max(lease.lastSentAt.getTime(), sentMs);
  const isQuiet = heartbeatMinutes > 0 && quietMs >= heartbeatMinutes * MINUTE_MS;
  if (!isFresh && !isQuiet) return null;
  const checkpoint = await newestCheckpoint(lease);
  const isNew = checkpoint !== null && checkpoint.tree_size > lease.checkpointSize;
  if (!isNew && !isQuiet) return null;
  const size = checkpoint?.tree_size ?? 0;
  const name = isNew ? `checkpoint-${size}` : `heartbeat-${Math.floor(now / 1_000)}`;
  return { item: toItem(lease, checkpoint, !isNew), name, size };
}

/** The newest that covers nothing which the lane has not sent. */
async function newestCheckpoint(lease: Lease): Promise<Checkpoint | null> {
  const { rows } = await writePool().query<Checkpoint>(
    `SELECT c.origin, c.tree_size, c.root, c.note FROM log_heads h
     JOIN checkpoints c ON c.organization_id = h.organization_id AND c.origin = h.origin
     WHERE h.organization_id = $1 AND c.tree_size <= $2 ORDER BY c.tree_size DESC LIMIT 1`,
    [lease.organizationId, lease.cursorSeq],
  );
  return rows[0] ?? null;
}

function toItem(lease: Lease, checkpoint: Checkpoint | null, isHeartbeat: boolean): StreamEvent {
  const at = lease.now.toISOString();
  return {
    kind: "checkpoint",
    seq: null,
    chainHash: null,
    previousHash: null,
    recordedAt: at,
    event: {
      id: newId("event"),
      organization_id: lease.organizationId,
      action: checkpoint ? "trailseal.checkpoint" : "trailseal.heartbeat",
      version: 1,
      occurred_at: at,
      actor: { type: "system", id: "trailseal", name: "Trailseal" },
      targets: [{ type: "log", id: checkpoint?.origin ?? lease.organizationId }],
      metadata: {
        cursor: String(lease.cursorSeq),
        ...(checkpoint
          ? { size: String(checkpoint.tree_size), root: checkpoint.root.toString("hex") }
          : {}),
        ...(checkpoint ? notePieces(checkpoint.note) : {}),
        ...(isHeartbeat ? { heartbeat: "true" } : {}),
      },
    },
  };
}

/** The note in as many values as it takes: `note`, `note_2`… joined they are the note again. */
function notePieces(note: string): Record<string, string> {
  const count = Math.ceil(note.length / VALUE_LENGTH);
  return Object.fromEntries(
    Array.from({ length: count }, (_, at) => [
      at === 0 ? "note" : `note_${at + 1}`,
      note.slice(at * VALUE_LENGTH, (at + 1) * VALUE_LENGTH),
    ]),
  );
}
