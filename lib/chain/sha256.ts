import { hash, randomFillSync } from "node:crypto";

// The one place (with ed25519.ts) that knows the platform's cryptography; a browser twin replaces these two.

export const HASH_BYTES = 32;

/** SHA-256; a string is hashed as UTF-8. */
export function sha256(data: string | Uint8Array): Buffer {
  // Half the time that `hash` takes to make the Buffer itself.
  return Buffer.from(hash("sha256", data, "hex"), "hex");
}

/** SHA-256 in lower-case hex. */
export function sha256Hex(data: string | Uint8Array): string {
  return hash("sha256", data, "hex");
}

const POOL_BYTES = 8192;
let pool = Buffer.alloc(0);
let poolUsed = 0;

/** Bytes from the platform's cryptographic random source; drawn in bulk, each handed out once. */
export function randomBytes(length: number): Buffer {
  if (poolUsed + length > pool.length) {
    pool = randomFillSync(Buffer.allocUnsafeSlow(Math.max(POOL_BYTES, length)));
    poolUsed = 0;
  }
  poolUsed += length;
  return pool.subarray(poolUsed - length, poolUsed);
}

/** @throws RangeError unless `hash` is 32 bytes long: shorter ones would let a proof choose its own tree. */
export function assertHash(candidate: Uint8Array, what: string): void {
  if (candidate.length !== HASH_BYTES) {
    throw new RangeError(`${what} has ${candidate.length} bytes instead of ${HASH_BYTES}`);
  }
}
