import { canonicalize } from "@/lib/chain/canonical";
import { type Commitments, eventDigest, type SealedContent } from "@/lib/chain/event-hash";
import type { LeafRow } from "../classify";
import { bytes, isoTime, type RawRow, type Snapshot } from "./snapshot";

/** An event as its columns show it, with the digest recomputed from them. */
export interface SealedRow extends LeafRow {
  id: string;
  action: string;
  /** Normalised, as hashed. */
  occurredAt: string;
  content: SealedContent;
  erased: Commitments | null;
  ip: string | null;
  /** A generated column that differs from its document; null when all agree. */
  wrongProjection: string | null;
}

// The generated columns are compared where they were generated, with the very operator that made them, byte by byte
// whatever collation a column was given.
const COLUMNS = `SELECT seq, recorded_at, occurred_at, version, id, action,
  actor, targets, context, metadata, salts, erased, chain_hash, ip,
  CASE WHEN actor_id::text COLLATE "C" IS DISTINCT FROM actor ->> 'id' THEN 'actor_id'
    WHEN actor_type::text COLLATE "C" IS DISTINCT FROM actor ->> 'type' THEN 'actor_type'
    WHEN actor_name::text COLLATE "C" IS DISTINCT FROM actor ->> 'name' THEN 'actor_name'
    WHEN location::text COLLATE "C" IS DISTINCT FROM context ->> 'location' THEN 'location' END
  FROM events`;
const SELECT_ROWS = `${COLUMNS}
  WHERE organization_id = $1 AND seq >= $2 AND seq < $3 ORDER BY seq, recorded_at`;
const SELECT_ROWS_AT = `${COLUMNS} WHERE organization_id = $1 AND seq = ANY($2)`;
const SELECT_ROW = `${COLUMNS} WHERE organization_id = $1 AND seq = $2 AND recorded_at = $3`;

/** The columns of a row, by their places. */
export const FIELDS = {
  seq: 0,
  recordedAt: 1,
  occurredAt: 2,
  version: 3,
  id: 4,
  action: 5,
  actor: 6,
  targets: 7,
  context: 8,
  metadata: 9,
  salts: 10,
  erased: 11,
  chainHash: 12,
  ip: 13,
  wrongProjection: 14,
};

const TYPES = {
  ...{ seq: "bigint", version: "integer", id: "text", action: "text" },
  ...{ recorded_at: "timestamp with time zone", occurred_at: "timestamp with time zone" },
  ...{ actor: "jsonb", targets: "jsonb", context: "jsonb", metadata: "jsonb", erased: "jsonb" },
  ...{ salts: "bytea", chain_hash: "bytea", ip: "inet" },
};

/** Whether the columns have the types that they were made with: bytes of others would say something else. */
export async function hasKnownTypes(snapshot: Snapshot): Promise<boolean> {
  const rows = await snapshot.query(
    `SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
     WHERE attrelid = 'events'::regclass AND attnum > 0`,
  );
  const types = new Map(rows as [string, string][]);
  return Object.entries(TYPES).every(([column, type]) => types.get(column) === type);
}

/** Reads the same rows as `selectRows`, in COPY's binary format, which `hasKnownTypes` must allow. */
export function copyRows(
  snapshot: Snapshot,
  from: number,
  to: number,
  take: (chunk: Buffer) => void,
): Promise<void> {
  return snapshot.copy(SELECT_ROWS, [from, to], take);
}

/** Rows with from ≤ seq < to, all of them, also those that share a sequence number. */
export function selectRows(snapshot: Snapshot, from: number, to: number): Promise<RawRow[]> {
  return snapshot.query(SELECT_ROWS, from, to);
}

/** The row of a number, looked for where it was recorded. */
export async function selectRow(
  snapshot: Snapshot,
  seq: number,
  recordedAt: string,
): Promise<RawRow | undefined> {
  return (await snapshot.query(SELECT_ROW, seq, recordedAt))[0];
}

/** The rows of these numbers. */
export function selectRowsAt(snapshot: Snapshot, seqs: number[]): Promise<RawRow[]> {
  return snapshot.query(SELECT_ROWS_AT, seqs);
}

const parsed = (text: string | null | undefined) => (text ? JSON.parse(text) : null);

const MOST_ACTORS = 10_000;

/** Actors come again and again (the other documents seldom do): each is parsed once while it is among the last. */
const actors = new Map<string, object>();
const canonicalActors = new Map<object, string>();

function actorOf(text: string | null | undefined): object | null {
  if (!text) return null;
  const known = actors.get(text);
  if (known) return known;
  const actor = JSON.parse(text);
  if (typeof actor !== "object" || actor === null) return actor;
  if (actors.size >= MOST_ACTORS) {
    actors.clear();
    canonicalActors.clear();
  }
  actors.set(text, actor);
  try {
    canonicalActors.set(actor, canonicalize(actor));
  } catch {
    // It cannot have been sealed: its row's digest says so.
  }
  return actor;
}

function canonicalOf(value: object): string {
  return canonicalActors.get(value) ?? canonicalize(value);
}

export function sealRow(organizationId: string, row: RawRow): SealedRow {
  const [seq, recordedAt, occurredAt, version, id, action] = row as string[];
  const content = {
    id: id as string,
    organization_id: organizationId,
    action: action as string,
    version: Number(version),
    occurred_at: isoTime(occurredAt ?? ""),
    actor: actorOf(row[6]),
    targets: parsed(row[7]),
    context: parsed(row[8]),
    metadata: parsed(row[9]),
  };
  const erased = parsed(row[11]) as Commitments | null;
  return {
    seq: Number(seq),
    recordedAt: isoTime(recordedAt as string),
    digest: digestOf(content, bytes(row[10]), erased),
    stored: bytes(row[12]),
    id: content.id,
    action: content.action,
    occurredAt: content.occurred_at,
    content,
    erased,
    ip: row[13] as string | null,
    wrongProjection: row[14] as string | null,
  };
}

export async function sealedRows(
  snapshot: Snapshot,
  from: number,
  to: number,
): Promise<SealedRow[]> {
  const rows = await selectRows(snapshot, from, to);
  return rows.map((row) => sealRow(snapshot.organizationId, row));
}

/** null when the columns hold what no sealed event can: the row then matches no hash. */
function digestOf(
  content: SealedContent,
  salts: Buffer,
  erased: Commitments | null,
): Buffer | null {
  try {
    return Array.isArray(content.targets) ? eventDigest(content, salts, erased, canonicalOf) : null;
  } catch {
    return null;
  }
}
