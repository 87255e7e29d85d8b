import type pg from "pg";
import type { InstanceScope, Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { isConnectionFailure, longPool } from "@/lib/db/pool";
import { getEnv } from "@/lib/env";
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
    for (const log of scopes) {
      signal?.throwIfAborted();
      const plan = await planRetention(log, { isCounted: scope.principal.kind === "cli" });
      const error =
        plan.state === "due"
          ? await reasonOf(
              () =>
                recordPruning(pool, log, plan, {
                  before: new Date(plan.before as string),
                  undelivered: plan.undelivered,
                }),
              signal,
            )
          : null;
      logs.push({ ...plan, removed: 0, error });
    }
    const dropped = await dropSpentPartitions(pool, signal);
    for (const [at, log] of scopes.entries()) {
      const outcome = logs[at] as RunOutcome;
      const due =
        outcome.unfinished + (outcome.state === "due" && !outcome.error ? outcome.events : 0);
      if (due === 0) continue;
      const error = await reasonOf(
        () =>
          removePruned(pool, log, {
            signal,
            onBatch: (removed) => onBatch?.(log.organizationId, removed),
          }),
        signal,
      );
      outcome.removed = due - (await countUnfinished(log, (await readEnds(log)).first));
      outcome.error ??= error;
    }
    return { logs, dropped };
  });
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
