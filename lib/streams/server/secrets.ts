import { z } from "zod";
import {
  EnvelopeError,
  envelopeSchema,
  openEnvelope,
  rewrapEnvelope,
  sealEnvelope,
} from "@/lib/envelope";
import type { Secrets } from "../destination";
import { problem } from "../problems";
import type { Problem, SecretInfo } from "../schema";

/** Below this length the last four characters would give too much away; the end of a PEM says nothing. */
const MIN_LENGTH_FOR_LAST4 = 12;

const storedSecretSchema = envelopeSchema.extend({
  version: z.number().int(),
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
  return {
    ...sealEnvelope(boundTo(owner, field, version), value),
    version,
    last4: value.length >= MIN_LENGTH_FOR_LAST4 && !/\s/.test(value) ? value.slice(-4) : null,
    updated_at: new Date().toISOString(),
    expires_at: expiresAt?.toISOString() ?? null,
  };
}

function readable<T>(field: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw error instanceof EnvelopeError ? new SecretUnreadableError(field) : error;
  }
}

/** @throws SecretUnreadableError */
export function openSecret(owner: SecretOwner, field: string, stored: StoredSecret): string {
  return readable(field, () => openEnvelope(boundTo(owner, field, stored.version), stored));
}

/** The same secrets under the present envelope key. @throws SecretUnreadableError */
export function rewrapSecrets(owner: SecretOwner, stored: StoredSecrets): StoredSecrets {
  return Object.fromEntries(
    Object.entries(stored).map(([name, secret]) => {
      const field = name.replace(PREVIOUS, "");
      const bound = boundTo(owner, field, secret.version);
      return [name, readable(field, () => rewrapEnvelope(bound, secret))];
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
