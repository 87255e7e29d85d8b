import type { Scope } from "@/lib/auth/scope";
import { parseCheckpoint } from "@/lib/chain/checkpoint";
import {
  consistencyRanges,
  inclusionRanges,
  type LeafRange,
  merkleRoot,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from "@/lib/chain/merkle";
import { readLeaves, TILE_WIDTH } from "@/lib/chain/server/tiles";
import { HASH_BYTES } from "@/lib/chain/sha256";
import { formatTlogProof } from "@/lib/chain/tlog-proof";
import { translated } from "@/lib/db/explain";
import { readPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";

/** Proofs of RFC 6962, made of tiles and of the newest leaves. */

interface StoredNote {
  size: number;
  note: string;
}

/** Nodes of one log's tree; what several of a proof's hashes are made of is read once. */
export class TreeReader {
  readonly #tails = new Map<number, Promise<Map<number, Buffer>>>();
  readonly #roots = new Map<string, Promise<Map<number, Buffer>>>();
  /** Neighbours' proofs share most of their subtrees. */
  readonly #subtrees = new Map<string, Promise<Buffer>>();

  constructor(private readonly scope: Scope) {}

  /** The root over a range of leaves that starts where a perfect subtree of its largest power of two does. */
  async rangeRoot({ start, end }: LeafRange): Promise<Buffer> {
    const roots: Buffer[] = [];
    for (let at = start; at < end; ) {
      const width = 2 ** Math.floor(Math.log2(end - at));
      roots.push(await this.#perfectRoot(at, width));
      at += width;
    }
    return roots.reduceRight((right, left) => nodeHash(left, right));
  }

  async rangeRoots(ranges: LeafRange[]): Promise<Buffer[]> {
    const hashes: Buffer[] = [];
    for (const range of ranges) hashes.push(await this.rangeRoot(range));
    return hashes;
  }

  async leaf(index: number): Promise<Buffer | undefined> {
    return (await this.#leavesOf(index, index + 1))[0];
  }

  /** @param width a power of two that divides `start` */
  #perfectRoot(start: number, width: number): Promise<Buffer> {
    return kept(this.#subtrees, `${start}/${width}`, () => this.#readRoot(start, width));
  }

  async #readRoot(start: number, width: number): Promise<Buffer> {
    if (width < TILE_WIDTH) return merkleRoot(await this.#leavesOf(start, start + width));
    const level = Math.floor(Math.log2(width) / 8);
    const span = TILE_WIDTH ** level;
    const [first, count] = [start / span, width / span];
    const stored = await this.#rootsAround(level - 1, first);
    const roots = Array.from({ length: count }, (_, at) => stored.get(first + at));
    if (roots.every((root) => root !== undefined)) return merkleRoot(roots);
    // The follower has not come so far.
    const half = width / 2;
    return nodeHash(
      await this.#perfectRoot(start, half),
      await this.#perfectRoot(start + half, half),
    );
  }

  /** The roots of the tiles that share their parent tile with this one. */
  #rootsAround(level: number, index: number): Promise<Map<number, Buffer>> {
    const parent = Math.floor(index / TILE_WIDTH);
    return kept(this.#roots, `${level}/${parent}`, async () => {
      const { rows } = await readPool().query<{ idx: number; root: Buffer }>(
        "SELECT idx, root FROM tiles WHERE organization_id = $1 AND level = $2 AND idx >= $3 AND idx < $4",
        [this.scope.organizationId, level, parent * TILE_WIDTH, (parent + 1) * TILE_WIDTH],
      );
      return new Map(rows.map(({ idx, root }) => [Number(idx), root]));
    });
  }

  /** Fewer than a tile's, and all within one. */
  async #leavesOf(start: number, end: number): Promise<Buffer[]> {
    const index = Math.floor(start / TILE_WIDTH);
    const leaves = await kept(this.#tails, index, () => this.#readLeaves(index));
    const found = Array.from({ length: end - start }, (_, at) => leaves.get(start + at));
    if (!found.every((leaf) => leaf !== undefined)) throw broken();
    return found;
  }

  /** Of the tile where there is one, since it outlives its events; otherwise of the events. */
  async #readLeaves(index: number): Promise<Map<number, Buffer>> {
    const { organizationId } = this.scope;
    const first = index * TILE_WIDTH;
    const tile = await readPool().query<{ data: Buffer }>(
      "SELECT data FROM tiles WHERE organization_id = $1 AND level = 0 AND idx = $2",
      [organizationId, index],
    );
    const data = tile.rows[0]?.data;
    if (data)
      return new Map(
        Array.from({ length: TILE_WIDTH }, (_, at) => [
          first + at,
          data.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
        ]),
      );
    const rows = await readLeaves(readPool(), organizationId, first, first + TILE_WIDTH);
    return new Map(rows.map(({ seq, chain_hash }) => [Number(seq), chain_hash]));
  }
}

/** What is under a key, made the first time it is asked for. */
function kept<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}

