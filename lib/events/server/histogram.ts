import type { Scope } from "@/lib/auth/scope";
import { Prisma } from "@/lib/generated/prisma/client";
import { FACET_SAMPLE } from "../facets";
import type { Clause } from "../filter/ast";
import { type Histogram, HOUR_MS, histogramBounds } from "../histogram";
import { failureRules } from "../outcome";
import { zoneOffsetMs } from "../zoned-time";
import { readSeenEdges } from "./edges";
import { choosePlan, type Plan, type Walk } from "./plan";
import { readRows } from "./read";
import { isRolledUp, uncounted } from "./rolled-up";
import { countedOf, type Extent, type SampleRequest, sampleOf, toWalk } from "./sample";
import { ofOrganization, whereClause } from "./where";

/** Where an index alone tells the times, more matches are counted. */
const INDEXED_SAMPLE = 50_000;

export interface HistogramRequest extends SampleRequest {
  /** IANA name. */
  zone: string;
}

/**
 * Events per bucket over the range, or over all that there is; null when there is nothing to draw. Without a
 * filter every event is counted, with one the newest matches, as far as `counted` says.
 * @throws AppError invalid_filter for what is hidden from the reader, timeout, unavailable
 */
export async function readHistogram(
  scope: Scope,
  request: HistogramRequest,
): Promise<Histogram | null> {
  const span = await readSpan(scope, request);
  if (!span) return null;
  const isWhole = request.filter.clauses.length === 0 && !scope.sight && (await isRolledUp(scope));
  const isLong = isWhole && (await countHours(scope, span)) > INDEXED_SAMPLE;
  // Rollups know whole hours: days of a zone with another offset are counted as UTC has them.
  const zone =
    isLong && zoneOffsetMs(request.zone, span.toMs) % HOUR_MS !== 0 ? "UTC" : request.zone;
  const bounds = histogramBounds(span.fromMs, span.toMs, zone, isLong ? HOUR_MS : 0);
  const walk = toWalk(scope, { ...request, from: toIso(span.fromMs), to: toIso(span.toMs) });
  const plan = await choosePlan(walk, request.filter);
  const isIndexed = plan.isWhole && plan.driver.kind !== "targets";
  const sample = (size: number, failed: Prisma.Sql) =>
    countSample(plan, walk, bounds, size, failed);
  const [whole, sampled] = await Promise.all([
    isLong
      ? countRollups(scope, span, bounds)
      : isIndexed
        ? sample(INDEXED_SAMPLE, Prisma.sql`false`)
        : null,
    sample(FACET_SAMPLE, isFailed),
  ]);
  const { counts, counted } = whole ?? sampled;
  return {
    bounds,
    counts,
    failed: sampled.failed,
    counted,
    failedCounted: sampled.counted,
    zone,
    floorMs: span.floorMs,
  };
}

/** Epoch milliseconds; `fromMs` included, `toMs` not. */
interface Span {
  fromMs: number;
  toMs: number;
  /** Where the events that are kept begin. */
  floorMs: number;
}

const toIso = (atMs: number) => new Date(atMs).toISOString();

/** The range, its open ends put where the events begin and end. */
async function readSpan(scope: Scope, { from, to }: SampleRequest): Promise<Span | null> {
  const edges = scope.sight ? await readSeenEdges(scope) : await readAllEdges(scope);
  if (!edges) return null;
  const floorMs = Date.parse(edges.oldest);
  const fromMs = from ? Date.parse(from) : floorMs;
  const newestMs = Date.parse(edges.newest);
  const toMs = to ? Date.parse(to) : Math.max(newestMs + 1, from ? Date.now() : 0);
  return fromMs < toMs ? { fromMs, toMs, floorMs } : null;
}

async function readAllEdges({ organizationId }: Scope) {
  const edge = (
    order: "ASC" | "DESC",
  ) => Prisma.sql`(SELECT (extract(epoch FROM e.occurred_at) * 1000)::float8
    FROM events e WHERE ${ofOrganization(organizationId)} ORDER BY e.occurred_at ${Prisma.raw(order)}, e.seq ${Prisma.raw(order)} LIMIT 1)`;
  const [row] = await readRows<{ oldest: number | null; newest: number | null }>(
    Prisma.sql`SELECT ${edge("ASC")} AS oldest, ${edge("DESC")} AS newest`,
  );
  if (row?.oldest == null || row.newest == null) return null;
  return { oldest: toIso(row.oldest), newest: toIso(row.newest) };
}

// Rollups ------------------------------------------------------------------------------------------

