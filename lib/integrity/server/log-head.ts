import { genesisHash } from "@/lib/chain/event-hash";
import { getEnv } from "@/lib/env";
import { rowHolds } from "../classify";
import type { Finding } from "../schema";
import type { Trust } from "./checkpoint-check";
import type { Epochs } from "./epochs";
import { sealedRows } from "./sealed-rows";
import { bytes, isoTime, type Snapshot } from "./snapshot";

const PROBE = 3;

export interface Head {
  origin: string;
  nextSeq: number;
  hash: Buffer;
  lastRecordedAt: string | null;
  firstSeq: number;
}

/** The lowest and the highest sequence number that rows have. */
export interface Bounds {
  min: number;
  max: number;
}

/** @param from the lowest number that counts; null: no row has one */
export async function readBounds(snapshot: Snapshot, from?: number): Promise<Bounds | null> {
  const [row] = await snapshot.query(
    "SELECT min(seq), max(seq) FROM events WHERE organization_id = $1 AND seq BETWEEN $2 AND $3",
    ...[from ?? Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  );
  return row?.[0] ? { min: Number(row[0]), max: Number(row[1]) } : null;
}

/**
 * A row at a number that JavaScript cannot count to; bigint goes on, and no log is as long. Two look-ups by key, since
 * one for both would read every number of the log.
 */
export async function findFarRow(snapshot: Snapshot): Promise<Finding | null> {
  const far = (where: string) =>
    `(SELECT seq FROM events WHERE organization_id = $1 AND ${where} LIMIT 1)`;
  const [row] = await snapshot.query(
    `${far("seq < $2")} UNION ALL ${far("seq > $3")}`,
    ...[Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  );
  if (!row) return null;
  const detail = `a row at ${row[0]}, far from every number of the log`;
  return { kind: "inserted_row", seq: Number(row[0]), detail };
}

export async function loadHead(snapshot: Snapshot): Promise<Head | null> {
  const [row] = await snapshot.query(
    `SELECT origin, next_seq, head_hash, last_recorded_at, first_seq FROM log_heads
     WHERE organization_id = $1`,
  );
  if (!row) return null;
  const [origin, nextSeq, hash, lastRecordedAt, firstSeq] = row;
  return {
    origin: origin as string,
    nextSeq: Number(nextSeq),
    hash: bytes(hash as string),
    lastRecordedAt: lastRecordedAt ? isoTime(lastRecordedAt) : null,
    firstSeq: Number(firstSeq),
  };
}

/**
 * What is wrong with a log's origin: it is not this organization's, or not the one that was trusted; or one
 * that this instance does not give, under which no row that is looked at holds. (Under the instance's own
 * origin that would be edited rows.) Null: nothing.
 */
export async function otherOrigin(
  snapshot: Snapshot,
  epochs: Epochs,
  trust: Trust | null,
  bounds: Bounds | null,
): Promise<string | null> {
  const { organizationId } = snapshot;
  const { origin, number } = epochs.current;
  if (epochs.problem) return epochs.problem;
  const first = epochs.originAt(0);
  if (!first.endsWith(`/${organizationId}`)) return origin;
  if (trust?.origins && !trust.origins.includes(origin))
    return number > 1 && trust.origins.some((known) => epochs.of(known))
      ? `the log is in epoch ${number}, ${origin}: give the key under that name too`
      : origin;
  if (trust?.signedOrigin && trust.signedOrigin !== origin)
    return `the log goes on as ${origin}, and the signer signed ${trust.signedOrigin}: nobody confirmed a new epoch`;
  if (trust?.origins) return null;
  const prefix = first.slice(0, -organizationId.length - 1);
  if (!bounds || (await ownPrefixes(snapshot)).includes(prefix)) return null;
  let compared = 0;
  for (const from of [bounds.min, bounds.max - PROBE]) {
    const rows = await sealedRows(snapshot, from, from + PROBE + 1);
    for (const [at, row] of rows.entries()) {
      const previous = row.seq === 0 ? genesisHash(first) : rows[at - 1]?.stored;
      if (!previous) continue;
      if (rowHolds(epochs.originAt, row, row.seq, previous)) return null;
      compared += 1;
    }
  }
  return compared > 1 ? origin : null;
}

async function ownPrefixes(snapshot: Snapshot): Promise<(string | undefined)[]> {
  const rows = await snapshot.query("SELECT value #>> '{}' FROM settings WHERE key = 'log_prefix'");
  return [getEnv().TRAILSEAL_LOG_PREFIX, rows[0]?.[0] ?? undefined];
}
