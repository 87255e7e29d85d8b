import type { Scope } from "@/lib/auth/scope";
import { Prisma } from "@/lib/generated/prisma/client";
import type { Counted } from "../facets";
import type { EventFilter } from "../filter/ast";
import { readBoundary } from "./list";
import { candidates, inOrder, type Plan, rangeOf, type Walk } from "./plan";
import { readRows } from "./read";
import { whereClause } from "./where";

/**
 * Counting without a bound would take as long as the log is; so what counts looks at the newest matches, so
 * many at most, and says what it looked at.
 */
export interface SampleRequest {
  filter: EventFilter;
  /** ISO 8601; `from` included, `to` not. */
  from: string | null;
  to: string | null;
}

export interface Extent {
  matches: number;
  /** Epoch milliseconds of the oldest of them. */
  oldest_ms: number | null;
}

/** Candidates checked where no index serves the whole filter; behind a target they are followed one by one. */
const CANDIDATES = 8_000;
const TARGET_CANDIDATES = 2_000;

export function toWalk(scope: Scope, bounds: Pick<SampleRequest, "from" | "to">): Walk {
  return { ...rangeOf(scope, bounds), direction: "older", position: null };
}

function candidateLimit({ driver, isWhole, isSmall }: Plan, sample: number): number | null {
  if (isSmall || driver.kind === "few") return null;
  if (driver.kind === "targets") return Math.min(TARGET_CANDIDATES, sample);
  return isWhole ? sample : CANDIDATES;
}

/** The newest `size` matches of the plan, as far as its candidates reach: seq, occurred_at and the columns. */
export function sampleOf(plan: Plan, walk: Walk, columns: Prisma.Sql, size: number): Prisma.Sql {
  const conditions = plan.rest.clauses.map(whereClause);
  const where = conditions.length > 0 ? Prisma.join(conditions, " AND ") : Prisma.sql`true`;
  return Prisma.sql`SELECT e.seq, e.occurred_at, ${columns} FROM (${candidates(plan.driver, walk, candidateLimit(plan, size))}) e
    WHERE ${where} ${inOrder("e", walk)} LIMIT ${size}`;
}

export async function readExtent(
  plan: Plan,
  walk: Walk,
  size: number,
): Promise<Extent | undefined> {
  const [extent] = await readRows<Extent>(Prisma.sql`
    SELECT count(*)::integer AS matches, (extract(epoch FROM min(occurred_at)) * 1000)::float8 AS oldest_ms
    FROM (${sampleOf(plan, walk, Prisma.sql`e.id`, size)}) e`);
  return extent;
}

/** What a sample of that size was: everything, the newest, or as far as was searched. */
export async function countedOf(
  plan: Plan,
  walk: Walk,
  extent: Extent | undefined,
  size: number,
): Promise<Counted> {
  const matches = extent?.matches ?? 0;
  if (matches >= size && extent?.oldest_ms != null)
    return { kind: "newest", matches, backTo: new Date(extent.oldest_ms).toISOString() };
  const limit = candidateLimit(plan, size);
  if (limit === null || plan.driver.kind === "few") return { kind: "all" };
  const boundary = await readBoundary(plan.driver, walk, limit);
  if (!boundary) return { kind: "all" };
  return { kind: "searched", matches, backTo: new Date(boundary.occurredAtMs).toISOString() };
}
