import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { readPrevious, readSecret } from "./secrets";

/** Envelope encryption: a secret under a data key of its own, which the instance's envelope key wraps. */

const ALGORITHM = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export const envelopeSchema = z.object({
  kek_id: z.string(),
  /** base64 of nonce, ciphertext, tag: the data key under the key-encryption key. */
  wrapped_key: z.string(),
  /** base64 of nonce, ciphertext, tag: the secret under the data key. */
  sealed: z.string(),
});

export type Envelope = z.infer<typeof envelopeSchema>;

/** It cannot be opened: the envelope key was lost or changed, or the envelope was moved to another owner. */
export class EnvelopeError extends Error {
  constructor() {
    super("A stored secret cannot be opened with this instance's envelope key.");
    this.name = "EnvelopeError";
  }
}

interface EnvelopeKey {
  key: Buffer;
  id: string;
}

function toEnvelopeKey(hex: string): EnvelopeKey {
  const key = Buffer.from(hex, "hex");
  const id = createHash("sha256").update("trailseal envelope key\n").update(key).digest("hex");
  return { key, id: id.slice(0, 16) };
}

/** The one that seals, and while a rotation is under way the one before it. */
export function envelopeKeys(): [present: EnvelopeKey, ...previous: EnvelopeKey[]] {
  const previous = readPrevious("envelope");
  const present = toEnvelopeKey(readSecret("envelope"));
  return previous === null ? [present] : [present, toEnvelopeKey(previous)];
}

function encrypt(key: Buffer, plain: Buffer, aad: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(aad));
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString(
    "base64",
  );
}

function decrypt(key: Buffer, encoded: string, aad: string): Buffer {
  try {
    const bytes = Buffer.from(encoded, "base64");
    const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(aad)).setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([
      decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)),
      decipher.final(),
    ]);
  } catch {
    throw new EnvelopeError();
  }
}

/** @param owner what the secret belongs to, bound into the ciphertext: it opens nowhere else */
export function sealEnvelope(owner: string, secret: string): Envelope {
  const [envelope] = envelopeKeys();
  const dataKey = randomBytes(32);
  return {
    kek_id: envelope.id,
    wrapped_key: encrypt(envelope.key, dataKey, owner),
    sealed: encrypt(dataKey, Buffer.from(secret), owner),
  };
}

function unwrap(owner: string, stored: Envelope): Buffer {
  const envelope = envelopeKeys().find(({ id }) => id === stored.kek_id);
  if (!envelope) throw new EnvelopeError();
  return decrypt(envelope.key, stored.wrapped_key, owner);
}

/** @throws EnvelopeError */
export function openEnvelope(owner: string, stored: Envelope): string {
  return decrypt(unwrap(owner, stored), stored.sealed, owner).toString("utf8");
}

/** The same secret under the present envelope key. @throws EnvelopeError */
export function rewrapEnvelope<T extends Envelope>(owner: string, stored: T): T {
  const [envelope] = envelopeKeys();
  const wrapped_key = encrypt(envelope.key, unwrap(owner, stored), owner);
  return { ...stored, kek_id: envelope.id, wrapped_key };
}
