import { setTimeout as sleep } from "node:timers/promises";
import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { inTransaction, writePool } from "@/lib/db/pool";
import { getPrisma } from "@/lib/db/prisma";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import type { Job } from "@/lib/generated/prisma/client";
import { newId, newUlid } from "@/lib/ids";
import { traced } from "@/lib/tracing";
import {
  type Verdict,
  type Verification,
  type VerificationProgress,
  verdictSchema,
  verificationProgressSchema,
} from "../schema";
import { alertOnBreak } from "./break-alert";
import { breakOf, readBreak } from "./log-watch";
import { verifyLog } from "./verify";

const KIND = "verify";
const MAX_ATTEMPTS = 5;
/** Logs verified side by side, so that a small one need not wait for a large one. */
const LANES = 2;

function toVerification(job: Job): Verification {
  return {
    id: job.id,
    state: job.state as Verification["state"],
    progress: verificationProgressSchema.parse(job.progress),
    verdict: job.result === null ? null : verdictSchema.parse(job.result),
    error: job.error,
    createdBy: job.createdBy,
    createdAt: job.createdAt.toISOString(),
    startedAt: job.startedAt?.toISOString() ?? null,
    finishedAt: job.finishedAt?.toISOString() ?? null,
  };
}

/** Queues a verification of the whole log; one that is queued or under way already is returned instead. */
export async function startVerification(scope: Scope): Promise<Verification> {
  const { organizationId } = scope;
  const open = await getPrisma().job.findFirst({
    where: {
      organizationId,
      kind: KIND,
      state: { in: ["queued", "running"] },
      cancelRequested: false,
    },
  });
  if (open) return toVerification(open);
  const id = newId("job");
  await inTransaction(writePool(), async (client) => {
    await client.query(
      `INSERT INTO jobs (id, kind, organization_id, state, created_by) VALUES ($1, $2, $3, 'queued', $4)`,
      [id, KIND, organizationId, creatorOf(scope)],
    );
    await tell(client, scope, "started", id);
  }).catch((error: unknown) => {
    // A log that was turned back, say, has its next number already.
    if (!/^2/.test(String((error as { code?: unknown }).code))) throw error;
    throw new AppError(
      "conflict",
      `The log takes no event that tells of this verification: it is damaged. Run \`npx trailseal verify --org ${organizationId}\` on the server, which needs none.`,
      { cause: error },
    );
  });
  return (await getVerification(scope, id)) as Verification;
}

const tell = (client: pg.PoolClient, scope: Scope, what: "started" | "cancelled", id: string) =>
  appendControlEvent(client, scope, {
    action: `trailseal.verification_${what}`,
    targets: [{ type: "verification", id }],
  });

function creatorOf({ principal }: Scope): string {
  return principal.kind === "user" ? principal.email : principal.kind;
}

/** Keeps a verification that ran elsewhere, as from the command line, among the runs that the page shows. */
export async function recordVerification(scope: Scope, verdict: Verdict): Promise<void> {
  await getPrisma().job.create({
    data: {
      id: newId("job"),
      kind: KIND,
      organizationId: scope.organizationId,
      state: "succeeded",
      createdBy: creatorOf(scope),
      result: verdict,
      createdAt: verdict.started_at,
      startedAt: verdict.started_at,
      finishedAt: verdict.finished_at,
    },
  });
}

/**
 * Asks a verification to stop: at once when it is still queued, within about a second when it runs. One that
 * has ended stays as it is.
 * @throws AppError not_found
 */
