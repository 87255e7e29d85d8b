import type { Scope } from "@/lib/auth/scope";
import { AppError } from "@/lib/errors";
import { Prisma } from "@/lib/generated/prisma/client";
import type { EventFilter } from "../filter/ast";
import type { EventRow, Participant } from "../schema";
import { isClause } from "../subject";
import { decodeCursor, encodeCursor, type Position } from "./cursor";
import {
  candidateKeys,
  candidates,
  choosePlan,
  type Driver,
  inOrder,
  type Plan,
  type Range,
  rangeOf,
  type Walk,
} from "./plan";
import { readRows } from "./read";
import { whereClause } from "./where";

export const DEFAULT_PAGE_SIZE = 100;
export const MAX_PAGE_SIZE = 500;

/** How far a search goes whose filter no index serves as a whole. */
export interface ScanLimits {
  /** Candidates checked by one statement at most; the first ones take fewer. */
  step: number;
  /** The same behind a target, whose rows are followed one by one. */
  targetStep: number;
  /** After this a page is returned with what was found; its `next` goes on. */
  budgetMs: number;
}

/** A page is painted with what was found by then. */
export const FIRST_ANSWER_MS = 60;
/** Who asked to go on waits longer, and gets further. */
const CONTINUED_MS = 1_000;
const FIRST_STEP_SHARE = 1 / 16;

const SCAN_LIMITS: ScanLimits = { step: 20_000, targetStep: 5_000, budgetMs: CONTINUED_MS };

export interface PageRequest {
  /** ISO 8601; `from` included, `to` not. */
  from?: string | null;
  to?: string | null;
  /** Cursor: older events than it. At most one of the two. */
  after?: string | null;
  /** Cursor: newer events than it, the nearest ones. */
  before?: string | null;
  limit?: number;
}

/** Newest first, by (occurred_at, seq). */
export interface EventPage {
  rows: EventRow[];
  /** Cursor for `after`, when there is or may be more in that direction. */
  next: string | null;
  /** Cursor for `before`. */
  previous: string | null;
  /** Set when the search stopped before the end of the range: ISO time up to which it is complete. */
  searchedTo: string | null;
}

export interface ListRequest extends PageRequest {
  filter: EventFilter;
}

/**
 * One page of an organization's events.
 * @throws AppError invalid_request for a bad cursor or limit, invalid_filter, timeout, unavailable
 */
export async function listEvents(
  scope: Scope,
  request: ListRequest,
  scan: Partial<ScanLimits> = {},
): Promise<EventPage> {
  const range = rangeOf(scope, request);
  const plan = await choosePlan(range, request.filter);
  return readPage(plan, range, request, { ...SCAN_LIMITS, ...scan });
}

/** Events of one target, by its type (null: any) and id together. */
export async function listTargetEvents(
  scope: Scope,
  target: { type: string | null; id: string },
  request: ListRequest,
): Promise<EventPage> {
  if (scope.sight) return listSeenOfTarget(scope, target, request);
  const driver: Driver = { kind: "targets", type: target.type, ids: [target.id] };
  const isWhole = request.filter.clauses.length === 0;
  const plan = { driver, rest: request.filter, isWhole, isSmall: false };
  return readPage(plan, rangeOf(scope, request), request, SCAN_LIMITS);
}

/** As a search, whose plan tells nothing of what is not seen; its clauses may be met by two different targets. */
async function listSeenOfTarget(
  scope: Scope,
  { type, id }: { type: string | null; id: string },
  request: ListRequest,
): Promise<EventPage> {
  const clauses = [
    isClause("target", id),
    ...(type === null ? [] : [isClause("target.type", type)]),
  ];
  const filter = { clauses: [...clauses, ...request.filter.clauses] };
  const page = await listEvents(scope, { ...request, filter });
  const isIt = (one: Participant) => one.id === id && (type === null || one.type === type);
  return { ...page, rows: page.rows.filter(({ targets }) => targets.some(isIt)) };
}

async function readPage(
  plan: Plan,
  range: Range,
  request: PageRequest,
  scan: ScanLimits,
): Promise<EventPage> {
  const { after, before, limit = DEFAULT_PAGE_SIZE } = request;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE_SIZE)
    throw new AppError("invalid_request", `A page has 1 to ${MAX_PAGE_SIZE} events.`);
  if (after && before)
    throw new AppError("invalid_request", "Give either `after` or `before`, not both.");
  const start = after || before ? decodeCursor((after || before) as string) : null;
  const walk: Walk = { ...range, direction: before ? "newer" : "older", position: start };
  const { found, stoppedAt } = await collect(plan, walk, limit + 1, scan);
  const rows = found.slice(0, limit);
  const hasMore = found.length > limit;
  // Where the walk goes on: behind the last row given, or behind what was searched.
  const last = rows.at(-1);
  const onward = hasMore && last ? positionOf(last) : stoppedAt;
  const end = onward && encodeCursor(onward);
  const back = start && encodeCursor(rows[0] ? positionOf(rows[0]) : justBefore(start, walk));
  if (walk.direction === "newer") rows.reverse();
  return {
    rows: rows.map(toEventRow),
    next: walk.direction === "older" ? end : back,
    previous: walk.direction === "older" ? back : end,
    searchedTo: !hasMore && stoppedAt ? new Date(stoppedAt.occurredAtMs).toISOString() : null,
  };
}

