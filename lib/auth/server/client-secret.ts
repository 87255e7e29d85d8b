import { writePool } from "@/lib/db/pool";
import {
  type Envelope,
  EnvelopeError,
  envelopeSchema,
  openEnvelope,
  rewrapEnvelope,
  sealEnvelope,
} from "@/lib/envelope";

interface Owner {
  organizationId: string;
  id: string;
}

const boundTo = ({ organizationId, id }: Owner) => `identity provider|${organizationId}|${id}`;

export const sealClientSecret = (owner: Owner, secret: string): Envelope =>
  sealEnvelope(boundTo(owner), secret);

/** @throws EnvelopeError */
export const openClientSecret = (owner: Owner, stored: unknown): string =>
  openEnvelope(boundTo(owner), envelopeSchema.parse(stored));

/**
 * Wraps every secret under the present envelope key.
 * @returns how many, and the ids of providers whose secret none opens: theirs has to be entered again.
 */
export async function rewrapClientSecrets(
  kekId: string,
  onStep: (step: string) => void,
): Promise<{ rewrapped: number; unreadable: string[] }> {
  const { rows } = await writePool().query<Owner & { secret: unknown }>(
    `SELECT organization_id AS "organizationId", id, client_secret AS secret FROM identity_providers
     WHERE client_secret ->> 'kek_id' <> $1 ORDER BY organization_id, id`,
    [kekId],
  );
  let rewrapped = 0;
  const unreadable: string[] = [];
  for (const { secret, ...owner } of rows) {
    try {
      const fresh = rewrapEnvelope(boundTo(owner), envelopeSchema.parse(secret));
      const { rowCount } = await writePool().query(
        `UPDATE identity_providers SET client_secret = $3
         WHERE organization_id = $1 AND id = $2 AND client_secret = $4`,
        [owner.organizationId, owner.id, JSON.stringify(fresh), JSON.stringify(secret)],
      );
      rewrapped += rowCount ?? 0;
    } catch (error) {
      if (!(error instanceof EnvelopeError)) throw error;
      unreadable.push(owner.id);
    }
    onStep(owner.id);
  }
  return { rewrapped, unreadable };
}