const broken = () =>
  new AppError(
    "conflict",
    "What is stored does not lead to the signed checkpoint: run a verification, it names the damage.",
  );

async function readNote(
  { organizationId }: Scope,
  condition: string,
  value: number,
): Promise<StoredNote | null> {
  const { rows } = await readPool().query<{ tree_size: number; note: string }>(
    `SELECT c.tree_size, c.note FROM checkpoints c
     JOIN log_heads h ON h.organization_id = c.organization_id AND h.origin = c.origin
     WHERE c.organization_id = $1 AND ${condition}`,
    [organizationId, value],
  );
  return rows[0] ? { size: Number(rows[0].tree_size), note: rows[0].note } : null;
}

const rootOf = ({ note }: StoredNote) =>
  parseCheckpoint(note.slice(0, note.lastIndexOf("\n\n") + 1)).root;

/**
 * Why an event is in the log: a C2SP tlog-proof up to the first checkpoint that covers it, so that the same
 * event has the same proof for ever.
 * @param size of the checkpoint to lead to, where another is wanted
 * @returns null while no checkpoint covers it
 * @throws AppError conflict when what is stored does not lead there; not_found for a checkpoint that there is not
 */
export async function proveEvent(scope: Scope, seq: number, size?: number): Promise<string | null> {
  return translated(async () => {
    const stored =
      size === undefined
        ? await readNote(scope, "c.tree_size > $2 ORDER BY c.tree_size LIMIT 1", seq)
        : await readNote(scope, "c.tree_size = $2", size);
    if (!stored) {
      if (size === undefined) return null;
      throw new AppError("not_found", `There is no checkpoint of ${size} events.`);
    }
    if (seq >= stored.size)
      throw new AppError("not_found", `The checkpoint of ${stored.size} events does not cover it.`);
    const tree = new TreeReader(scope);
    const hashes = await tree.rangeRoots(inclusionRanges(seq, stored.size));
    const leaf = await tree.leaf(seq);
    if (!leaf || !verifyInclusion(leaf, seq, stored.size, hashes, rootOf(stored))) throw broken();
    return formatTlogProof({ index: seq, hashes, note: stored.note });
  });
}

/**
 * That one checkpoint extends another.
 * @throws AppError as proveEvent
 */
export async function proveConsistency(
  scope: Scope,
  oldSize: number,
  newSize: number,
): Promise<{ old: string; new: string; hashes: Buffer[] }> {
  return translated(async () => {
    const [older, newer] = await Promise.all(
      [oldSize, newSize].map((size) => readNote(scope, "c.tree_size = $2", size)),
    );
    if (!older || !newer)
      throw new AppError(
        "not_found",
        `There is no checkpoint of ${older ? newSize : oldSize} events.`,
      );
    if (oldSize > newSize)
      throw new AppError("invalid_request", "A log only grows: the old size is the smaller one.");
    const hashes = await new TreeReader(scope).rangeRoots(consistencyRanges(oldSize, newSize));
    if (!verifyConsistency(oldSize, newSize, hashes, rootOf(older), rootOf(newer))) throw broken();
    return { old: older.note, new: newer.note, hashes };
  });
}

/** Checkpoints of this log, largest first. */
export async function listCheckpoints(
  { organizationId }: Scope,
  { before = Number.MAX_SAFE_INTEGER, limit }: { before?: number; limit: number },
): Promise<(StoredNote & { createdAt: string })[]> {
  const { rows } = await translated(() =>
    readPool().query<{ tree_size: number; note: string; created_at: Date }>(
      `SELECT c.tree_size, c.note, c.created_at FROM checkpoints c
       JOIN log_heads h ON h.organization_id = c.organization_id AND h.origin = c.origin
       WHERE c.organization_id = $1 AND c.tree_size < $2 ORDER BY c.tree_size DESC LIMIT $3`,
      [organizationId, before, limit],
    ),
  );
  return rows.map(({ tree_size, note, created_at }) => ({
    size: Number(tree_size),
    note,
    createdAt: created_at.toISOString(),
  }));
}
