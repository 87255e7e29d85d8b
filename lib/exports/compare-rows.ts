import { ROW_HASH_BYTES } from "./rows";

/** One difference between the rows of a file and those that its manifest counts; rows are counted from 1. */
export type RowDifference =
  | { kind: "row_changed"; row: number }
  | { kind: "row_added"; row: number }
  /** How many are missing in front of the file's row of that number. */
  | { kind: "row_removed"; row: number; count: number };

/** Longest run of rows that may be missing or added at one place and still be told from changed ones. */
const WINDOW = 1_000;

/**
 * What was changed, added or removed: the first place where both go on alike decides. At most `limit` differences.
 * @param given hashes of the file's rows, `wanted` of the manifest's, eight bytes each
 */
export function compareRows(given: Buffer, wanted: Buffer, limit: number): RowDifference[] {
  const at = (hashes: Buffer, row: number) => hashes.readBigUInt64BE(row * ROW_HASH_BYTES);
  const [givenCount, wantedCount] = [given.length, wanted.length].map(
    (n) => n / ROW_HASH_BYTES,
  ) as [number, number];
  const differences: RowDifference[] = [];
  let [own, other] = [0, 0];
  while (differences.length < limit && (own < givenCount || other < wantedCount)) {
    if (own < givenCount && other < wantedCount && at(given, own) === at(wanted, other)) {
      own += 1;
      other += 1;
      continue;
    }
    const missing =
      own < givenCount ? distance(wanted, other, at(given, own)) : wantedCount - other;
    const added = other < wantedCount ? distance(given, own, at(wanted, other)) : givenCount - own;
    if (missing !== null && missing > 0 && (added === null || missing <= added)) {
      differences.push({ kind: "row_removed", row: own + 1, count: missing });
      other += missing;
    } else if (added !== null && added > 0) {
      for (let n = 0; n < added && differences.length < limit; n += 1)
        differences.push({ kind: "row_added", row: own + n + 1 });
      own += added;
    } else {
      differences.push({ kind: "row_changed", row: own + 1 });
      own += 1;
      other += 1;
    }
  }
  return differences;
}

/** How far behind `from` a hash comes next; null: not within the window. */
function distance(hashes: Buffer, from: number, hash: bigint): number | null {
  const end = Math.min(hashes.length / ROW_HASH_BYTES, from + WINDOW + 1);
  for (let row = from; row < end; row += 1)
    if (hashes.readBigUInt64BE(row * ROW_HASH_BYTES) === hash) return row - from;
  return null;
}
