import type { Scope } from "@/lib/auth/scope";
import { readPool, retentionPool } from "@/lib/db/pool";
import { readPolicy } from "@/lib/orgs/server/retention";
import type { Hold, RetentionOverview, RetentionPreview, RetentionRun } from "../schema";
import { listHolds } from "./holds";
import {
  boundaryOf,
  countUnfinished,
  DAY_MS,
  deletedBefore,
  readEnds,
  receivedAt,
  refusalOf,
  stateOf,
  streamsBehind,
} from "./plan";

/** What pages say about retention: look-ups by key, whatever the size of the log. */

const RUNS_SHOWN = 20;

/** What a period would delete now; null: the instance's default, else nothing. */
export async function previewRetention(
  scope: Scope,
  days: number | null,
): Promise<RetentionPreview> {
  const [ends, { defaultDays, graceDays }] = await Promise.all([
    readEnds(scope),
    readPolicy(scope),
  ]);
  const all = ends.next - ends.first;
  const before = deletedBefore({ days: days ?? defaultDays, graceDays });
  if (!before) return { before: null, events: 0, all };
  const events = (await boundaryOf(scope, ends, before)) - ends.first;
  return { before: before.toISOString(), events, all };
}

export async function readRetentionOverview(scope: Scope): Promise<RetentionOverview> {
  const [policy, ends, holds] = await Promise.all([
    readPolicy(scope),
    readEnds(scope),
    listHolds(scope),
  ]);
  const before = deletedBefore(policy);
  const size = before ? await boundaryOf(scope, ends, before) : ends.first;
  const events = size - ends.first;
  const behind = events > 0 ? await streamsBehind(scope, ends.first, size) : [];
  const refusal = await refusalOf(scope, policy);
  const isOpen = ({ releasedAt }: Hold) => releasedAt === null;
  return {
    policy,
    before: before?.toISOString() ?? null,
    events,
    behind,
    state: stateOf(policy, refusal, { events, behind }, holds.filter(isOpen).length),
    refusal,
    next: events === 0 && !refusal ? await readNext(scope) : null,
    unfinished: await countUnfinished(scope, ends.first),
    holds,
    isAutomatic: retentionPool() !== null,
  };
}

/** When the policy will delete something, and how much that will be of what is there. */
async function readNext(scope: Scope): Promise<RetentionOverview["next"]> {
  const [policy, ends] = await Promise.all([readPolicy(scope), readEnds(scope)]);
  const oldest = policy.days === null ? null : await receivedAt(scope, ends.first);
  if (!oldest || policy.days === null) return null;
  const due = Math.floor(oldest.getTime() / DAY_MS) + policy.days + policy.graceDays + 1;
  // What is not sealed yet will be in a moment.
  const since = policy.since ?? new Date().toISOString();
  const settled = Math.ceil(Date.parse(since) / DAY_MS) + policy.graceDays;
  const day = Math.max(due, settled);
  const before = deletedBefore({ ...policy, since }, day * DAY_MS) as Date;
  return {
    at: new Date(day * DAY_MS).toISOString(),
    events: (await boundaryOf(scope, ends, before)) - ends.first,
  };
}

/** Deletions, newest first. @param below only those that left the log to begin below this number */
export async function listRuns(
  { organizationId }: Scope,
  { below, limit = RUNS_SHOWN }: { below?: number | undefined; limit?: number } = {},
): Promise<{ runs: RetentionRun[]; older: number | null }> {
  const { rows } = await readPool().query(
    `SELECT prune_size AS size, first_seq AS "firstSeq", before, started_by AS "startedBy", undelivered,
       started_at AS "startedAt", finished_at AS "finishedAt", deleted, bytes
     FROM retention_runs WHERE organization_id = $1 AND ($2::bigint IS NULL OR prune_size < $2)
     ORDER BY prune_size DESC LIMIT $3`,
    [organizationId, below ?? null, limit + 1],
  );
  const runs = rows.slice(0, limit).map((row) => ({
    ...row,
    before: row.before.toISOString(),
    startedAt: row.startedAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  })) as RetentionRun[];
  return { runs, older: rows.length > limit ? (runs.at(-1)?.size ?? null) : null };
}