function hoursWithin({ organizationId }: Scope, { fromMs, toMs, floorMs }: Span): Prisma.Sql {
  const first = toIso(Math.ceil(Math.max(fromMs, floorMs) / HOUR_MS) * HOUR_MS);
  const end = toIso(Math.floor(toMs / HOUR_MS) * HOUR_MS);
  return Prisma.sql`rollup_hourly r WHERE r.organization_id = ${organizationId}
    AND r.hour >= ${first}::timestamptz AND r.hour < ${end}::timestamptz`;
}

async function countHours(scope: Scope, span: Span): Promise<number> {
  const [row] = await readRows<{ events: number }>(
    Prisma.sql`SELECT coalesce(sum(r.events), 0)::float8 AS events FROM ${hoursWithin(scope, span)}`,
  );
  return row?.events ?? 0;
}

/** Whole hours by the rollups; the span's cut first and last hour, and what they have not counted yet, raw. */
async function countRollups(scope: Scope, span: Span, bounds: number[]) {
  const { organizationId } = scope;
  const { toMs } = span;
  // Rollups count what was deleted since, too.
  const fromMs = Math.max(span.fromMs, span.floorMs);
  const counted = Prisma.sql`e.seq < (SELECT f.next_seq FROM followers f WHERE f.organization_id = ${organizationId} AND f.name = 'rollups')`;
  const firstHour = Math.min(Math.ceil(fromMs / HOUR_MS) * HOUR_MS, toMs);
  const lastHour = Math.max(Math.floor(toMs / HOUR_MS) * HOUR_MS, firstHour);
  const between = (start: number, end: number) =>
    Prisma.sql`e.occurred_at >= ${toIso(start)}::timestamptz AND e.occurred_at < ${toIso(end)}::timestamptz`;
  const rows = await readRows<{ bucket: number; events: number }>(Prisma.sql`
    SELECT width_bucket(at, ${boundsArray(bounds)})::integer AS bucket, sum(events)::float8 AS events FROM (
      SELECT r.hour AS at, r.events FROM ${hoursWithin(scope, span)}
      UNION ALL
      SELECT e.occurred_at, 1 FROM ${uncounted(organizationId)} e WHERE ${between(fromMs, toMs)}
      UNION ALL
      SELECT e.occurred_at, 1 FROM events e WHERE ${ofOrganization(organizationId)} AND ${between(fromMs, firstHour)} AND ${counted}
      UNION ALL
      SELECT e.occurred_at, 1 FROM events e WHERE ${ofOrganization(organizationId)} AND ${between(lastHour, toMs)} AND ${counted}
    ) each GROUP BY 1`);
  return { counts: spread(rows, bounds), counted: { kind: "all" as const } };
}

// Samples ------------------------------------------------------------------------------------------

function boundsArray(bounds: readonly number[]): Prisma.Sql {
  return Prisma.sql`${bounds.map(toIso)}::timestamptz[]`;
}

function spread(
  rows: readonly { bucket: number; events: number }[],
  bounds: readonly number[],
): number[] {
  const counts = new Array<number>(bounds.length - 1).fill(0);
  for (const { bucket, events } of rows) counts[bucket - 1] = events;
  return counts;
}

const isFailed = Prisma.join(
  failureRules.map(({ filter }) => Prisma.sql`(${whereEach(filter.clauses)})`),
  " OR ",
);

function whereEach(clauses: readonly Clause[]): Prisma.Sql {
  return Prisma.join(clauses.map(whereClause), " AND ");
}

async function countSample(
  plan: Plan,
  walk: Walk,
  bounds: number[],
  size: number,
  failed: Prisma.Sql,
) {
  const rows = await readRows<
    Extent & { bucket: number; events: number; failed: number }
  >(Prisma.sql`
    WITH sample AS MATERIALIZED (${sampleOf(plan, walk, Prisma.sql`(${failed}) AS failed`, size)})
    SELECT width_bucket(occurred_at, ${boundsArray(bounds)})::integer AS bucket,
      count(*)::float8 AS events, (count(*) FILTER (WHERE failed))::float8 AS failed,
      sum(count(*)) OVER ()::integer AS matches,
      (extract(epoch FROM min(min(occurred_at)) OVER ()) * 1000)::float8 AS oldest_ms
    FROM sample GROUP BY 1`);
  return {
    counts: spread(rows, bounds),
    failed: spread(
      rows.map((row) => ({ ...row, events: row.failed })),
      bounds,
    ),
    counted: await countedOf(plan, walk, rows[0], size),
  };
}
