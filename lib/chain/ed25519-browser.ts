import { ed25519 } from "@noble/curves/ed25519.js";

// What ed25519.ts is in Node; see sha256-browser.ts.

export const ED25519_KEY_BYTES = 32;
export const ED25519_SIGNATURE_BYTES = 64;

/** @throws Error always: a page signs nothing. */
export function publicKeyOf(): Buffer {
  throw new Error("a verifier has no seed");
}

/** @throws Error always. */
export function signEd25519(): Buffer {
  throw new Error("a verifier has no seed");
}

const MOST_KNOWN = 100;
/** A page of proofs ends in the same few signatures, and each takes milliseconds. */
const known = new Map<string, boolean>();

export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const asked = [publicKey, signature, message]
    .map((bytes) => Buffer.from(bytes).toString("hex"))
    .join(" ");
  const before = known.get(asked);
  if (before !== undefined) return before;
  if (known.size >= MOST_KNOWN) known.clear();
  const holds = verifyOnce(publicKey, message, signature);
  known.set(asked, holds);
  return holds;
}

function verifyOnce(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    // RFC 8032 as Node has it; the other rules (ZIP 215) would take signatures that OpenSSL refuses.
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false;
  }
}
