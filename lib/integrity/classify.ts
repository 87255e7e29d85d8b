import { genesisHash, leafHash } from "@/lib/chain/event-hash";
import { HASH_BYTES } from "@/lib/chain/sha256";
import type { Finding } from "./schema";

/** What the chain needs of a row. */
export interface LeafRow {
  seq: number;
  recordedAt: string;
  /** Recomputed from the content; null when the content cannot have been sealed. */
  digest: Buffer | null;
  /** The chain hash in the row. */
  stored: Buffer;
}

/** Where the walk along the chain stands. */
export interface ChainState {
  /** The sequence number that comes next. */
  position: number;
  /** What to add to a row's number to get the one it was sealed with: not 0 once rows were renumbered. */
  offset: number;
  /** Chain hash of the row before; null when it is lost, and the next row is taken at its word. */
  previous: Buffer | null;
}

export interface ChainBreak {
  finding: Finding;
  /** Where to go on. */
  next: ChainState;
}

/** The origin under which a number was sealed: epochs of one log have their own. */
export type OriginAt = (seq: number) => string;

export interface Neighbourhood {
  originAt: OriginAt;
  state: ChainState;
  /** Rows around the position, ordered by seq; at least those at the first number from the position on. */
  rows: LeafRow[];
  /** Leaf hashes that a Merkle tile keeps, by the number they were sealed with. */
  tileLeaf(seq: number): Buffer | undefined;
  /** Chain hash that the log head holds. */
  headHash: Buffer;
}

export const LOOK_BEHIND = 32;
export const LOOK_AHEAD = 256;
const MAX_RENUMBERED = 1000;

/** Whether a row hashes to its chain hash as number `seq` after `previous`. */
export function rowHolds(originAt: OriginAt, row: LeafRow, seq: number, previous: Buffer): boolean {
  return leafOf(originAt, row, seq, previous)?.equals(row.stored) ?? false;
}

/** The chain hash of a row's content as number `seq` after `previous`; null when there can be none. */
function leafOf(originAt: OriginAt, row: LeafRow, seq: number, previous: Buffer): Buffer | null {
  if (!row.digest || previous.length !== HASH_BYTES) return null;
  return leafHash(originAt(seq), seq, row.recordedAt, row.digest, previous);
}

/**
 * Names a break of the chain, in the order of integrity spec §4: duplicate seq, gap, a neighbour's or
 * renumbered row, changed hash, changed content. The walk goes on behind it, so that one change makes one
 * finding.
 */
export function classifyBreak(near: Neighbourhood): ChainBreak {
  const at = near.rows.findIndex(({ seq }) => seq >= near.state.position);
  const row = near.rows[at];
  if (!row) throw new Error("there is no row to classify");
  if (row.seq > near.state.position) return gap(near, row);
  const twins = near.rows.filter(({ seq }) => seq === row.seq);
  if (twins.length > 1) return duplicate(near, twins);
  return (
    rethreaded(near, at) ??
    removedAndRenumbered(near, at) ??
    rehashed(near, row) ??
    editedHash(near, at) ??
    editedContent(near, row)
  );
}

function gap({ state, tileLeaf, rows, originAt }: Neighbourhood, row: LeafRow): ChainBreak {
  const missing = row.seq - state.position;
  const kept = tileLeaf(row.seq + state.offset - 1);
  const holds =
    kept !== undefined &&
    rows.some(
      (other) => other.seq === row.seq && rowHolds(originAt, other, row.seq + state.offset, kept),
    );
  return {
    finding: {
      kind: "deleted_row",
      seq: state.position,
      detail: `${missing} row(s) missing before seq ${row.seq}`,
    },
    next: { ...state, position: row.seq, previous: holds ? kept : null },
  };
}

/** Of rows that share a number, the one that hashes, and that the row after it confirms, is kept. */
function duplicate({ originAt, state, rows }: Neighbourhood, twins: LeafRow[]): ChainBreak {
  const { previous, position, offset } = state;
  const after = rows.find(({ seq }) => seq === position + 1);
  const sealedAs = position + offset;
  const honest = twins.filter((row) => !previous || rowHolds(originAt, row, sealedAs, previous));
  const confirmed = honest.find(
    (row) => after && rowHolds(originAt, after, sealedAs + 1, row.stored),
  );
  const kept = confirmed ?? honest[0] ?? (twins[0] as LeafRow);
  return {
    finding: {
      kind: "inserted_row",
      seq: position,
      detail: `duplicate sequence number: ${twins.length} rows`,
    },
    next: { position: position + 1, offset, previous: kept.stored },
  };
}

/**
 * Looks for the row that the chain really goes on with: further on (rows were inserted, or exchanged), also
 * from before rows that were inserted well-formed and therefore passed.
 */
