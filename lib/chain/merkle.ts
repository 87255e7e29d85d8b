import { assertHash, HASH_BYTES, sha256, sha256Hex } from "./sha256";

// RFC 6962 / RFC 9162 §2.1 over leaf hashes. Sizes and indexes are numbers up to 2^53, so no bit operators.

const pair = Buffer.allocUnsafeSlow(1 + 2 * HASH_BYTES);
pair[0] = 1;

/** H(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  assertHash(left, "a left node");
  assertHash(right, "a right node");
  pair.set(left, 1);
  pair.set(right, 1 + HASH_BYTES);
  return sha256(pair);
}

/** H(""). */
function emptyRoot(): Buffer {
  return sha256("");
}

/** A tree that only grows: its size and the roots of its perfect subtrees, largest (leftmost) first. */
export class Frontier {
  #size = 0;
  #hashes: Buffer[] = [];

  /** @throws RangeError when the hashes are not one per set bit of `size`, or not 32 bytes. */
  static restore(size: number, hashes: readonly Uint8Array[]): Frontier {
    assertSize(size);
    let bits = 0;
    for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2;
    if (bits !== hashes.length) {
      throw new RangeError(`a tree of ${size} leaves has ${bits} subtrees, not ${hashes.length}`);
    }
    for (const hash of hashes) assertHash(hash, "a subtree root");
    const frontier = new Frontier();
    frontier.#size = size;
    frontier.#hashes = hashes.map((hash) => Buffer.from(hash));
    return frontier;
  }

  get size(): number {
    return this.#size;
  }

  get hashes(): readonly Buffer[] {
    return this.#hashes;
  }

  copy(): Frontier {
    return Frontier.restore(this.#size, this.#hashes);
  }

  append(leaf: Buffer): void {
    this.appendSubtree(leaf, 1);
  }

  /**
   * Appends the root of a perfect tree of `width` leaves.
   * @throws RangeError when the tree so far does not end where such a subtree may begin, or for no hash
   */
  appendSubtree(root: Buffer, width: number): void {
    assertHash(root, "a leaf or subtree root");
    if (!isPowerOfTwo(width) || this.#size % width !== 0)
      throw new RangeError(`no subtree of ${width} leaves follows ${this.#size}`);
    let node = root;
    for (let rest = this.#size / width; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      node = nodeHash(this.#hashes.pop() as Buffer, node);
    }
    this.#hashes.push(node);
    this.#size += width;
  }

  root(): Buffer {
    if (this.#size === 0) return emptyRoot();
    return this.#hashes.reduceRight((right, left) => nodeHash(left, right));
  }
}

export function merkleRoot(leaves: Iterable<Buffer>): Buffer {
  const frontier = new Frontier();
  for (const leaf of leaves) frontier.append(leaf);
  return frontier.root();
}

/**
 * Root of a perfect tree.
 * @param leaves their hashes, one after another
 * @throws RangeError unless their number is a power of two
 */
export function perfectRoot(leaves: Uint8Array): Buffer {
  let count = leaves.length / HASH_BYTES;
  if (!isPowerOfTwo(count)) throw new RangeError(`no perfect tree has ${count} leaves`);
  const nodes = Buffer.from(leaves);
  for (; count > 1; count /= 2) {
    for (let at = 0; at < count; at += 2) {
      pair.set(nodes.subarray(at * HASH_BYTES, (at + 2) * HASH_BYTES), 1);
      nodes.write(sha256Hex(pair), (at / 2) * HASH_BYTES, "hex");
    }
  }
  return nodes.subarray(0, HASH_BYTES);
}

/** Leaves start ≤ i < end of a subtree whose root a proof carries. */
export interface LeafRange {
  start: number;
  end: number;
}

/** Which subtrees prove that leaf `index` is in the tree of `size` leaves, from the leaf upwards. */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  assertSize(size);
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) {
    throw new RangeError(`a tree of ${size} leaves has no leaf ${index}`);
  }
  const ranges: LeafRange[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitPoint(end - start);
    if (index < middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  return ranges.reverse();
}

/** Which subtrees prove that the tree of `oldSize` leaves is a prefix of the tree of `newSize` leaves. */
export function consistencyRanges(oldSize: number, newSize: number): LeafRange[] {
  assertSize(oldSize);
  assertSize(newSize);
  // Everything extends the empty tree, so such a proof would say nothing.
  if (oldSize === 0 || oldSize > newSize) {
    throw new RangeError(`no consistency proof leads from ${oldSize} to ${newSize} leaves`);
  }
  const ranges: LeafRange[] = [];
  let start = 0;
  let end = newSize;
  let knowsOldRoot = true;
  while (oldSize < end) {
    const middle = start + splitPoint(end - start);
    if (oldSize <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
      knowsOldRoot = false;
    }
  }
  if (!knowsOldRoot) ranges.push({ start, end });
  return ranges.reverse();
}

/** Root of the subtree over a range of leaves held in memory. */
function rangeRoot(leaves: readonly Buffer[], { start, end }: LeafRange): Buffer {
  return merkleRoot(leaves.slice(start, end));
}

export function inclusionProof(leaves: readonly Buffer[], index: number): Buffer[] {
  return inclusionRanges(index, leaves.length).map((range) => rangeRoot(leaves, range));
}

export function consistencyProof(leaves: readonly Buffer[], oldSize: number): Buffer[] {
  return consistencyRanges(oldSize, leaves.length).map((range) => rangeRoot(leaves, range));
}

/** Whether the proof leads from leaf `index` to `root` (RFC 9162 §2.1.3.2). Malformed input is false. */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!isSize(index) || !isSize(size) || index >= size) return false;
  if (![leaf, root, ...proof].every(isHash)) return false;
  let node = leaf;
  let [position, last] = [index, size - 1];
  for (const sibling of proof) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      node = nodeHash(sibling, node);
      while (position % 2 === 0 && position !== 0) [position, last] = [position / 2, half(last)];
    } else {
      node = nodeHash(node, sibling);
    }
    [position, last] = [half(position), half(last)];
  }
  return last === 0 && Buffer.compare(node, root) === 0;
}

