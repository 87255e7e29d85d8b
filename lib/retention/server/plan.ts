import type { Scope } from "@/lib/auth/scope";
import { CLOCK_TOLERANCE_MS } from "@/lib/clock";
import { longPool } from "@/lib/db/pool";
import { getPrisma } from "@/lib/db/prisma";
import { AppError } from "@/lib/errors";
import { readClocks } from "@/lib/events/server/clocks";
import { readPolicy } from "@/lib/orgs/server/retention";
import type { PrunePlan, RetentionPlan, RetentionPolicy } from "../schema";
import { openHolds } from "./holds";

/** What retention removes, said before it does. Nothing here changes anything. */

export const DAY_MS = 86_400_000;

export interface LogEnds {
  first: number;
  next: number;
}

/** @throws AppError not_found for an organization without a log */
export async function readEnds({ organizationId }: Scope): Promise<LogEnds> {
  const head = await getPrisma().logHead.findUnique({ where: { organizationId } });
  if (!head) throw new AppError("not_found", `There is no log of '${organizationId}'.`);
  return { first: Number(head.firstSeq), next: Number(head.nextSeq) };
}

/** When an event was received; null where there is none. */
export async function receivedAt({ organizationId }: Scope, seq: number): Promise<Date | null> {
  const event = await getPrisma().event.findFirst({
    where: { organizationId, seq },
    select: { recordedAt: true },
  });
  return event?.recordedAt ?? null;
}

/**
 * The first number that was not received before a time. Received times never decrease along the sequence, so it is
 * found by halving: one look-up by key per step, whatever the size of the log.
 */
export async function boundaryOf(scope: Scope, ends: LogEnds, before: Date): Promise<number> {
  let { first: low, next: high } = ends;
  const oldest = await receivedAt(scope, low);
  if (!oldest || oldest >= before) return low;
  while (low < high) {
    const seq = Math.floor((low + high) / 2);
    const at = await receivedAt(scope, seq);
    if (at && at < before) low = seq + 1;
    else high = seq;
  }
  return low;
}

/**
 * What a policy deletes today: whole days, so that a log is pruned once a day at most. Null: nothing, or not yet: who
 * set it by mistake has the grace period to notice, from the time it is sealed.
 * @param policy without `since`: one that is only thought of
 */
export function deletedBefore(
  policy: Pick<RetentionPolicy, "days" | "graceDays"> & { since?: string | null },
  now = Date.now(),
): Date | null {
  const { days, graceDays, since } = policy;
  if (days === null || since === null) return null;
  if (since !== undefined && now < Date.parse(since) + graceDays * DAY_MS) return null;
  return new Date(Math.floor(now / DAY_MS) * DAY_MS - (days + graceDays) * DAY_MS);
}

/** Streams that have not delivered everything below `size`, are to send some of it again, or have some set aside. */
export async function streamsBehind(
  { organizationId }: Scope,
  first: number,
  size: number,
): Promise<string[]> {
  const { rows } = await longPool().query<{ name: string }>(
    `SELECT DISTINCT s.name FROM streams s
     JOIN stream_state t ON t.organization_id = s.organization_id AND t.stream_id = s.id
     WHERE s.organization_id = $1 AND s.deleted_at IS NULL AND (
       (t.lane = 'live' AND t.cursor_seq < $2)
       OR (t.kind = 'backfill' AND t.finished_at IS NULL AND t.cursor_seq < least($2, t.to_seq))
       OR EXISTS (SELECT FROM dead_letters d WHERE d.organization_id = s.organization_id AND d.stream_id = s.id
         AND d.seq >= $3 AND d.seq < $2 AND d.discarded_at IS NULL)) ORDER BY 1`,
    [organizationId, size, first],
  );
  return rows.map(({ name }) => name);
}

interface PlanOptions {
  /** false: what only people want to know is not counted, and 0. */
  isCounted?: boolean;
}

/** What pruning everything received before `before` would remove. */
export async function planPrune(
  scope: Scope,
  before: Date,
  { isCounted = true }: PlanOptions = {},
): Promise<PrunePlan> {
  const ends = await readEnds(scope);
  const size = await boundaryOf(scope, ends, before);
  const events = size - ends.first;
  return {
    size,
    events,
    newer: isCounted && events > 0 ? await countNewer(scope, ends.first, size, before) : 0,
    behind: events > 0 ? await streamsBehind(scope, ends.first, size) : [],
  };
}