export async function cancelVerification(scope: Scope, id: string): Promise<Verification> {
  await inTransaction(writePool(), async (client) => {
    const { rowCount } = await client.query(
      `UPDATE jobs SET cancel_requested = true,
         state = CASE state WHEN 'queued' THEN 'cancelled' ELSE state END,
         finished_at = CASE state WHEN 'queued' THEN now() END
       WHERE id = $1 AND organization_id = $2 AND kind = $3
         AND (state = 'queued' OR state = 'running' AND NOT cancel_requested)`,
      [id, scope.organizationId, KIND],
    );
    if (rowCount) await tell(client, scope, "cancelled", id);
  });
  const verification = await getVerification(scope, id);
  if (!verification) throw new AppError("not_found", `Verification not found: '${id}'.`);
  return verification;
}

/** The newest runs first. */
export async function listVerifications(scope: Scope, limit = 20): Promise<Verification[]> {
  const jobs = await getPrisma().job.findMany({
    where: { organizationId: scope.organizationId, kind: KIND },
    orderBy: [{ createdAt: "desc" }, { id: "desc" }],
    take: limit,
  });
  return jobs.map(toVerification);
}

export async function getVerification(scope: Scope, id: string): Promise<Verification | null> {
  const job = await getPrisma().job.findFirst({
    where: { id, organizationId: scope.organizationId, kind: KIND },
  });
  return job && toVerification(job);
}

// The worker's side -----------------------------------------------------------------------------------

export interface RunnerOptions {
  /** How long a job stays with a worker that says nothing. */
  leaseMs?: number;
  /** How often progress is stored, the lease extended and a wish to cancel seen. */
  heartbeatMs?: number;
  /** Pause when there is nothing to do. */
  pollMs?: number;
}

/** The right to run one job: each claim raises the attempt, and only the newest may write. */
interface Claim {
  id: string;
  organizationId: string;
  attempt: number;
}

class Cancelled extends Error {}
class LeaseLost extends Error {}

/** Runs queued verifications, and those whose worker died, until aborted. */
export async function runVerificationJobs(
  signal: AbortSignal,
  options: RunnerOptions = {},
): Promise<void> {
  const settings = { leaseMs: 15_000, heartbeatMs: 500, pollMs: 300, ...options };
  // A lane that fails ends the others too: whoever runs this starts all of them again.
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const lane = async () => {
    while (!stop.aborted) {
      const claim = await claimJob(settings.leaseMs);
      if (claim) await traced("verification", spanOf(claim), () => runJob(claim, stop, settings));
      else await sleep(settings.pollMs, undefined, { signal: stop }).catch(() => undefined);
    }
  };
  const lanes = Array.from({ length: LANES }, () =>
    lane().catch((error) => {
      failed.abort(error);
      throw error;
    }),
  );
  const ended = await Promise.allSettled(lanes);
  const failure = ended.find((result) => result.status === "rejected");
  if (failure) throw failure.reason;
}

const spanOf = ({ id, organizationId }: Claim) => ({
  "trailseal.verification_id": id,
  "trailseal.organization_id": organizationId,
});

async function claimJob(leaseMs: number): Promise<Claim | null> {
  const { rows } = await writePool().query<{
    id: string;
    organization_id: string;
    attempt: number;
    cancel_requested: boolean;
  }>(
    `UPDATE jobs SET state = 'running', attempt = attempt + 1, lease_owner = $2,
       lease_until = now() + $3 * interval '1 millisecond', started_at = coalesce(started_at, now())
     WHERE id = (
       SELECT id FROM jobs
       WHERE kind = $1 AND (state = 'queued' OR (state = 'running' AND lease_until < now()))
       ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING id, organization_id, attempt, cancel_requested`,
    [KIND, newUlid(), leaseMs],
  );
  const row = rows[0];
  if (!row) return null;
  const claim = { id: row.id, organizationId: row.organization_id, attempt: row.attempt };
  if (row.cancel_requested) await finish(claim, "cancelled");
  else if (row.attempt > MAX_ATTEMPTS) {
    const error = `the worker ended ${MAX_ATTEMPTS} times while it verified`;
    await finish(claim, "failed", { error });
  } else return claim;
  return null;
}

