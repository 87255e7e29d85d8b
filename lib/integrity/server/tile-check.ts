import { perfectRoot } from "@/lib/chain/merkle";
import { TILE_WIDTH } from "@/lib/chain/server/tiles";
import { HASH_BYTES } from "@/lib/chain/sha256";
import type { FindingList } from "./findings";
import { bytes, type Snapshot } from "./snapshot";

interface Tile {
  data: Buffer;
  root: Buffer;
}

async function loadTiles(
  snapshot: Snapshot,
  level: number,
  indexes: number[],
): Promise<Map<number, Tile>> {
  const rows = await snapshot.query(
    "SELECT idx, data, root FROM tiles WHERE organization_id = $1 AND level = $2 AND idx = ANY($3)",
    level,
    indexes,
  );
  return new Map(
    rows.map(([idx, data, root]) => [
      Number(idx),
      { data: bytes(data as string), root: bytes(root as string) },
    ]),
  );
}

function hashAt({ data }: Tile, position: number): Buffer {
  return data.subarray(position * HASH_BYTES, (position + 1) * HASH_BYTES);
}

function hashesOf(tile: Tile): Buffer[] {
  return Array.from({ length: TILE_WIDTH }, (_, position) => hashAt(tile, position));
}

/** Leaves that rows gave. */
interface Collected {
  data: Buffer;
  present: Uint8Array;
  /** Of all leaves, where it is known. */
  root?: Buffer;
}

const ALL_PRESENT = new Uint8Array(TILE_WIDTH).fill(1);

/**
 * Compares the leaves that rows give with the leaves that Merkle tiles keep. A tile that its own root
 * contradicts, or that differs in the middle, was changed; tiles that differ from one leaf to the end say
 * that the rows were sealed anew from there.
 */
export class TileCheck {
  /** By tile, until the tile is complete. */
  readonly #collected = new Map<number, Collected>();
  #run: { from: number; to: number } | null = null;
  /** Read ahead, until they are compared. */
  readonly #tiles = new Map<number, Tile>();

  constructor(
    private readonly snapshot: Snapshot,
    private readonly findings: FindingList,
    /** Events below this are in a tile. */
    private readonly followed: number,
  ) {}

  add(seq: number, leaf: Buffer): void {
    const index = Math.floor(seq / TILE_WIDTH);
    let own = this.#collected.get(index);
    if (!own) {
      const data = Buffer.alloc(TILE_WIDTH * HASH_BYTES);
      own = { data, present: new Uint8Array(TILE_WIDTH) };
      this.#collected.set(index, own);
    }
    const at = seq % TILE_WIDTH;
    own.data.set(leaf, at * HASH_BYTES);
    own.present[at] = 1;
  }

  /** Adds the leaves of a whole tile, with their root. */
  addTile(index: number, leaves: Uint8Array, root: Buffer): void {
    this.#collected.set(index, { data: Buffer.from(leaves), present: ALL_PRESENT, root });
  }

  /** Reads the tiles that hold these numbers, for looking leaf hashes up as they are stored. */
  async lookUp(seqs: number[]): Promise<(seq: number) => Buffer | undefined> {
    const indexes = new Set(seqs.map((seq) => Math.floor(Math.max(0, seq) / TILE_WIDTH)));
    const tiles = await loadTiles(this.snapshot, 0, [...indexes]);
    return (seq) => {
      const tile = tiles.get(Math.floor(seq / TILE_WIDTH));
      return tile && hashAt(tile, seq % TILE_WIDTH);
    };
  }

  /** Reads the tiles that hold leaves from ≤ i < to. */
  async readAhead(from: number, to: number): Promise<void> {
    const first = Math.floor(from / TILE_WIDTH);
    const count = Math.ceil(to / TILE_WIDTH) - first;
    const indexes = Array.from({ length: count }, (_, at) => first + at);
    for (const [index, tile] of await loadTiles(this.snapshot, 0, indexes))
      this.#tiles.set(index, tile);
  }