/** A position that has the given one on its far side, for the way back from a page without rows. */
function justBefore({ occurredAtMs, seq }: Position, { direction }: Walk): Position {
  return { occurredAtMs, seq: direction === "older" ? seq - 1 : seq + 1 };
}

/** Reads until `wanted` rows are found, the range ends, or the time for scanning is spent. */
async function collect(
  plan: Plan,
  walk: Walk,
  wanted: number,
  scan: ScanLimits,
): Promise<{ found: StoredRow[]; stoppedAt: Position | null }> {
  const { driver, isSmall, isWhole } = plan;
  if (isSmall || driver.kind === "few")
    return { found: await readMatching(plan, walk, null, wanted), stoppedAt: null };
  if (isWhole && driver.kind !== "targets")
    return { found: await readMatching(plan, walk, wanted, wanted), stoppedAt: null };
  // A target's rows may name an event twice, so that even without a rest one step may not do.
  const largest = driver.kind === "targets" ? scan.targetStep : scan.step;
  let step = isWhole ? 2 * wanted : Math.ceil(largest * FIRST_STEP_SHARE);
  const startedMs = performance.now();
  const found: StoredRow[] = [];
  let at = walk;
  for (;;) {
    const stepMs = performance.now();
    found.push(...(await readMatching(plan, at, step, wanted - found.length)));
    if (found.length === wanted) return { found, stoppedAt: null };
    const position = await readBoundary(driver, at, step);
    if (!position) return { found, stoppedAt: null };
    const [spentMs, lastMs] = [performance.now() - startedMs, performance.now() - stepMs];
    if (spentMs + lastMs > scan.budgetMs) return { found, stoppedAt: position };
    // Twice the rows, if twice the time is left.
    if (spentMs + 2 * lastMs < scan.budgetMs) step = Math.min(2 * step, largest);
    at = { ...at, position };
  }
}

function readMatching(plan: Plan, walk: Walk, candidateLimit: number | null, wanted: number) {
  const conditions = plan.rest.clauses.map(whereClause);
  const where = conditions.length > 0 ? Prisma.join(conditions, " AND ") : Prisma.sql`true`;
  return readRows<StoredRow>(
    Prisma.sql`SELECT ${ROW_COLUMNS} FROM (${candidates(plan.driver, walk, candidateLimit)}) e WHERE ${where} ${inOrder("e", walk)} LIMIT ${wanted}`,
  );
}

/** The last of a step's candidates; null when the range ended before it. */
export async function readBoundary(
  driver: Exclude<Driver, { kind: "few" }>,
  walk: Walk,
  step: number,
): Promise<Position | null> {
  const keys = candidateKeys(driver, walk, step);
  const numbered = Prisma.sql`SELECT e.*, row_number() OVER (${inOrder("e", walk)}) AS at FROM (${keys}) e`;
  const [row] = await readRows<{ occurred_ms: number; seq: number }>(
    Prisma.sql`SELECT ${OCCURRED_MS} AS occurred_ms, e.seq::float8 AS seq FROM (${numbered}) e WHERE e.at = ${step}`,
  );
  return row ? { occurredAtMs: row.occurred_ms, seq: row.seq } : null;
}

// Rows ---------------------------------------------------------------------------------------------

const OCCURRED_MS = Prisma.raw("(extract(epoch FROM e.occurred_at) * 1000)::float8");

/** Only what a list shows: of targets the type, id and name. */
export const ROW_COLUMNS = Prisma.sql`e.id, e.seq::float8 AS seq, e.action, e.version,
  ${OCCURRED_MS} AS occurred_ms, (extract(epoch FROM e.recorded_at) * 1000)::float8 AS recorded_ms,
  e.actor_type, e.actor_id, e.actor_name, e.location,
  (SELECT jsonb_agg(CASE WHEN t.value <> 'null' THEN jsonb_build_object(
     'type', t.value -> 'type', 'id', t.value -> 'id', 'name', t.value -> 'name') END ORDER BY t.position)
   FROM jsonb_array_elements(e.targets) WITH ORDINALITY AS t(value, position)) AS targets`;

export interface StoredRow {
  id: string;
  seq: number;
  action: string;
  version: number;
  occurred_ms: number;
  recorded_ms: number;
  actor_type: string | null;
  actor_id: string | null;
  actor_name: string | null;
  location: string | null;
  targets: ({ type: string; id: string; name: string | null } | null)[] | null;
}

function positionOf(row: StoredRow): Position {
  return { occurredAtMs: row.occurred_ms, seq: row.seq };
}

/** What an erased actor or target looks like at every exit (integrity spec, erasure). */
const ERASED: Participant = { type: "erased", id: "erased" };

function toParticipant(type: string, id: string, name: string | null): Participant {
  return name === null ? { type, id } : { type, id, name };
}

export function toEventRow(row: StoredRow): EventRow {
  const { actor_type: type, actor_id: id } = row;
  return {
    id: row.id,
    seq: row.seq,
    action: row.action,
    version: row.version,
    occurredAt: new Date(row.occurred_ms).toISOString(),
    recordedAt: new Date(row.recorded_ms).toISOString(),
    actor: type === null || id === null ? ERASED : toParticipant(type, id, row.actor_name),
    targets: (row.targets ?? []).map((target) =>
      target ? toParticipant(target.type, target.id, target.name) : ERASED,
    ),
    location: row.location,
  };
}
