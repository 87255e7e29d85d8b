import { perfectRoot } from "@/lib/chain/merkle";
import { TILE_WIDTH } from "@/lib/chain/server/tiles";
import { HASH_BYTES } from "@/lib/chain/sha256";
import type { CheckpointCheck } from "./checkpoint-check";
import type { TileCheck } from "./tile-check";

/**
 * Adds leaves of from ≤ seq, one after another, to all that is held against them. Those of a tile are added at once
 * where no checkpoint has to be met among them: one root serves both, which takes half as many hashes.
 */
export function addLeaves(
  from: number,
  leaves: Buffer,
  tiles: TileCheck,
  checkpoints: CheckpointCheck,
): void {
  const to = from + leaves.length / HASH_BYTES;
  const leavesFrom = (seq: number, count: number) =>
    leaves.subarray((seq - from) * HASH_BYTES, (seq - from + count) * HASH_BYTES);
  let seq = from;
  while (seq < to) {
    const end = seq + TILE_WIDTH;
    if (seq % TILE_WIDTH === 0 && end <= to && checkpoints.takesSubtree(seq, end)) {
      const tile = leavesFrom(seq, TILE_WIDTH);
      const root = perfectRoot(tile);
      tiles.addTile(seq / TILE_WIDTH, tile, root);
      checkpoints.addSubtree(seq, end, root);
      seq = end;
    } else {
      const leaf = leavesFrom(seq, 1);
      tiles.add(seq, leaf);
      checkpoints.add(seq + 1, leaf);
      seq += 1;
    }
  }
}
