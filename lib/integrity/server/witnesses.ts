import { raiseAlertOnce } from "@/lib/alerts/server/alerts";
import type { Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { longPool, readPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { log } from "@/lib/log";
import { WITNESS_NAME, type WitnessKind, type WitnessState } from "../schema";
import { DIRECTORY } from "./directory";
import { type Kept, type SignedLog, signedLogs, type Witness, WitnessConflict } from "./witness";
import { directoryWitness } from "./witness-directory";
import { httpWitness } from "./witness-http";

/** Those that are set up. */
export function configuredWitnesses(): Witness[] {
  return [directoryWitness(), httpWitness()].filter((witness) => witness !== null);
}

/** Publishes to one witness, and keeps how that went. @throws as Witness.publish */
export async function publishTo(witness: Witness, signed: SignedLog): Promise<number> {
  const size = await witness.publish(signed);
  await longPool().query(
    `INSERT INTO witness_states (organization_id, witness, size, published_at) VALUES ($1, $2, $3, now())
     ON CONFLICT (organization_id, witness) DO UPDATE
     SET size = EXCLUDED.size, published_at = now(), failing_since = NULL, last_error = NULL`,
    [signed.organizationId, witness.kind, size],
  );
  return size;
}

/** Publishes all checkpoints of a log to every witness. @throws AppError conflict where one does not take them */
export async function publishCheckpoints(organizationId: string): Promise<void> {
  const [signed] = await signedLogs(organizationId);
  if (!signed) return;
  for (const witness of configuredWitnesses()) {
    try {
      while ((await publishTo(witness, signed)) < signed.size);
    } catch (cause) {
      const detail = `The checkpoint could not be published to the ${WITNESS_NAME[witness.kind]}: ${(cause as Error).message}`;
      throw new AppError("conflict", detail, { cause });
    }
  }
}

/** Told of already, by witness and log. */
const contradicted = new Set<string>();

const stateOf = ({ origin, size }: SignedLog) => `${origin} ${size}`;

/**
 * Publishes the logs that are not as `published` says, and keeps there how far each came. A log that the witness
 * contradicts holds up no other.
 * @returns why the witness takes nothing; null when it does
 */
export async function publishDue(
  witness: Witness,
  published: Map<string, string>,
  signal?: AbortSignal,
): Promise<Error | null> {
  const due = (await signedLogs()).filter(
    (one) => published.get(one.organizationId) !== stateOf(one),
  );
  // Begun anywhere: a log whose notes are refused does not hold up those behind it for good.
  due.unshift(...due.splice(Math.floor(Math.random() * due.length)));
  for (const [at, one] of due.entries()) {
    if (signal?.aborted) return null;
    const key = `${witness.kind} ${one.organizationId}`;
    try {
      const size = await publishTo(witness, one);
      published.set(one.organizationId, stateOf({ ...one, size }));
      contradicted.delete(key);
    } catch (error) {
      const isConflict = error instanceof WitnessConflict;
      await recordFailure(witness, isConflict ? [one] : due.slice(at), error as Error);
      if (!isConflict) return error as Error;
      // Looked at again with its next checkpoint.
      published.set(one.organizationId, stateOf(one));
      const words = { organization_id: one.organizationId, detail: error.message };
      if (!contradicted.has(key))
        log().error(words, `the ${WITNESS_NAME[witness.kind]} contradicts a log`);
      contradicted.add(key);
    }
  }
  return null;
}

const TOLERATED_MS = 3_600_000;

/** Keeps that logs could not be published; tells of it at once when they contradict, else after an hour. */
export async function recordFailure(
  { kind }: Witness,
  logs: SignedLog[],
  error: Error,
): Promise<void> {
  const { rows } = await longPool().query<{ failing_since: Date }>(
    `INSERT INTO witness_states (organization_id, witness, failing_since, last_error)
     SELECT unnest($1::text[]), $2, now(), $3
     ON CONFLICT (organization_id, witness) DO UPDATE
     SET failing_since = coalesce(witness_states.failing_since, now()), last_error = EXCLUDED.last_error
     RETURNING failing_since`,
    [logs.map(({ organizationId }) => organizationId), kind, error.message],
  );
  const since = new Date(Math.min(...rows.map((row) => row.failing_since.getTime())));
  const name = WITNESS_NAME[kind];
  if (error instanceof WitnessConflict) {
    const [{ organizationId }] = logs as [SignedLog];
    const isOne = organizationId !== DIRECTORY;
    await raiseAlertOnce(
      longPool(),
      systemScope("worker", isOne ? organizationId : "_instance"),
      {
        kind: "witness.conflict",
        title: `The ${name} contradicts ${isOne ? `the audit log of ${organizationId}` : "the directory of logs"}`,
        detail: error.message,
        path: isOne ? `/o/${organizationId}/integrity` : "/o",
      },
      since,
    );
  } else if (Date.now() - since.getTime() > TOLERATED_MS) {
    await raiseAlertOnce(
      longPool(),
      systemScope("worker", "_instance"),
      {
        kind: "witness.failing",
        title: `The ${name} takes no checkpoints`,
        detail: `Since ${since.toISOString()}: ${error.message} Signing goes on, and what is left is published when it works again.`,
        path: "/o",
      },
      since,
    );
  }
}

/** How this log's publication fares, one state for each witness that is set up. */
export async function readWitnessStates({ organizationId }: Scope): Promise<WitnessState[]> {
  const { rows } = await readPool().query<{
    witness: WitnessKind;
    size: number;
    published_at: Date | null;
    failing_since: Date | null;
    last_error: string | null;
  }>(
    `SELECT witness, size, published_at, failing_since, last_error FROM witness_states
     WHERE organization_id = $1`,
    [organizationId],
  );
  return configuredWitnesses().map(({ kind }) => {
    const row = rows.find(({ witness }) => witness === kind);
    return {
      kind,
      size: row?.size ?? 0,
      publishedAt: row?.published_at?.toISOString() ?? null,
      failingSince: row?.failing_since?.toISOString() ?? null,
      error: row?.last_error ?? null,
    };
  });
}

/** What witnesses keep of a log, for a comparison. One that cannot be read says nothing: a sentence tells. */
export async function readKept(
  organizationId: string,
  origins: string[],
  isNewestOnly = false,
): Promise<Kept> {
  const kept: Kept = { notes: [], gaps: [] };
  for (const witness of configuredWitnesses()) {
    try {
      const { notes, gaps } = await witness.read(organizationId, origins, isNewestOnly);
      kept.notes.push(...notes);
      kept.gaps.push(...gaps);
    } catch (error) {
      kept.gaps.push(
        `The ${WITNESS_NAME[witness.kind]} could not be read, and nothing was compared with it: ${(error as Error).message}`,
      );
    }
  }
  return kept;
}
