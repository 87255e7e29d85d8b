import { expect, test } from "vitest";
import { perfectRoot } from "@/lib/chain/merkle";
import { TILE_WIDTH } from "@/lib/chain/server/tiles";
import { HASH_BYTES, sha256 } from "@/lib/chain/sha256";
import { FindingList } from "./findings";
import type { RawRow, Snapshot } from "./snapshot";
import { TileCheck } from "./tile-check";

const hex = (bytes: Buffer) => `\\x${bytes.toString("hex")}`;
const roots = Array.from({ length: TILE_WIDTH }, (_, at) => sha256(`subtree ${at}`));
const level1 = Buffer.concat(roots);

/** Of a log of 65,536 events, with this level-1 tile: what the database answers. */
async function findings(data: Buffer) {
  const found = new FindingList();
  const query = async (text: string): Promise<RawRow[]> =>
    text.includes("data, root")
      ? [["0", hex(data), hex(perfectRoot(level1))]]
      : roots.map((root) => [hex(root)]);
  const snapshot = { organizationId: "org", query } as unknown as Snapshot;
  await new TileCheck(snapshot, found, TILE_WIDTH ** 2).finish(0);
  return found.worst;
}

test("a tile above the leaves holds the roots below it, all of them and nothing else", async () => {
  expect(await findings(level1)).toBeNull();
  const [longer, shorter] = [
    Buffer.concat([level1, Buffer.from([0])]),
    level1.subarray(HASH_BYTES),
  ];
  for (const data of [longer, shorter])
    expect(await findings(data)).toMatchObject({
      kind: "merkle_cache_tampered",
      detail: `a Merkle tile has ${data.length} bytes`,
    });
});