async function runJob(
  claim: Claim,
  stop: AbortSignal,
  { leaseMs, heartbeatMs }: Required<RunnerOptions>,
): Promise<void> {
  const own = new AbortController();
  let progress: VerificationProgress = verificationProgressSchema.parse({});
  const beat = async () => {
    while (!own.signal.aborted) {
      await sleep(heartbeatMs, undefined, { signal: own.signal }).catch(() => undefined);
      if (own.signal.aborted) return;
      try {
        await heartbeat(claim, progress, leaseMs);
      } catch (error) {
        own.abort(error);
      }
    }
  };
  const beating = beat();
  try {
    const verdict = await verifyLog(systemScope("worker", claim.organizationId), {
      signal: AbortSignal.any([own.signal, stop]),
      onProgress: (now) => {
        progress = now;
      },
    });
    const scope = systemScope("worker", claim.organizationId);
    const known = await readBreak(scope);
    await inTransaction(writePool(), async (client) => {
      await finish(claim, "succeeded", { progress, verdict }, client);
      await alertOnBreak(client, scope, breakOf(verdict), known);
    });
  } catch (error) {
    if (error instanceof LeaseLost) return;
    if (error instanceof Cancelled) await finish(claim, "cancelled", { progress });
    else if (stop.aborted) await release(claim);
    else if (claim.attempt < MAX_ATTEMPTS) {
      await release(claim);
      throw error;
    } else {
      const message = error instanceof Error ? error.message : String(error);
      await finish(claim, "failed", { progress, error: message });
    }
  } finally {
    own.abort();
    await beating;
  }
}

const HELD = "id = $1 AND attempt = $2 AND state = 'running'";

/** @throws LeaseLost, Cancelled */
async function heartbeat(
  { id, attempt }: Claim,
  progress: VerificationProgress,
  leaseMs: number,
): Promise<void> {
  const { rows } = await writePool().query<{ cancel_requested: boolean }>(
    `UPDATE jobs SET progress = $3, lease_until = now() + $4 * interval '1 millisecond'
     WHERE ${HELD} RETURNING cancel_requested`,
    [id, attempt, JSON.stringify(progress), leaseMs],
  );
  if (!rows[0]) throw new LeaseLost("another worker has this job");
  if (rows[0].cancel_requested) throw new Cancelled("cancelled");
}

async function finish(
  { id, attempt }: Claim,
  state: "succeeded" | "failed" | "cancelled",
  end: { progress?: VerificationProgress; verdict?: Verdict; error?: string } = {},
  client: pg.PoolClient | pg.Pool = writePool(),
): Promise<void> {
  await client.query(
    `UPDATE jobs SET state = $3, progress = coalesce($4, progress), result = $5, error = $6,
       finished_at = now(), lease_owner = NULL, lease_until = NULL WHERE ${HELD}`,
    [
      id,
      attempt,
      state,
      end.progress ? JSON.stringify(end.progress) : null,
      end.verdict ? JSON.stringify(end.verdict) : null,
      end.error ?? null,
    ],
  );
}

/** Gives a job back: the next worker takes it without waiting for the lease to end. */
async function release({ id, attempt }: Claim): Promise<void> {
  await writePool().query(
    `UPDATE jobs SET state = 'queued', lease_owner = NULL, lease_until = NULL WHERE ${HELD}`,
    [id, attempt],
  );
}

const HISTORY_KEPT = "90 days";

/** Housekeeping: verifications that ended long ago; a log's last verdict stays until there is a newer one. */
export async function deleteOldVerifications(): Promise<void> {
  await writePool().query(
    `DELETE FROM jobs j WHERE kind = $1 AND finished_at < now() - $2::interval
       AND EXISTS (SELECT FROM jobs newer WHERE newer.organization_id = j.organization_id AND newer.kind = $1
         AND newer.state = 'succeeded' AND newer.created_at > j.created_at)`,
    [KIND, HISTORY_KEPT],
  );
}
