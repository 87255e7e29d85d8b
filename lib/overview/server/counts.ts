import type { Scope } from "@/lib/auth/scope";
import { type FailureRule, failureRules } from "@/lib/events/outcome";
import { readRows } from "@/lib/events/server/read";
import { whereClause, whereFilter } from "@/lib/events/server/where";
import { Prisma } from "@/lib/generated/prisma/client";
import { DAY_MS, type Period } from "../period";

/** Counts of events by occurred_at. Every function throws AppError timeout or unavailable. */

/** Newest events that the rollups have not reached, read one by one; what lies beyond is `behind`. */
const MAX_TAIL = 5_000;

/** Rollups, cursor and tail in one statement, and so in one snapshot: no event twice, none left out. */
function withTail(organizationId: string): Prisma.Sql {
  return Prisma.sql`WITH cursor AS (
      SELECT coalesce(max(next_seq), 0) AS seq FROM followers
      WHERE organization_id = ${organizationId} AND name = 'rollups'
    ), behind AS (
      SELECT greatest(0, coalesce(max(next_seq), 0) - (SELECT seq FROM cursor) - ${MAX_TAIL})::float8 AS behind
      FROM log_heads WHERE organization_id = ${organizationId}
    ), tail AS MATERIALIZED (
      SELECT e.occurred_at, e.action FROM events e
      WHERE e.organization_id = ${organizationId} AND e.seq >= (SELECT seq FROM cursor)
      ORDER BY e.seq LIMIT ${MAX_TAIL}
    )`;
}

const compared = ({ from }: Period) => Prisma.sql`
  coalesce(sum(e.events) FILTER (WHERE e.at >= ${from}::timestamptz), 0)::float8 AS now,
  coalesce(sum(e.events) FILTER (WHERE e.at < ${from}::timestamptz), 0)::float8 AS before`;

/** (action, at, events) of a period and the one before it; `at` lies within the day that is counted. */
function actionsByDay(organizationId: string, { before, to }: Period): Prisma.Sql {
  return Prisma.sql`
    SELECT action, day::timestamp AT TIME ZONE 'UTC' AS at, events FROM rollup_actions_daily
    WHERE organization_id = ${organizationId} AND day >= ${before.slice(0, 10)}::date AND day < ${to.slice(0, 10)}::date
    UNION ALL
    SELECT action, occurred_at, 1 FROM tail
    WHERE occurred_at >= ${before}::timestamptz AND occurred_at < ${to}::timestamptz`;
}

export interface Compared {
  /** Events in the period, and in as many days before it. */
  now: number;
  before: number;
}

export interface DayCounts extends Compared {
  days: { from: string; to: string; events: number }[];
  /** Newest events that none of these numbers has counted yet. */
  behind: number;
}

export async function readDays(
  { organizationId }: Scope,
  { before, from, to, days }: Period,
): Promise<DayCounts> {
  const rows = await readRows<{ behind: number; day: number | null; events: number }>(Prisma.sql`
    ${withTail(organizationId)}
    SELECT behind, day, events FROM behind LEFT JOIN (
      SELECT floor(extract(epoch FROM e.at) / 86400)::integer AS day, sum(e.events)::float8 AS events FROM (
        SELECT hour AS at, events FROM rollup_hourly
        WHERE organization_id = ${organizationId} AND hour >= ${before}::timestamptz AND hour < ${to}::timestamptz
        UNION ALL
        SELECT occurred_at, 1 FROM tail
        WHERE occurred_at >= ${before}::timestamptz AND occurred_at < ${to}::timestamptz
      ) e GROUP BY 1
    ) counted ON true`);
  const eventsOf = new Map(rows.map(({ day, events }) => [day, events]));
  const sum = (fromMs: number) =>
    Array.from({ length: days }, (_, at) => {
      const dayMs = fromMs + at * DAY_MS;
      const [start, end] = [dayMs, dayMs + DAY_MS].map((ms) => new Date(ms).toISOString());
      return {
        from: start as string,
        to: end as string,
        events: eventsOf.get(dayMs / DAY_MS) ?? 0,
      };
    });
  const total = (list: { events: number }[]) => list.reduce((sum, { events }) => sum + events, 0);
  const shown = sum(Date.parse(from));
  return {
    days: shown,
    now: total(shown),
    before: total(sum(Date.parse(before))),
    behind: rows[0]?.behind ?? 0,
  };
}

