import type { Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { inTransaction, longPool } from "@/lib/db/pool";
import { getPrisma } from "@/lib/db/prisma";
import { log } from "@/lib/log";
import { type Finding, findingSchema, type Verdict, verdictSchema } from "../schema";
import { alertOnBreak } from "./break-alert";
import { verifyLog } from "./verify";

/** The continuous check: what came since the last one, of every log, a few seconds after it came. */

export interface LogWatch {
  /** Events below this were looked at. */
  checkedTo: number;
  checkedAt: string;
  finding: Finding | null;
}

/** Logs that moved since they were looked at. */
export async function logsToWatch(): Promise<string[]> {
  const { rows } = await longPool().query<{ organization_id: string }>(
    `SELECT h.organization_id FROM log_heads h
     LEFT JOIN log_watches w ON w.organization_id = h.organization_id
     WHERE h.next_seq > 0 AND h.next_seq IS DISTINCT FROM w.checked_to
     ORDER BY w.checked_at NULLS FIRST, h.organization_id`,
  );
  return rows.map((row) => row.organization_id);
}

/** Verifies what is new in a log, or all of it the first time, and keeps what it found. */
export async function watchLog(organizationId: string, signal?: AbortSignal): Promise<LogWatch> {
  const scope = systemScope("worker", organizationId);
  const before = await readWatch(scope);
  const verdict = await verifyLog(scope, { isNewestOnly: true, ...(signal ? { signal } : {}) });
  const finding = breakOf(verdict);
  await inTransaction(longPool(), async (client) => {
    await client.query(
      `INSERT INTO log_watches (organization_id, checked_to, finding) VALUES ($1, $2, $3)
       ON CONFLICT (organization_id) DO UPDATE
       SET checked_to = EXCLUDED.checked_to, finding = EXCLUDED.finding, checked_at = now()`,
      [organizationId, verdict.next_seq, finding && JSON.stringify(finding)],
    );
    await alertOnBreak(client, scope, finding, before?.finding ?? null);
  });
  if (finding && before?.finding?.kind !== finding.kind)
    log().error({ organization_id: organizationId, finding }, "a log does not verify");
  return { checkedTo: verdict.next_seq, checkedAt: verdict.finished_at, finding };
}

/** Null: never checked. */
export async function readWatch({ organizationId }: Scope): Promise<LogWatch | null> {
  const row = await getPrisma().logWatch.findUnique({ where: { organizationId } });
  return (
    row && {
      checkedTo: Number(row.checkedTo),
      checkedAt: row.checkedAt.toISOString(),
      finding: row.finding === null ? null : findingSchema.parse(row.finding),
    }
  );
}

/** What is known to be broken, by the continuous check or by the last whole verification. */
export async function readBreak(scope: Scope): Promise<Finding | null> {
  const [watch, run] = await Promise.all([readWatch(scope), readLastVerdict(scope)]);
  return watch?.finding ?? (run && breakOf(run));
}

/** Of the newest whole verification that ended; null for none. */
export async function readLastVerdict({ organizationId }: Scope): Promise<Verdict | null> {
  const run = await getPrisma().job.findFirst({
    where: { organizationId, kind: "verify", state: "succeeded" },
    orderBy: [{ createdAt: "desc" }, { id: "desc" }],
    select: { result: true },
  });
  return run && verdictSchema.parse(run.result);
}

/** The first break that a verification found; null for none, and where there was nothing to check. */
export const breakOf = ({ ok, kind, findings }: Verdict): Finding | null =>
  ok || kind === "nothing_checked" ? null : (findings[0] ?? null);