async function countNewer(scope: Scope, first: number, size: number, before: Date) {
  const { rows } = await longPool().query<{ newer: number }>(
    `SELECT count(*)::int AS newer FROM events
     WHERE organization_id = $1 AND seq >= $2 AND seq < $3 AND recorded_at < $4 AND occurred_at >= $4`,
    [scope.organizationId, first, size, before],
  );
  return rows[0]?.newer ?? 0;
}

/**
 * Events below the log's beginning that a deletion has not come to yet: what is left of it is its end. (Numbers below 0
 * are no event's: verification names them.)
 */
export async function countUnfinished({ organizationId }: Scope, first: number): Promise<number> {
  const { rows } = await longPool().query<{ low: number | null }>(
    "SELECT min(seq) AS low FROM events WHERE organization_id = $1 AND seq >= 0 AND seq < $2",
    [organizationId, first],
  );
  const low = rows[0]?.low;
  return low === null || low === undefined ? 0 : first - low;
}

/** What the policy deletes now, and what keeps it from that. Counts without a bound: not for a page. */
export async function planRetention(
  scope: Scope,
  { isCounted = true }: PlanOptions = {},
): Promise<RetentionPlan> {
  const policy = await readPolicy(scope);
  const ends = await readEnds(scope);
  const before = deletedBefore(policy);
  const none = { size: ends.first, events: 0, newer: 0, behind: [] };
  const plan = before ? await planPrune(scope, before, { isCounted }) : none;
  const [holds, refusal] = await Promise.all([openHolds(scope), refusalOf(scope, policy)]);
  const at = async (seq: number) =>
    plan.events > 0 ? ((await receivedAt(scope, seq))?.toISOString() ?? null) : null;
  return {
    ...plan,
    ...policy,
    organizationId: scope.organizationId,
    before: before?.toISOString() ?? null,
    oldest: await at(ends.first),
    newest: await at(plan.size - 1),
    outliving: before && isCounted ? await countOutliving(scope, plan.size, before) : 0,
    holds,
    unfinished: await countUnfinished(scope, ends.first),
    refusal,
    state: stateOf(policy, refusal, plan, holds.length),
  };
}

/**
 * Why nothing is deleted, though the policy may say so. A clock that runs ahead would delete early: this server's has to
 * agree with the database's, and not to lie behind what was received already. Two clocks that are set forward together,
 * as those of one machine are, look like a time without events, and are not told from that.
 */
export async function refusalOf(
  scope: Scope,
  { days, contradiction }: RetentionPolicy,
): Promise<string | null> {
  if (contradiction !== null || days === null) return contradiction;
  const { databaseAheadMs, recordedAheadMs } = await readClocks(scope);
  const seconds = (ms: number) => `${Math.ceil(Math.abs(ms) / 1_000)} s`;
  const next = "Nothing is deleted until that is put right: check the time synchronisation (NTP).";
  if (Math.abs(databaseAheadMs) > CLOCK_TOLERANCE_MS)
    return `The server's clock and the database's differ by ${seconds(databaseAheadMs)}. ${next}`;
  if (recordedAheadMs > CLOCK_TOLERANCE_MS)
    return `The newest event was received ${seconds(recordedAheadMs)} after what the server's clock says now. ${next}`;
  return null;
}

export function stateOf(
  { days, undelivered }: RetentionPolicy,
  refusal: string | null,
  { events, behind }: Pick<PrunePlan, "events" | "behind">,
  holds: number,
): RetentionPlan["state"] {
  if (refusal !== null) return "refused";
  if (days === null) return "kept";
  if (events === 0) return "nothing";
  if (holds > 0) return "held";
  return behind.length > 0 && undelivered === "hold" ? "behind" : "due";
}

async function countOutliving(scope: Scope, size: number, before: Date): Promise<number> {
  const { rows } = await longPool().query<{ outliving: number }>(
    `SELECT count(*)::int AS outliving FROM events
     WHERE organization_id = $1 AND seq >= $2 AND recorded_at >= $3 AND occurred_at < $3`,
    [scope.organizationId, size, before],
  );
  return rows[0]?.outliving ?? 0;
}
