import type { Scope } from "@/lib/auth/scope";
import { Prisma } from "@/lib/generated/prisma/client";
import { FACET_SAMPLE } from "../facets";
import { removeClause } from "../filter/edit";
import type { Restored } from "../values";
import { readSeenEdges } from "./edges";
import { choosePlan } from "./plan";
import { readRows } from "./read";
import { countedOf, readExtent, type SampleRequest, toWalk } from "./sample";
import { ofOrganization } from "./where";

/** More parts than this are not tried one by one. */
const MAX_PARTS = 12;

/**
 * How many events a search without a match would find without one of its clauses, or over all time; each
 * counted up to FACET_SAMPLE, as far as a bounded search reaches.
 * @throws AppError timeout, unavailable
 */
export async function readRestored(scope: Scope, request: SampleRequest): Promise<Restored[]> {
  const restored: Restored[] = [];
  const parts = [...request.filter.clauses.keys()].slice(0, MAX_PARTS);
  // One after the other: a search that finds nothing is no reason to take every connection.
  for (const index of parts)
    restored.push({
      without: index,
      ...(await countMatches(scope, { ...request, filter: removeClause(request.filter, index) })),
    });
  if (request.from || request.to)
    restored.push({
      without: "time",
      ...(await countMatches(scope, { ...request, from: null, to: null })),
    });
  return restored;
}

async function countMatches(scope: Scope, request: SampleRequest) {
  const walk = toWalk(scope, request);
  const plan = await choosePlan(walk, request.filter);
  const extent = await readExtent(plan, walk, FACET_SAMPLE);
  return {
    matches: extent?.matches ?? 0,
    counted: await countedOf(plan, walk, extent, FACET_SAMPLE),
  };
}

/** When the oldest event kept happened, ISO; null in an empty log. */
export async function readOldest(scope: Scope): Promise<string | null> {
  if (scope.sight) return (await readSeenEdges(scope))?.oldest ?? null;
  const { organizationId } = scope;
  const [row] = await readRows<{ ms: number }>(Prisma.sql`
    SELECT (extract(epoch FROM e.occurred_at) * 1000)::float8 AS ms FROM events e
    WHERE ${ofOrganization(organizationId)} ORDER BY e.occurred_at, e.seq LIMIT 1`);
  return row ? new Date(row.ms).toISOString() : null;
}
