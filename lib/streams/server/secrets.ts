import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { readPrevious, readSecret } from "@/lib/secrets";
import type { Secrets } from "../destination";
import { problem } from "../problems";
import type { Problem, SecretInfo } from "../schema";

const ALGORITHM = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Below this length the last four characters would give too much away; the end of a PEM says nothing. */
const MIN_LENGTH_FOR_LAST4 = 12;

const storedSecretSchema = z.object({
  version: z.number().int(),
  kek_id: z.string(),
  /** base64 of nonce, ciphertext, tag: the data key under the key-encryption key. */
  wrapped_key: z.string(),
  /** base64 of nonce, ciphertext, tag: the secret under the data key. */
  sealed: z.string(),
  last4: z.string().nullable(),
  updated_at: z.string(),
  expires_at: z.string().nullable().default(null),
});
export type StoredSecret = z.infer<typeof storedSecretSchema>;

export const storedSecretsSchema = z.record(z.string(), storedSecretSchema);
export type StoredSecrets = z.infer<typeof storedSecretsSchema>;

/** Before the name of a secret: the one that was replaced last, used beside it for a while. */
export const PREVIOUS = "previous:";

/** What a secret belongs to; bound into the ciphertext, so that it cannot serve elsewhere. */
export interface SecretOwner {
  organizationId: string;
  streamId: string;
}

/** The stored secret cannot be opened: the envelope key was lost or changed, or the row was moved. */
export class SecretUnreadableError extends Error {
  readonly problem: Problem;

  constructor(field: string) {
    super(`The stored secret ${field} cannot be opened with this instance's envelope key.`);
    this.name = "SecretUnreadableError";
    const advice = "Enter the secret again. Delivery resumes where it stopped; nothing is lost.";
    this.problem = problem("secret_unreadable", this.message, advice);
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
  const bytes = Buffer.from(encoded, "base64");
  const decipher = createDecipheriv(ALGORITHM, key, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(Buffer.from(aad)).setAuthTag(bytes.subarray(-TAG_BYTES));
  return Buffer.concat([
    decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)),
    decipher.final(),
  ]);
}

function boundTo(owner: SecretOwner, field: string, version: number): string {
  return [owner.organizationId, owner.streamId, field, version].join("|");
}

/** Seals one secret under a data key of its own, which the instance's envelope key wraps. */
export function sealSecret(
  owner: SecretOwner,
  field: string,
  value: string,
  previous?: StoredSecret,
  expiresAt: Date | null = null,
): StoredSecret {
  const version = (previous?.version ?? 0) + 1;
  const aad = boundTo(owner, field, version);
  const [envelope] = envelopeKeys();
  const dataKey = randomBytes(32);
  return {
    version,
    kek_id: envelope.id,
    wrapped_key: encrypt(envelope.key, dataKey, aad),
    sealed: encrypt(dataKey, Buffer.from(value), aad),
    last4: value.length >= MIN_LENGTH_FOR_LAST4 && !/\s/.test(value) ? value.slice(-4) : null,
    updated_at: new Date().toISOString(),
    expires_at: expiresAt?.toISOString() ?? null,
  };
}

function unwrap(owner: SecretOwner, field: string, stored: StoredSecret): Buffer {
  try {
    const envelope = envelopeKeys().find(({ id }) => id === stored.kek_id);
    if (!envelope) throw new Error("another envelope key");
    return decrypt(envelope.key, stored.wrapped_key, boundTo(owner, field, stored.version));
  } catch {
    throw new SecretUnreadableError(field);
  }
}

/** @throws SecretUnreadableError */
export function openSecret(owner: SecretOwner, field: string, stored: StoredSecret): string {
  const dataKey = unwrap(owner, field, stored);
  try {
    return decrypt(dataKey, stored.sealed, boundTo(owner, field, stored.version)).toString("utf8");
  } catch {
    throw new SecretUnreadableError(field);
  }
}

/** The same secrets under the present envelope key. @throws SecretUnreadableError */
export function rewrapSecrets(owner: SecretOwner, stored: StoredSecrets): StoredSecrets {
  const [envelope] = envelopeKeys();
  return Object.fromEntries(
    Object.entries(stored).map(([name, secret]) => {
      const field = name.replace(PREVIOUS, "");
      const aad = boundTo(owner, field, secret.version);
      const wrapped_key = encrypt(envelope.key, unwrap(owner, field, secret), aad);
      return [name, { ...secret, kek_id: envelope.id, wrapped_key }];
    }),
  );
}

/** How long a secret that was replaced is used beside the new one. */
const OVERLAP_MS = 86_400_000;

/** @throws SecretUnreadableError also for a required one that is not stored. */
export function openSecrets(
  owner: SecretOwner,
  stored: StoredSecrets,
  names: { required: string[]; optional: string[] },
): Secrets {
  const missing = names.required.find((name) => !stored[name]);
  if (missing !== undefined) throw new SecretUnreadableError(missing);
  return Object.fromEntries(
    [...names.required, ...names.optional].flatMap((name) => {
      const secret = stored[name];
      if (!secret) return [];
      const opened = [[name, openSecret(owner, name, secret)]];
      const before = stored[PREVIOUS + name];
      const isOverlap = Date.parse(secret.updated_at) + OVERLAP_MS > Date.now();
      if (before && isOverlap) opened.push([PREVIOUS + name, openSecret(owner, name, before)]);
      return opened;
    }),
  );
}

/** What the outside learns about stored secrets. */
export function describeSecrets(stored: StoredSecrets): Record<string, SecretInfo> {
  return Object.fromEntries(
    Object.entries(stored)
      .filter(([name]) => !name.startsWith(PREVIOUS))
      .map(([name, { updated_at: updatedAt, expires_at: expiresAt, last4 }]) => [
        name,
        { set: true, updatedAt, expiresAt, last4 },
      ]),
  );
}
