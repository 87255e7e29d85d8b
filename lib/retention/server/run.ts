import type pg from "pg";
import type { InstanceScope, Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { isConnectionFailure, longPool } from "@/lib/db/pool";
import { getEnv } from "@/lib/env";
import { sealDefault } from "@/lib/orgs/server/retention";
import type { RetentionPlan } from "../schema";
import { alone } from "./owner-transaction";
import { countUnfinished, planRetention, readEnds } from "./plan";
import { recordPruning } from "./prune";
import { type DroppedMonth, dropSpentPartitions, removePruned } from "./remove";

/** One run over the logs: records first, so that months go whole; then what is left of each log's beginning. */

export interface RunOutcome extends RetentionPlan {
  /** Events that are gone now; with `error`, what kept the others. */
  removed: number;
  error: string | null;
}

export interface RunReport {
  logs: RunOutcome[];
  /** Logs of which not even a plan could be made, and why. */
  skipped: { organizationId: string; error: string }[];
  dropped: DroppedMonth[];
}

export interface RunOptions {
  /** Only this organization; by default all that have something to delete. */
  organizationId?: string | undefined;
  signal?: AbortSignal | undefined;
  onBatch?: ((organizationId: string, removed: number) => void) | undefined;
}

/** Organizations that a period holds for, deleted ones too, and those where an interrupted run left something. */
export async function logsWithRetention({ principal }: InstanceScope): Promise<Scope[]> {
  const { rows } = await longPool().query<{ id: string }>(
    `SELECT h.organization_id AS id FROM log_heads h JOIN organizations o ON o.id = h.organization_id
     WHERE coalesce(o.retention_days, $1) IS NOT NULL
     UNION SELECT organization_id FROM retention_runs WHERE finished_at IS NULL ORDER BY 1`,
    [getEnv().TRAILSEAL_RETENTION_DAYS ?? null],
  );
  return rows.map(({ id }) => systemScope(principal.kind === "worker" ? "worker" : "cli", id));
}

/**
 * Deletes what policies say, of one log or of all. A log that cannot be pruned keeps no other from it.
 * @param pool of a login that may remove events
 * @throws AppError conflict while another run is under way; the signal's reason
 */
export async function runRetention(
  pool: pg.Pool,
  scope: InstanceScope,
  { organizationId, signal, onBatch }: RunOptions = {},
): Promise<RunReport> {
  return alone(async () => {
    const scopes = organizationId
      ? [systemScope(scope.principal.kind === "worker" ? "worker" : "cli", organizationId)]
      : await logsWithRetention(scope);
    const logs: RunOutcome[] = [];
    const skipped: RunReport["skipped"] = [];
    for (const log of scopes) {
      signal?.throwIfAborted();
      // One log that cannot be read keeps no other waiting.
      const read = async () => {
        await sealDefault(log);
        const plan = await planRetention(log, { isCounted: scope.principal.kind === "cli" });
        const record = () =>
          recordPruning(pool, log, plan, {
            before: new Date(plan.before as string),
            undelivered: plan.undelivered,
            policySeq: plan.sealedSeq,
          });
        const error = plan.state === "due" ? await reasonOf(record, signal) : plan.refusal;
        logs.push({ ...plan, removed: 0, error });
      };
      const error = await reasonOf(read, signal);
      if (error !== null) skipped.push({ organizationId: log.organizationId, error });
    }
    const dropped = await dropSpentPartitions(pool, signal);
    for (const outcome of logs) {
      const log = scopes.find((one) => one.organizationId === outcome.organizationId) as Scope;
      const due =
        outcome.unfinished + (outcome.state === "due" && !outcome.error ? outcome.events : 0);
      // What a hold keeps is no failure, and goes when it is released.
      if (outcome.holds.length > 0 || (due === 0 && !(await hasOpenRun(log)))) continue;
      const remove = () =>
        removePruned(pool, log, {
          signal,
          onBatch: (removed) => onBatch?.(log.organizationId, removed),
        });
      const error = await reasonOf(remove, signal);
      const look = async () => {
        outcome.removed = due - (await countUnfinished(log, (await readEnds(log)).first));
      };
      outcome.error ??= error ?? (await reasonOf(look, signal));
    }
    // Months that had to wait for the rows of earlier ones.
    dropped.push(...(await dropSpentPartitions(pool, signal)));
    return { logs, skipped, dropped };
  });
}

/** A deletion that ended behind its last row, and did not say so. */
async function hasOpenRun({ organizationId }: Scope): Promise<boolean> {
  const { rowCount } = await longPool().query(
    "SELECT 1 FROM retention_runs WHERE organization_id = $1 AND finished_at IS NULL LIMIT 1",
    [organizationId],
  );
  return rowCount !== 0;
}

/** What went wrong with one log. A stop, and a database that is away, concern all of them and are thrown on. */
async function reasonOf(
  work: () => Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  try {
    await work();
    return null;
  } catch (error) {
    if (signal?.aborted || isConnectionFailure(error)) throw error;
    return error instanceof Error ? error.message : String(error);
  }
}
