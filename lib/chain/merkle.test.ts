import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  consistencyProof,
  consistencyRanges,
  Frontier,
  inclusionProof,
  inclusionRanges,
  merkleRoot,
  nodeHash,
  perfectRoot,
  verifyConsistency,
  verifyInclusion,
} from "./merkle";
import { sha256 } from "./sha256";

// A thousand cases each, on whatever machine.
vi.setConfig({ testTimeout: 60_000 });

const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);
const runs = { seed, numRuns: 1000 };
console.info(`merkle properties: TEST_SEED=${seed}`);

const allLeaves = Array.from({ length: 600 }, (_, index) => sha256(`leaf ${index}`));
const tree = fc.integer({ min: 1, max: 600 });
const flip = (hash: Buffer) => Buffer.from(hash.map((byte, at) => (at === 9 ? byte ^ 4 : byte)));

/** RFC 6962 §2.1, word for word. */
function definition(leaves: Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0] as Buffer;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(definition(leaves.slice(0, split)), definition(leaves.slice(split)));
}

describe("Merkle trees", () => {
  test("the frontier's root is the definition's, from any restored size", () => {
    fc.assert(
      fc.property(tree, fc.nat(), (size, pick) => {
        const leaves = allLeaves.slice(0, size);
        const cut = pick % (size + 1);
        const prefix = new Frontier();
        for (const leaf of leaves.slice(0, cut)) prefix.append(leaf);
        const restored = Frontier.restore(cut, prefix.hashes);
        for (const leaf of leaves.slice(cut)) restored.append(leaf);
        expect(restored.size).toBe(size);
        expect(restored.root()).toEqual(definition(leaves));
      }),
      runs,
    );
  });

  test("a perfect subtree appended at once is its leaves appended one by one", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 6 }),
        fc.nat({ max: 8 }),
        fc.nat({ max: 8 }),
        (height, before, after) => {
          const width = 2 ** height;
          const start = before * width;
          const leaves = allLeaves.slice(0, start + width + after);
          const found = new Frontier();
          for (const leaf of leaves.slice(0, start)) found.append(leaf);
          found.appendSubtree(
            perfectRoot(Buffer.concat(leaves.slice(start, start + width))),
            width,
          );
          for (const leaf of leaves.slice(start + width)) found.append(leaf);
          expect(found.size).toBe(leaves.length);
          expect(found.root()).toEqual(definition(leaves));
        },
      ),
      runs,
    );
  });

  test("no subtree is appended where none can begin, and none of an odd number of leaves", () => {
    const frontier = Frontier.restore(2, [allLeaves[0] as Buffer]);
    const root = perfectRoot(Buffer.concat(allLeaves.slice(0, 4)));
    expect(() => frontier.appendSubtree(root, 4)).toThrow("no subtree of 4 leaves follows 2");
    expect(() => frontier.appendSubtree(root, 3)).toThrow(RangeError);
    expect(() => frontier.appendSubtree(root.subarray(1), 2)).toThrow(RangeError);
    for (const length of [0, 31, 96])
      expect(() => perfectRoot(Buffer.alloc(length))).toThrow("no perfect tree");
  });

  test("an inclusion proof holds for its leaf and place, and for nothing else", () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.nat(), (size, pickIndex, pickOther) => {
        const leaves = allLeaves.slice(0, size);
        const index = pickIndex % size;
        const leaf = leaves[index] as Buffer;
        const proof = inclusionProof(leaves, index);
        const root = merkleRoot(leaves);
        expect(verifyInclusion(leaf, index, size, proof, root)).toBe(true);

        const other = pickOther % size;
        if (other !== index) {
          expect(verifyInclusion(leaf, other, size, proof, root)).toBe(false);
          expect(verifyInclusion(leaves[other] as Buffer, index, size, proof, root)).toBe(false);
        }
        expect(verifyInclusion(leaf, index, size, [...proof, leaf], root)).toBe(false);
        expect(verifyInclusion(leaf, index, size, proof, flip(root))).toBe(false);
        if (proof.length > 0) {
          const broken = proof.with(
            pickOther % proof.length,
            flip(proof[pickOther % proof.length] as Buffer),
          );
          expect(verifyInclusion(leaf, index, size, broken, root)).toBe(false);
          expect(verifyInclusion(leaf, index, size, proof.slice(1), root)).toBe(false);
        }
      }),
      runs,
    );
  });

  test("a consistency proof holds between its two trees, and between no others", () => {
    fc.assert(
      fc.property(tree, fc.nat(), fc.nat(), (size, pickOld, pick) => {
        const leaves = allLeaves.slice(0, size);
        const old = 1 + (pickOld % size);
        const oldRoot = merkleRoot(leaves.slice(0, old));
        const root = merkleRoot(leaves);
        const proof = consistencyProof(leaves, old);
        expect(verifyConsistency(old, size, proof, oldRoot, root)).toBe(true);

        expect(verifyConsistency(old, size, proof, flip(oldRoot), root)).toBe(false);
        expect(verifyConsistency(old, size, proof, oldRoot, flip(root))).toBe(false);
        expect(verifyConsistency(old, size, [...proof, root], oldRoot, root)).toBe(false);
        const at = pick % old;
        const rewritten = leaves.with(at, flip(leaves[at] as Buffer));
        expect(
          verifyConsistency(
            old,
            size,
            consistencyProof(rewritten, old),
            oldRoot,
            merkleRoot(rewritten),
          ),
        ).toBe(false);
      }),
      runs,
    );
  });

  test("nothing is consistent with the empty tree", () => {
    const root = merkleRoot(allLeaves);
    expect(verifyConsistency(0, 600, [], sha256(""), root)).toBe(false);
    expect(() => consistencyRanges(0, 600)).toThrow(RangeError);
    expect(() => consistencyRanges(601, 600)).toThrow(RangeError);
    expect(verifyConsistency(601, 600, [], root, root)).toBe(false);
  });

  test("hashes of another length than 32 bytes are refused", () => {
    const short = Buffer.alloc(12);
    const root = merkleRoot(allLeaves.slice(0, 2));
    const [first, second] = allLeaves as [Buffer, Buffer];
    expect(() => nodeHash(short, first)).toThrow(RangeError);
    expect(() => new Frontier().append(short)).toThrow(RangeError);
    expect(() => Frontier.restore(1, [short])).toThrow(RangeError);
    expect(() => Frontier.restore(3, [first])).toThrow(RangeError);
    expect(verifyInclusion(short, 0, 1, [], short)).toBe(false);
    expect(verifyInclusion(first, 0, 2, [Buffer.concat([second, short])], root)).toBe(false);
    expect(verifyConsistency(1, 1, [], short, short)).toBe(false);
  });

  test("proofs of trees beyond 2^32 leaves have the right height", () => {
    expect(inclusionRanges(2 ** 40 + 3, 2 ** 41)).toHaveLength(41);
    expect(consistencyRanges(2 ** 40, 2 ** 41)).toEqual([{ start: 2 ** 40, end: 2 ** 41 }]);
    expect(() => inclusionRanges(5, 5)).toThrow(RangeError);
    expect(verifyInclusion(sha256(""), 5, 5, [], sha256(""))).toBe(false);
  });
});
