import { setTimeout as sleep } from "node:timers/promises";
import { rewrapClientSecrets } from "@/lib/auth/server/client-secret";
import { rewrapSecondFactors } from "@/lib/auth/server/second-factor";
import { writePool } from "@/lib/db/pool";
import { envelopeKeys } from "@/lib/envelope";
import { forgetPrevious, replaceSecret } from "@/lib/secrets";
import {
  rewrapSecrets,
  SecretUnreadableError,
  type StoredSecrets,
  storedSecretsSchema,
} from "./secrets";

/** Streams that one statement reads. */
const PIECE = 200;
/** Whoever read the key before it was replaced has written by then: longer than a statement may take. */
const SETTLE_MS = 12_000;

export interface EnvelopeRotation {
  kekId: string;
  /** Streams whose secrets were wrapped anew. */
  rewrapped: number;
  /** Ids of streams whose secrets no key opens: they have to be entered again. */
  unreadable: string[];
  /** People whose second factor was wrapped anew. */
  rewrappedSecondFactors: number;
  /** Ids of users whose second factor no key opens: it has to be reset. */
  unreadableSecondFactors: string[];
  /** Identity providers whose client secret was wrapped anew. */
  rewrappedClientSecrets: number;
  /** Ids of identity providers whose client secret no key opens: it has to be entered again. */
  unreadableClientSecrets: string[];
}

/**
 * Wraps every stored secret, of streams, second factors and identity providers, under a fresh envelope key. The one before stays beside it until nothing needs it, so that
 * servers and workers deliver all the while. After a stop, the same again goes on where that was.
 * @param onStep called between any two steps
 */
export async function rotateEnvelope({
  settleMs = SETTLE_MS,
  onStep = () => undefined,
}: {
  settleMs?: number;
  onStep?: (step: string) => void;
} = {}): Promise<EnvelopeRotation> {
  replaceSecret("envelope");
  onStep("replaced");
  const [{ id: kekId }] = envelopeKeys();
  const first = await rewrapAll(kekId, onStep);
  await sleep(settleMs);
  const late = await rewrapAll(kekId, onStep);
  onStep("rewrapped");
  // What nobody can open does not need the key either.
  forgetPrevious("envelope");
  return {
    kekId,
    rewrapped: first.rewrapped + late.rewrapped,
    unreadable: late.unreadable,
    rewrappedSecondFactors: first.rewrappedSecondFactors + late.rewrappedSecondFactors,
    unreadableSecondFactors: late.unreadableSecondFactors,
    rewrappedClientSecrets: first.rewrappedClientSecrets + late.rewrappedClientSecrets,
    unreadableClientSecrets: late.unreadableClientSecrets,
  };
}

async function rewrapAll(
  kekId: string,
  onStep: (step: string) => void,
): Promise<Omit<EnvelopeRotation, "kekId">> {
  const streams = await rewrapStreams(kekId, onStep);
  const factors = await rewrapSecondFactors(kekId, onStep);
  const clients = await rewrapClientSecrets(kekId, onStep);
  return {
    ...streams,
    rewrappedSecondFactors: factors.rewrapped,
    unreadableSecondFactors: factors.unreadable,
    rewrappedClientSecrets: clients.rewrapped,
    unreadableClientSecrets: clients.unreadable,
  };
}

async function rewrapStreams(
  kekId: string,
  onStep: (step: string) => void,
): Promise<Pick<EnvelopeRotation, "rewrapped" | "unreadable">> {
  let rewrapped = 0;
  const unreadable: string[] = [];
  let after = ["", ""];
  for (;;) {
    const { rows } = await writePool().query<{
      organization_id: string;
      id: string;
      secrets: unknown;
    }>(
      `SELECT organization_id, id, secrets FROM streams
       WHERE (organization_id, id) > ($2, $3)
         AND EXISTS (SELECT FROM jsonb_each(secrets) s WHERE s.value ->> 'kek_id' <> $1)
       ORDER BY organization_id, id LIMIT $4`,
      [kekId, ...after, PIECE],
    );
    for (const row of rows) {
      const stored = storedSecretsSchema.parse(row.secrets);
      const fresh = rewrap(row, stored);
      if (fresh === null) unreadable.push(row.id);
      // Somebody entering a secret meanwhile used the new key: the second look finds what is left.
      else if (await replace(row, fresh)) rewrapped += 1;
      onStep(row.id);
    }
    const last = rows.at(-1);
    if (!last || rows.length < PIECE) return { rewrapped, unreadable };
    after = [last.organization_id, last.id];
  }
}

interface Row {
  organization_id: string;
  id: string;
  secrets: unknown;
}

function rewrap(row: Row, stored: StoredSecrets): StoredSecrets | null {
  try {
    return rewrapSecrets({ organizationId: row.organization_id, streamId: row.id }, stored);
  } catch (error) {
    if (error instanceof SecretUnreadableError) return null;
    throw error;
  }
}

async function replace(row: Row, fresh: StoredSecrets): Promise<boolean> {
  const { rowCount } = await writePool().query(
    "UPDATE streams SET secrets = $3 WHERE organization_id = $1 AND id = $2 AND secrets = $4",
    [row.organization_id, row.id, JSON.stringify(fresh), JSON.stringify(row.secrets)],
  );
  return rowCount === 1;
}