/**
 * Whether the proof shows that the tree of `newSize` leaves extends that of `oldSize` (RFC 9162 §2.1.4.2).
 * From size 0 nothing is ever shown: false.
 */
export function verifyConsistency(
  oldSize: number,
  newSize: number,
  proof: readonly Uint8Array[],
  oldRoot: Uint8Array,
  newRoot: Uint8Array,
): boolean {
  if (!isSize(oldSize) || !isSize(newSize) || oldSize === 0 || oldSize > newSize) return false;
  if (![oldRoot, newRoot, ...proof].every(isHash)) return false;
  if (oldSize === newSize) return proof.length === 0 && Buffer.compare(oldRoot, newRoot) === 0;
  let [position, last] = [oldSize - 1, newSize - 1];
  while (position % 2 === 1) [position, last] = [half(position), half(last)];
  // Position 0 here: the old size is a power of two, its root is the first node itself.
  const path = position === 0 ? [oldRoot, ...proof] : proof;
  const [first, ...rest] = path;
  if (!first) return false;
  let oldNode = first;
  let newNode = first;
  for (const sibling of rest) {
    if (last === 0) return false;
    if (position % 2 === 1 || position === last) {
      oldNode = nodeHash(sibling, oldNode);
      newNode = nodeHash(sibling, newNode);
      while (position % 2 === 0 && position !== 0) [position, last] = [position / 2, half(last)];
    } else {
      newNode = nodeHash(newNode, sibling);
    }
    [position, last] = [half(position), half(last)];
  }
  return (
    last === 0 && Buffer.compare(oldNode, oldRoot) === 0 && Buffer.compare(newNode, newRoot) === 0
  );
}

/** Largest power of two below `size`. */
function splitPoint(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

function isPowerOfTwo(value: number): boolean {
  let power = 1;
  while (power < value) power *= 2;
  return power === value;
}

const half = (value: number) => Math.floor(value / 2);
const isSize = (size: number) => Number.isSafeInteger(size) && size >= 0;
const isHash = (hash: Uint8Array) => hash.length === HASH_BYTES;

function assertSize(size: number): void {
  if (!isSize(size)) throw new RangeError(`${size} is not a tree size`);
}
