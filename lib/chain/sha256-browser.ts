import { sha256 as digest } from "@noble/hashes/sha2.js";

// What sha256.ts is in Node, for a page that may be opened where WebCrypto is missing (plain http) and must
// not wait. The bundler puts this in its place.

export const HASH_BYTES = 32;

export function sha256(data: string | Uint8Array): Buffer {
  return Buffer.from(digest(typeof data === "string" ? Buffer.from(data) : data));
}

export function sha256Hex(data: string | Uint8Array): string {
  return sha256(data).toString("hex");
}

/** @throws Error always: a page seals nothing. */
export function randomBytes(): Buffer {
  throw new Error("a verifier draws no random bytes");
}

/** @throws RangeError unless `hash` is 32 bytes long. */
export function assertHash(candidate: Uint8Array, what: string): void {
  if (candidate.length !== HASH_BYTES) {
    throw new RangeError(`${what} has ${candidate.length} bytes instead of ${HASH_BYTES}`);
  }
}
