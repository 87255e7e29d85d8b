import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { readSecret } from "@/lib/secrets";
import type { Secrets } from "../destination";
import { problem } from "../problems";
import type { Problem, SecretInfo } from "../schema";

const ALGORITHM = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Below this length the last four characters would give too much away. */
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
});
export type StoredSecret = z.infer<typeof storedSecretSchema>;

export const storedSecretsSchema = z.record(z.string(), storedSecretSchema);
export type StoredSecrets = z.infer<typeof storedSecretsSchema>;

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

function envelopeKey(): { key: Buffer; id: string } {
  const key = Buffer.from(readSecret("envelope"), "hex");
  const id = createHash("sha256").update("trailseal envelope key\n").update(key).digest("hex");
  return { key, id: id.slice(0, 16) };
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
): StoredSecret {
  const version = (previous?.version ?? 0) + 1;
  const aad = boundTo(owner, field, version);
  const envelope = envelopeKey();
  const dataKey = randomBytes(32);
  return {
    version,
    kek_id: envelope.id,
    wrapped_key: encrypt(envelope.key, dataKey, aad),
    sealed: encrypt(dataKey, Buffer.from(value), aad),
    last4: value.length >= MIN_LENGTH_FOR_LAST4 ? value.slice(-4) : null,
    updated_at: new Date().toISOString(),
  };
}

/** @throws SecretUnreadableError */
export function openSecret(owner: SecretOwner, field: string, stored: StoredSecret): string {
  const aad = boundTo(owner, field, stored.version);
  const envelope = envelopeKey();
  try {
    if (stored.kek_id !== envelope.id) throw new Error("another envelope key");
    const dataKey = decrypt(envelope.key, stored.wrapped_key, aad);
    return decrypt(dataKey, stored.sealed, aad).toString("utf8");
  } catch {
    throw new SecretUnreadableError(field);
  }
}

/** @throws SecretUnreadableError also for one that is not stored. */
export function openSecrets(owner: SecretOwner, stored: StoredSecrets, names: string[]): Secrets {
  return Object.fromEntries(
    names.map((name) => {
      const secret = stored[name];
      if (!secret) throw new SecretUnreadableError(name);
      return [name, openSecret(owner, name, secret)];
    }),
  );
}

/** What the outside learns about stored secrets. */
export function describeSecrets(
  stored: StoredSecrets,
  names: string[],
): Record<string, SecretInfo> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const secret = stored[name];
      return secret
        ? [[name, { set: true, updatedAt: secret.updated_at, last4: secret.last4 }]]
        : [];
    }),
  );
}