function rethreaded(near: Neighbourhood, at: number): ChainBreak | null {
  const { originAt, state, rows } = near;
  const sealedAs = state.position + state.offset;
  for (let back = 0; back <= Math.min(at, LOOK_BEHIND); back += 1) {
    const before =
      back === 0
        ? state.previous
        : state.position === back
          ? genesisHash(originAt(0))
          : rows[at - back - 1]?.stored;
    if (!before) continue;
    const found = rows.findIndex(
      (row, index) => index >= at && rowHolds(originAt, row, sealedAs - back, before),
    );
    if (found < 0) continue;
    if (back === 0) {
      const exchanged = permutation(near, at, found);
      if (exchanged) return exchanged;
    }
    const inserted = found - at + back;
    return {
      finding: {
        kind: "inserted_row",
        seq: state.position - back,
        detail: `${inserted} row(s) inserted and later rows renumbered`,
      },
      next: {
        position: (rows[found] as LeafRow).seq,
        offset: state.offset - inserted,
        previous: before,
      },
    };
  }
  return null;
}

/** Follows the chain from `found` through the rows ahead; an exchange when it comes back to rows passed over. */
function permutation(near: Neighbourhood, at: number, found: number): ChainBreak | null {
  const { originAt, state, rows } = near;
  const used = new Set([found]);
  let previous = (rows[found] as LeafRow).stored;
  let furthest = found;
  // The chain is back in step once it has used every row up to the furthest.
  while (used.size <= furthest - at) {
    const sealedAs = state.position + state.offset + used.size;
    const next = rows.findIndex(
      (row, index) =>
        index >= at && !used.has(index) && rowHolds(originAt, row, sealedAs, previous),
    );
    if (next < 0) return null;
    used.add(next);
    previous = (rows[next] as LeafRow).stored;
    furthest = Math.max(furthest, next);
  }
  return {
    finding: {
      kind: "reordered",
      seq: state.position,
      detail: used.size === 2 ? "rows exchanged" : `${used.size} rows in another order`,
    },
    next: { ...state, position: (rows[furthest] as LeafRow).seq + 1, previous },
  };
}

/** The row after this one holds under a higher number: rows before this one are gone and numbers moved up. */
function removedAndRenumbered(
  { originAt, state, rows }: Neighbourhood,
  at: number,
): ChainBreak | null {
  const row = rows[at] as LeafRow;
  const after = rows[at + 1];
  const sealedAs = state.position + state.offset + 1;
  if (!after || rowHolds(originAt, after, sealedAs, row.stored)) return null;
  for (let removed = 1; removed <= MAX_RENUMBERED; removed += 1) {
    if (!rowHolds(originAt, after, sealedAs + removed, row.stored)) continue;
    return {
      finding: {
        kind: "deleted_row",
        seq: state.position,
        detail: `${removed} row(s) removed and later rows renumbered`,
      },
      next: {
        position: state.position + 1,
        offset: state.offset + removed,
        previous: row.stored,
      },
    };
  }
  return null;
}

/** This row holds after the leaf that a tile keeps: it is the rows before that were changed with their hashes. */
function rehashed(
  { originAt, state, rows, tileLeaf }: Neighbourhood,
  row: LeafRow,
): ChainBreak | null {
  const sealedAs = state.position + state.offset;
  const kept = tileLeaf(sealedAs - 1);
  if (!kept || !rowHolds(originAt, row, sealedAs, kept)) return null;
  const before = rows.filter(({ seq }) => seq < row.seq).reverse();
  // Without a row before, it is the record of a pruning that does not fit.
  if (before.length === 0) return null;
  let first = state.position - 1;
  for (const earlier of before) {
    if (tileLeaf(earlier.seq + state.offset)?.equals(earlier.stored) !== false) break;
    first = earlier.seq;
  }
  return {
    finding: {
      kind: "edited_content",
      seq: first,
      detail: "content and chain hash were changed together; the Merkle tile keeps the original",
      recomputed: state.previous?.toString("hex"),
      stored: kept.toString("hex"),
    },
    next: { ...state, previous: kept },
  };
}

function editedHash(near: Neighbourhood, at: number): ChainBreak | null {
  const { originAt, state, rows } = near;
  const row = rows[at] as LeafRow;
  const sealedAs = state.position + state.offset;
  const recomputed = state.previous && leafOf(originAt, row, sealedAs, state.previous);
  if (!recomputed) return null;
  const after = rows[at + 1];
  const confirmed = after
    ? rowHolds(originAt, after, sealedAs + 1, recomputed)
    : near.headHash.equals(recomputed);
  if (!confirmed && !near.tileLeaf(sealedAs)?.equals(recomputed)) return null;
  return {
    finding: {
      kind: "edited_hash",
      seq: row.seq,
      detail: "stored chain hash changed; the content matches what follows",
      stored: row.stored.toString("hex"),
      recomputed: recomputed.toString("hex"),
    },
    next: { ...state, position: row.seq + 1, previous: recomputed },
  };
}

function editedContent({ originAt, state }: Neighbourhood, row: LeafRow): ChainBreak {
  const sealedAs = state.position + state.offset;
  const recomputed = state.previous && leafOf(originAt, row, sealedAs, state.previous);
  return {
    finding: {
      kind: "edited_content",
      seq: row.seq,
      detail: "content does not hash to the stored chain hash",
      stored: row.stored.toString("hex"),
      recomputed: recomputed?.toString("hex"),
    },
    next: { ...state, position: row.seq + 1, previous: row.stored },
  };
}
