import type { Scope } from "@/lib/auth/scope";
import { type FailureRule, failureRules } from "@/lib/events/outcome";
import { readRows } from "@/lib/events/server/read";
import { ofOrganization, whereClause, whereFilter } from "@/lib/events/server/where";
import { Prisma } from "@/lib/generated/prisma/client";
import { DAY_MS, type Period } from "../period";

/** Counts of events by occurred_at. Every function throws AppError timeout or unavailable. */

/** Newest events that the rollups have not reached, read one by one; what lies beyond is `behind`. */
const MAX_TAIL = 5_000;

const inPeriods = (column: "hour" | "occurred_at", { before, to }: Period) =>
  Prisma.sql`${Prisma.raw(column)} >= ${before}::timestamptz AND ${Prisma.raw(column)} < ${to}::timestamptz`;

/** Rollups, cursor and tail in one statement, and so in one snapshot: no event twice, none left out. */
function withTail(organizationId: string): Prisma.Sql {
  return Prisma.sql`WITH cursor AS (
      SELECT coalesce(max(next_seq), 0) AS seq FROM followers
      WHERE organization_id = ${organizationId} AND name = 'rollups'
    ), tail AS MATERIALIZED (
      SELECT e.occurred_at, e.action FROM events e
      WHERE e.organization_id = ${organizationId} AND e.seq >= (SELECT seq FROM cursor)
      ORDER BY e.seq LIMIT ${MAX_TAIL}
    )`;
}

/** (action, at, events); `at` lies within the day that is counted. */
function withActions(organizationId: string, period: Period): Prisma.Sql {
  return Prisma.sql`${withTail(organizationId)}, actions AS (
      SELECT action, day::timestamp AT TIME ZONE 'UTC' AS at, events FROM rollup_actions_daily
      WHERE organization_id = ${organizationId} AND day >= ${period.before.slice(0, 10)}::date AND day < ${period.to.slice(0, 10)}::date
      UNION ALL SELECT action, occurred_at, 1 FROM tail WHERE ${inPeriods("occurred_at", period)}
    )`;
}

/** Events in the period, and in as many days before it. */
export interface Compared {
  now: number;
  before: number;
}

const compared = ({ from }: Period) => Prisma.sql`
  coalesce(sum(e.events) FILTER (WHERE e.at >= ${from}::timestamptz), 0)::float8 AS now,
  coalesce(sum(e.events) FILTER (WHERE e.at < ${from}::timestamptz), 0)::float8 AS before`;

export interface DayCounts extends Compared {
  days: { from: string; to: string; events: number }[];
  /** Newest events that none of these numbers has counted yet. */
  behind: number;
}

export async function readDays({ organizationId }: Scope, period: Period): Promise<DayCounts> {
  const rows = await readRows<{ behind: number; day_ms: number; events: number }>(Prisma.sql`
    ${withTail(organizationId)}, hours AS (
      SELECT hour AS at, events FROM rollup_hourly
      WHERE organization_id = ${organizationId} AND ${inPeriods("hour", period)}
      UNION ALL SELECT occurred_at, 1 FROM tail WHERE ${inPeriods("occurred_at", period)}
    ), behind AS (
      SELECT greatest(0, coalesce(max(next_seq), 0) - (SELECT seq FROM cursor) - ${MAX_TAIL})::float8 AS behind
      FROM log_heads WHERE organization_id = ${organizationId}
    )
    SELECT behind, (extract(epoch FROM day) * 1000)::float8 AS day_ms, coalesce(sum(e.events), 0)::float8 AS events
    FROM behind CROSS JOIN generate_series(${period.before}::timestamptz,
      ${period.to}::timestamptz - interval '24 hours', interval '24 hours') AS day
    LEFT JOIN hours e ON date_trunc('day', e.at, 'UTC') = day GROUP BY 1, 2 ORDER BY 2`);
  const all = rows.map(({ day_ms: ms, events }) => {
    return { from: new Date(ms).toISOString(), to: new Date(ms + DAY_MS).toISOString(), events };
  });
  const total = (days: typeof all) => days.reduce((sum, { events }) => sum + events, 0);
  const days = all.slice(period.days);
  const before = total(all.slice(0, period.days));
  return { days, now: total(days), before, behind: rows[0]?.behind ?? 0 };
}

export async function readTopActions(
  { organizationId }: Scope,
  period: Period,
  limit: number,
): Promise<(Compared & { action: string })[]> {
  return readRows(Prisma.sql`
    ${withActions(organizationId, period)}
    SELECT e.action, ${compared(period)} FROM actions e
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
export function readFailures(scope: Scope, period: Period): Promise<FailureCount[]> {
  return Promise.all(
    failureRules.map((rule) =>
      rule.filter.clauses.every(({ condition: c }) => c.kind === "any" && c.field.id === "action")
        ? countByAction(scope, period, rule)
        : countNewest(scope, period, rule),
    ),
  );
}

async function countByAction(
  { organizationId }: Scope,
  period: Period,
  rule: FailureRule,
): Promise<FailureCount> {
  const [row] = await readRows<Compared>(Prisma.sql`
    ${withActions(organizationId, period)}
    SELECT ${compared(period)} FROM actions e WHERE ${Prisma.join(rule.filter.clauses.map(whereClause), " AND ")}`);
  return { rule, now: 0, before: 0, ...row, from: period.from };
}

const MAX_SCANNED = 5_000;

async function countNewest(
  { organizationId }: Scope,
  { from, to }: Period,
  rule: FailureRule,
): Promise<FailureCount> {
  const until = Prisma.sql`${ofOrganization(organizationId)} AND e.occurred_at < ${to}::timestamptz`;
  // From behind the oldest of the newest events, so that the link's time says exactly what was searched.
  const [row] = await readRows<{ from_ms: number; now: number }>(Prisma.sql`
    WITH start AS MATERIALIZED (
      SELECT CASE WHEN count(*) < ${MAX_SCANNED} THEN ${from}::timestamptz
        ELSE min(occurred_at) + interval '1 millisecond' END AS at
      FROM (SELECT e.occurred_at FROM events e WHERE ${until} AND e.occurred_at >= ${from}::timestamptz
        ORDER BY e.occurred_at DESC, e.seq DESC LIMIT ${MAX_SCANNED}) newest
    )
    SELECT (SELECT extract(epoch FROM at) * 1000 FROM start)::float8 AS from_ms, count(*)::integer AS now
    FROM events e WHERE ${until} AND e.occurred_at >= (SELECT at FROM start)
      AND ${whereFilter(organizationId, rule.filter)}`);
  const start = row ? new Date(row.from_ms).toISOString() : from;
  return { rule, now: row?.now ?? 0, before: null, from: start };
}
