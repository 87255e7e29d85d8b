import { genesisHash } from "@/lib/chain/event-hash";
import { getEnv } from "@/lib/env";
import { rowHolds } from "../classify";
import type { Trust } from "./checkpoint-check";
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
 * An origin that is not this organization's; or one that this instance does not give, under which no row
 * that is looked at holds. (Under the instance's own origin that would be edited rows.)
 */
export async function isOtherOrigin(
  snapshot: Snapshot,
  origin: string,
  trust: Trust | null,
  bounds: Bounds | null,
): Promise<boolean> {
  const { organizationId } = snapshot;
  if (!origin.endsWith(`/${organizationId}`)) return true;
  if (trust?.origin) return origin !== trust.origin;
  const prefix = origin.slice(0, -organizationId.length - 1);
  if (!bounds || (await ownPrefixes(snapshot)).includes(prefix)) return false;
  let compared = 0;
  for (const from of [bounds.min, bounds.max - PROBE]) {
    const rows = await sealedRows(snapshot, from, from + PROBE + 1);
    for (const [at, row] of rows.entries()) {
      const previous = row.seq === 0 ? genesisHash(origin) : rows[at - 1]?.stored;
      if (!previous) continue;
      if (rowHolds(origin, row, row.seq, previous)) return false;
      compared += 1;
    }
  }
  return compared > 1;
}

async function ownPrefixes(snapshot: Snapshot): Promise<(string | undefined)[]> {
  const rows = await snapshot.query("SELECT value #>> '{}' FROM settings WHERE key = 'log_prefix'");
  return [getEnv().TRAILSEAL_LOG_PREFIX, rows[0]?.[0] ?? undefined];
}
