import { type Commitments, eventDigest, type SealedContent } from "@/lib/chain/event-hash";
import type { LeafRow } from "../classify";
import { bytes, isoTime, type RawRow, type Snapshot } from "./snapshot";

/** An event as its columns show it, with the digest recomputed from them. */
export interface SealedRow extends LeafRow {
  id: string;
  action: string;
  /** Normalised, as hashed. */
  occurredAt: string;
  /** As the server writes it. */
  rawOccurredAt: string;
  rawRecordedAt: string;
  content: SealedContent;
  erased: Commitments | null;
  ip: string | null;
  /** A generated column that differs from its document; null when all agree. */
  wrongProjection: string | null;
}

// The generated columns are compared where they were generated, with the very operator that made them.
const SELECT_ROWS = `SELECT seq, recorded_at, occurred_at, version, id, action,
  actor, targets, context, metadata, salts, erased, chain_hash, ip,
  CASE WHEN actor_id IS DISTINCT FROM actor ->> 'id' THEN 'actor_id'
    WHEN actor_type IS DISTINCT FROM actor ->> 'type' THEN 'actor_type'
    WHEN actor_name IS DISTINCT FROM actor ->> 'name' THEN 'actor_name'
    WHEN location IS DISTINCT FROM context ->> 'location' THEN 'location' END
  FROM events WHERE organization_id = $1 AND seq >= $2 AND seq < $3 ORDER BY seq, recorded_at`;

/** Rows with from ≤ seq < to, all of them, also those that share a sequence number. */
export function selectRows(snapshot: Snapshot, from: number, to: number): Promise<RawRow[]> {
  return snapshot.query(SELECT_ROWS, from, to);
}

const parsed = (text: string | null | undefined) => (text ? JSON.parse(text) : null);

export function sealRow(organizationId: string, row: RawRow): SealedRow {
  const [seq, recordedAt, occurredAt, version, id, action] = row as string[];
  const content = {
    id: id as string,
    organization_id: organizationId,
    action: action as string,
    version: Number(version),
    occurred_at: isoTime(occurredAt as string),
    actor: parsed(row[6]),
    targets: parsed(row[7]),
    context: parsed(row[8]),
    metadata: parsed(row[9]),
  };
  const erased = parsed(row[11]) as Commitments | null;
  return {
    seq: Number(seq),
    recordedAt: isoTime(recordedAt as string),
    digest: digestOf(content, bytes(row[10] as string), erased),
    stored: bytes(row[12] as string),
    id: content.id,
    action: content.action,
    occurredAt: content.occurred_at,
    rawOccurredAt: occurredAt as string,
    rawRecordedAt: recordedAt as string,
    content,
    erased,
    ip: row[13] as string | null,
    wrongProjection: row[14] as string | null,
  };
}

/** null when the columns hold what no sealed event can: the row then matches no hash. */
function digestOf(
  content: SealedContent,
  salts: Buffer,
  erased: Commitments | null,
): Buffer | null {
  try {
    return Array.isArray(content.targets) ? eventDigest(content, salts, erased) : null;
  } catch {
    return null;
  }
}