export interface ActionCount extends Compared {
  action: string;
}

export async function readTopActions(
  { organizationId }: Scope,
  period: Period,
  limit: number,
): Promise<ActionCount[]> {
  return readRows<ActionCount>(Prisma.sql`
    ${withTail(organizationId)}
    SELECT e.action, ${compared(period)} FROM (${actionsByDay(organizationId, period)}) e
    GROUP BY e.action HAVING bool_or(e.at >= ${period.from}::timestamptz)
    ORDER BY now DESC, e.action LIMIT ${limit}`);
}

export interface FailureCount {
  rule: FailureRule;
  now: number;
  /** Null: the period before was not counted. */
  before: number | null;
  /** The number is about `occurred_at` from here on: the period's start, or later in a busy log. */
  from: string;
}

/** Rules about the action alone are counted in full from the rollups, others on the newest events. */
const isByAction = ({ filter }: FailureRule) =>
  filter.clauses.every(
    ({ condition }) => condition.kind === "any" && condition.field.id === "action",
  );

const MAX_SCANNED = 5_000;

export async function readFailures(scope: Scope, period: Period): Promise<FailureCount[]> {
  const byAction = failureRules.filter(isByAction);
  const others = failureRules.filter((rule) => !isByAction(rule));
  const [counted, scanned] = await Promise.all([
    countByAction(scope, period, byAction),
    countNewest(scope, period, others),
  ]);
  return [...counted, ...scanned];
}

async function countByAction(
  { organizationId }: Scope,
  period: Period,
  rules: FailureRule[],
): Promise<FailureCount[]> {
  const each = rules.map(
    ({ filter }, at) =>
      Prisma.sql`SELECT ${at}::integer AS at, ${compared(period)} FROM counted e WHERE ${Prisma.join(filter.clauses.map(whereClause), " AND ")}`,
  );
  const rows = await readRows<Compared & { at: number }>(Prisma.sql`
    ${withTail(organizationId)}, counted AS (${actionsByDay(organizationId, period)})
    ${Prisma.join(each, " UNION ALL ")} ORDER BY at`);
  return rows.map(({ now, before }, at) => ({
    rule: rules[at] as FailureRule,
    now,
    before,
    from: period.from,
  }));
}

async function countNewest(
  { organizationId }: Scope,
  { from, to }: Period,
  rules: FailureRule[],
): Promise<FailureCount[]> {
  const within = Prisma.sql`e.organization_id = ${organizationId} AND e.occurred_at < ${to}::timestamptz`;
  const each = rules.map(
    ({ filter }) =>
      Prisma.sql`count(*) FILTER (WHERE ${whereFilter(organizationId, filter)})::integer`,
  );
  // Behind the oldest of the newest events, so that the link's time says exactly what was searched.
  const [row] = await readRows<{ from_ms: number; counts: number[] }>(Prisma.sql`
    WITH start AS MATERIALIZED (
      SELECT CASE WHEN count(*) < ${MAX_SCANNED} THEN ${from}::timestamptz
        ELSE min(occurred_at) + interval '1 millisecond' END AS at
      FROM (SELECT e.occurred_at FROM events e WHERE ${within} AND e.occurred_at >= ${from}::timestamptz
        ORDER BY e.occurred_at DESC, e.seq DESC LIMIT ${MAX_SCANNED}) newest
    )
    SELECT (SELECT extract(epoch FROM at) * 1000 FROM start)::float8 AS from_ms, ARRAY[${Prisma.join(each)}] AS counts
    FROM events e WHERE ${within} AND e.occurred_at >= (SELECT at FROM start)`);
  return rules.map((rule, at) => ({
    rule,
    now: row?.counts[at] ?? 0,
    before: null,
    from: row ? new Date(row.from_ms).toISOString() : from,
  }));
}