  /** Compares every tile whose leaves all lie below `end`. */
  async check(end: number): Promise<void> {
    const indexes = [...this.#collected.keys()]
      .filter((index) => (index + 1) * TILE_WIDTH <= end)
      .sort((left, right) => left - right);
    // Renumbered rows belong to other tiles than those that were read ahead.
    const other = indexes.filter((index) => !this.#tiles.has(index));
    const tiles = other.length > 0 ? await loadTiles(this.snapshot, 0, other) : this.#tiles;
    for (const index of indexes) {
      this.#compare(index, this.#tiles.get(index) ?? tiles.get(index));
      this.#tiles.delete(index);
    }
  }

  #compare(index: number, tile: Tile | undefined): void {
    const start = index * TILE_WIDTH;
    const own = this.#collected.get(index);
    this.#collected.delete(index);
    if (!own) return;
    if (!tile) {
      if (start + TILE_WIDTH <= this.followed) this.#tampered(start, "a Merkle tile is missing");
      return;
    }
    if (tile.data.length !== own.data.length) {
      this.#tampered(start, `a Merkle tile has ${tile.data.length} bytes`);
      return;
    }
    if (!own.present.includes(0) && own.data.equals(tile.data)) {
      if ((own.root ?? perfectRoot(own.data)).equals(tile.root)) {
        this.#endRun();
        return;
      }
    }
    const differs = Array.from(own.present, (present, at) => {
      const from = at * HASH_BYTES;
      return (
        present === 1 &&
        tile.data.compare(own.data, from, from + HASH_BYTES, from, from + HASH_BYTES) !== 0
      );
    });
    if (!this.#hasOwnRoot(tile)) {
      const count = differs.filter(Boolean).length;
      const first = Math.max(0, differs.indexOf(true));
      this.#tampered(
        start + first,
        count > 0
          ? `${count} cached leaf hash(es) differ; the rows agree with each other`
          : "a Merkle tile's root is not its leaves'",
      );
      return;
    }
    differs.forEach((different, at) => {
      if (different) {
        this.#run ??= { from: start + at, to: start + at };
        this.#run.to = start + at;
      } else if (own.present[at] === 1) {
        this.#endRun();
      }
    });
  }

  #hasOwnRoot(tile: Tile): boolean {
    return perfectRoot(tile.data).equals(tile.root);
  }

  /** The tile agrees again: either it was changed here, or a stretch of rows was, together with its hashes. */
  #endRun(): void {
    if (!this.#run) return;
    const { from, to } = this.#run;
    this.#run = null;
    if (this.findings.breaksAt(from)) return;
    const count = to - from + 1;
    if (this.findings.breaksWithin(from, to + 1)) {
      const detail = `${count} row(s) were changed together with their chain hashes`;
      this.findings.add({ kind: "history_rewritten", seq: from, detail });
    } else {
      this.#tampered(from, `${count} cached leaf hash(es) differ; the rows agree with each other`);
    }
  }

  #tampered(seq: number, detail: string): void {
    this.findings.add({ kind: "merkle_cache_tampered", seq, detail });
  }

  /** After the last row: compares the tiles left, and those above the leaves that hold one from `from` on. */
  async finish(from: number): Promise<void> {
    await this.check(Number.POSITIVE_INFINITY);
    if (this.#run && !this.findings.breaksAt(this.#run.from)) {
      this.findings.add({
        kind: "history_rewritten",
        seq: this.#run.from,
        detail: `self-consistent rows disagree with the Merkle tiles; the first changed row is ${this.#run.from}`,
      });
    }
    let width = TILE_WIDTH;
    for (let level = 1; width <= this.followed / TILE_WIDTH; level += 1) {
      width *= TILE_WIDTH;
      await this.#checkLevel(level, width, from);
    }
  }

  /** Tiles of a level hold the roots of the level below; one such tile spans `width` events. */
  async #checkLevel(level: number, width: number, from: number): Promise<void> {
    const count = Math.floor(this.followed / width);
    const childWidth = width / TILE_WIDTH;
    for (let index = Math.floor(from / width); index < count; index += 1) {
      const tile = (await loadTiles(this.snapshot, level, [index])).get(index);
      if (!tile) {
        this.#tampered(index * width, "a Merkle tile is missing");
        continue;
      }
      if (tile.data.length !== TILE_WIDTH * HASH_BYTES) {
        this.#tampered(index * width, `a Merkle tile has ${tile.data.length} bytes`);
        continue;
      }
      const roots = await this.snapshot.query(
        "SELECT root FROM tiles WHERE organization_id = $1 AND level = $2 AND idx >= $3 AND idx < $4 ORDER BY idx",
        level - 1,
        index * TILE_WIDTH,
        (index + 1) * TILE_WIDTH,
      );
      const wrong = hashesOf(tile).findIndex(
        (hash, at) => !roots[at] || !hash.equals(bytes(roots[at][0] as string)),
      );
      if (wrong >= 0) {
        this.#tampered(index * width + wrong * childWidth, "a cached subtree root differs");
      } else if (!this.#hasOwnRoot(tile)) {
        this.#tampered(index * width, "a Merkle tile's root is not its nodes'");
      }
    }
  }
}
