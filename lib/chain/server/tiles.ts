import type pg from "pg";
import { inTransaction, longPool } from "@/lib/db/pool";
import { merkleRoot } from "../merkle";
import { HASH_BYTES } from "../sha256";

export const TILE_WIDTH = 256;
const TILES_PER_TRANSACTION = 16;

/**
 * Writes the full 256-wide Merkle tiles (C2SP tlog-tiles) of a log up to its head, level by level, each with
 * its root. Safe beside another follower of the same log: each transaction holds the cursor's row.
 *
 * A missing row stops it: verification names the damage, and tiles written past it would hide it.
 * @returns how many events became part of a tile.
 */
export async function followTiles(organizationId: string): Promise<number> {
  await longPool().query(
    "INSERT INTO followers (organization_id, name) VALUES ($1, 'tiles') ON CONFLICT DO NOTHING",
    [organizationId],
  );
  let followed = 0;
  for (;;) {
    const step = await inTransaction(longPool(), (client) => writeTiles(client, organizationId));
    if (step === 0) return followed;
    followed += step;
  }
}

/** One step of followTiles, in the caller's transaction. */
export async function writeTiles(client: pg.PoolClient, organizationId: string): Promise<number> {
  // The update changes nothing but takes the cursor's lock; FOR UPDATE would not survive a shard move.
  const cursor = await client.query<{ next_seq: number }>(
    `UPDATE followers SET next_seq = next_seq WHERE organization_id = $1 AND name = 'tiles'
     RETURNING next_seq`,
    [organizationId],
  );
  const head = await client.query<{ next_seq: number }>(
    "SELECT next_seq FROM log_heads WHERE organization_id = $1",
    [organizationId],
  );
  const from = cursor.rows[0]?.next_seq;
  const end = head.rows[0]?.next_seq;
  if (from === undefined || end === undefined) return 0;
  const whole = Math.floor(end / TILE_WIDTH) * TILE_WIDTH;
  const to = Math.min(whole, from + TILES_PER_TRANSACTION * TILE_WIDTH);
  if (to <= from) return 0;

  const leaves = unbroken(await readLeaves(client, organizationId, from, to), from);
  const complete = Math.floor(leaves.length / TILE_WIDTH) * TILE_WIDTH;
  if (complete === 0) return 0;
  for (let at = 0; at < complete; at += TILE_WIDTH) {
    const tile = leaves.slice(at, at + TILE_WIDTH);
    await storeTile(client, organizationId, 0, (from + at) / TILE_WIDTH, tile);
  }
  await client.query(
    "UPDATE followers SET next_seq = $2 WHERE organization_id = $1 AND name = 'tiles'",
    [organizationId, from + complete],
  );
  return complete;
}

interface Leaf {
  seq: number;
  chain_hash: Buffer;
}

/**
 * Leaf hashes with from ≤ seq < to, in order: of the events, and before those of the record of their pruning, which
 * keeps the leaves of a tile that was not full then.
 */
export async function readLeaves(
  db: pg.Pool | pg.PoolClient,
  organizationId: string,
  from: number,
  to: number,
): Promise<Leaf[]> {
  const { rows } = await db.query<Leaf>(
    `SELECT seq, chain_hash FROM events
     WHERE organization_id = $1 AND seq >= $2 AND seq < $3 ORDER BY seq`,
    [organizationId, from, to],
  );
  const lowest = rows[0]?.seq ?? to;
  if (lowest === from) return rows;
  const { rows: prunes } = await db.query<{ size: number; leaves: Buffer }>(
    `SELECT prune_size AS size, leaves FROM prunes WHERE organization_id = $1
     ORDER BY prune_size DESC LIMIT 1`,
    [organizationId],
  );
  const { size = 0, leaves = Buffer.alloc(0) } = prunes[0] ?? {};
  const first = size - leaves.length / HASH_BYTES;
  const pruned: Leaf[] = [];
  for (let seq = Math.max(from, first); seq < Math.min(size, lowest); seq += 1) {
    const at = (seq - first) * HASH_BYTES;
    pruned.push({ seq, chain_hash: leaves.subarray(at, at + HASH_BYTES) });
  }
  return [...pruned, ...rows];
}

/** Leaf hashes up to the first row that is missing, doubled or no hash. */
function unbroken(rows: Leaf[], from: number): Buffer[] {
  const broken = rows.findIndex(
    ({ seq, chain_hash }, at) => seq !== from + at || chain_hash.length !== HASH_BYTES,
  );
  return (broken < 0 ? rows : rows.slice(0, broken)).map(({ chain_hash }) => chain_hash);
}

/** Stores a tile, and the tile above it when this one fills it. */
async function storeTile(
  client: pg.PoolClient,
  organizationId: string,
  level: number,
  index: number,
  hashes: Buffer[],
): Promise<void> {
  await client.query(
    `INSERT INTO tiles (organization_id, level, idx, data, root) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT DO NOTHING`,
    [organizationId, level, index, Buffer.concat(hashes), merkleRoot(hashes)],
  );
  if (index % TILE_WIDTH !== TILE_WIDTH - 1) return;
  const parent = Math.floor(index / TILE_WIDTH);
  const below = await client.query<{ root: Buffer }>(
    `SELECT root FROM tiles WHERE organization_id = $1 AND level = $2 AND idx >= $3 AND idx <= $4
     ORDER BY idx`,
    [organizationId, level, parent * TILE_WIDTH, index],
  );
  if (below.rows.length !== TILE_WIDTH) return;
  const roots = below.rows.map(({ root }) => root);
  await storeTile(client, organizationId, level + 1, parent, roots);
}
