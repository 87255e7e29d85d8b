import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";

// The DER around a raw key (RFC 8410).
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");

export const ED25519_KEY_BYTES = 32;
export const ED25519_SIGNATURE_BYTES = 64;

function der(prefix: Buffer, key: Uint8Array, what: string): Buffer {
  if (key.length !== ED25519_KEY_BYTES) {
    throw new RangeError(`${what} has ${key.length} bytes instead of ${ED25519_KEY_BYTES}`);
  }
  return Buffer.concat([prefix, key]);
}

function privateKey(seed: Uint8Array): KeyObject {
  const key = der(PKCS8_PREFIX, seed, "an Ed25519 seed");
  return createPrivateKey({ key, format: "der", type: "pkcs8" });
}

/** Raw 32-byte public key of a 32-byte seed. */
export function publicKeyOf(seed: Uint8Array): Buffer {
  const spki = createPublicKey(privateKey(seed)).export({ format: "der", type: "spki" });
  return spki.subarray(SPKI_PREFIX.length);
}

export function signEd25519(seed: Uint8Array, message: Uint8Array): Buffer {
  return sign(null, message, privateKey(seed));
}

export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = der(SPKI_PREFIX, publicKey, "an Ed25519 public key");
  return verify(null, message, createPublicKey({ key, format: "der", type: "spki" }), signature);
}
