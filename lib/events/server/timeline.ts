import type { Scope } from "@/lib/auth/scope";
import { Prisma } from "@/lib/generated/prisma/client";
import { EMPTY_FILTER, type EventFilter } from "../filter/ast";
import { addClause } from "../filter/edit";
import type { EventRow } from "../schema";
import { HIDDEN } from "../sight";
import { isClause, LANES, type Lane, laneClauses, primaryLane, type Subject } from "../subject";
import type { DayCounts, SubjectSummary, TimelinePage, Usual } from "../timeline";
import { BEGINNING, beforeTime } from "./cursor";
import { readFirstTimes } from "./first-times";
import {
  DEFAULT_PAGE_SIZE,
  type EventPage,
  listEvents,
  listTargetEvents,
  type PageRequest,
} from "./list";
import { mergeLanes } from "./merge-lanes";
import { candidateKeys, candidates, choosePlan, type Driver } from "./plan";
import { readRows } from "./read";
import { countedOf, readExtent, sampleOf, toWalk } from "./sample";
import { eventsOf } from "./seen";
import { whereClause } from "./where";

export interface ActorTimelineRequest extends PageRequest {
  actorId: string;
  /** Unset: whatever the type. */
  actorType?: string | null;
  filter?: EventFilter;
}

/** What one actor did, newest first. */
export async function actorTimeline(
  scope: Scope,
  { actorId, actorType, filter = EMPTY_FILTER, ...page }: ActorTimelineRequest,
): Promise<EventPage> {
  const byId = addClause(filter, isClause("actor", actorId));
  const whole = actorType ? addClause(byId, isClause("actor.type", actorType)) : byId;
  return listEvents(scope, { ...page, filter: whole });
}

export interface TargetTimelineRequest extends PageRequest {
  /** null: whatever the type. */
  targetType: string | null;
  targetId: string;
  filter?: EventFilter;
}

/** What was done to one target, newest first. */
export async function targetTimeline(
  scope: Scope,
  { targetType, targetId, filter = EMPTY_FILTER, ...page }: TargetTimelineRequest,
): Promise<EventPage> {
  return listTargetEvents(scope, { type: targetType, id: targetId }, { ...page, filter });
}

/** The subject's own role asks for its type too; in the other one the id decides. */
function typeIn(subject: Subject, lane: Lane): string | null {
  return lane === primaryLane(subject) ? subject.type : null;
}

function readLane(
  scope: Scope,
  { subject, filter }: Pick<TimelineRequest, "subject" | "filter">,
  lane: Lane,
  page: PageRequest,
): Promise<EventPage> {
  const type = typeIn(subject, lane);
  return lane === "did"
    ? actorTimeline(scope, { actorId: subject.id, actorType: type, filter, ...page })
    : targetTimeline(scope, { targetType: type, targetId: subject.id, filter, ...page });
}

export interface TimelineRequest extends PageRequest {
  subject: Subject;
  /** null: both. */
  lane: Lane | null;
  filter: EventFilter;
  /** ISO: where the first page starts; not together with a cursor. */
  at?: string | null;
}

/** A page of what the subject did and what was done to it, newest first. */
export async function readTimeline(scope: Scope, request: TimelineRequest): Promise<TimelinePage> {
  const { subject, lane, filter, at, limit = DEFAULT_PAGE_SIZE, ...given } = request;
  const start = at && !given.after && !given.before ? { after: beforeTime(at) } : {};
  const page = { ...given, ...start, limit };
  const lanes = lane ? [lane] : LANES;
  const read = await Promise.all(lanes.map((each) => readLane(scope, request, each, page)));
  const pages = Object.fromEntries(lanes.map((each, index) => [each, read[index]]));
  const merged = mergeLanes(pages, page.before ? "newer" : "older", limit);
  const [firstTimes, agents] = await Promise.all([
    readFirstTimes(scope, merged.rows),
    readAgents(scope, merged.rows),
  ]);
  const rows = merged.rows.map((row) => ({
    ...row,
    agent: agents.get(row.seq) ?? null,
    firstTimes: firstTimes.found.get(row.id) ?? [],
  }));
  return { ...merged, rows, undecided: firstTimes.undecided };
}

async function readAgents(
  scope: Scope,
  rows: readonly EventRow[],
): Promise<Map<number, string | null>> {
  const seqs = rows.map(({ seq }) => seq);
  const times = rows.map(({ recordedAt }) => recordedAt);
  const found = await readRows<{ seq: number; agent: string | null }>(
    Prisma.sql`SELECT e.seq::float8 AS seq, e.context ->> 'user_agent' AS agent
      FROM unnest(${seqs}::bigint[], ${times}::text[]) AS k(seq, recorded_at)
      JOIN ${eventsOf(scope)} ON e.organization_id = ${scope.organizationId} AND e.seq = k.seq AND e.recorded_at = k.recorded_at::timestamptz`,
  );
  return new Map(found.map(({ seq, agent }) => [seq, agent]));
}

/** Who the subject is and since when it is known, whatever is filtered. */
export async function describeSubject(scope: Scope, subject: Subject): Promise<SubjectSummary> {
  const ends = LANES.map(async (lane) => {
    const read = (page: PageRequest) =>
      readLane(scope, { subject, filter: EMPTY_FILTER }, lane, { ...page, limit: 1 });
    const [newest, oldest] = await Promise.all([read({}), read({ before: BEGINNING })]);
    return { lane, newest: newest.rows[0], oldest: oldest.rows[0] };
  });
  const found = (await Promise.all(ends)).sort((a) => (a.lane === primaryLane(subject) ? -1 : 1));
  const names = found.flatMap(({ newest }) => [newest?.actor, ...(newest?.targets ?? [])]);
  const times = (end: "newest" | "oldest") =>
    found.flatMap((lane) => lane[end]?.occurredAt ?? []).sort();
  return {
    name:
      names.find((one) => one?.id === subject.id && one.name && one.name !== HIDDEN)?.name ?? null,
    firstSeen: times("oldest").at(0) ?? null,
    lastSeen: times("newest").at(-1) ?? null,
  };
}

type LaneDriver = Extract<Driver, { kind: "column" | "targets" }>;

/** The index that reads a lane, and what is left to check on its rows. */
function driverOf(subject: Subject, lane: Lane): { driver: LaneDriver; rest: EventFilter } {
  if (lane === "done") {
    const driver = { kind: "targets" as const, type: typeIn(subject, lane), ids: [subject.id] };
    return { driver, rest: EMPTY_FILTER };
  }
  const driver = { kind: "column" as const, column: "actor_id" as const, values: [subject.id] };
  return { driver, rest: { clauses: laneClauses(subject, lane).slice(1) } };
}

/**
 * The newest events of a lane that a reader with a sight sees, found as any search finds them: the driver's rows
 * would tell how many there are beside them.
 */
async function seenOf(
  scope: Scope,
  { subject, filter }: Pick<TimelineRequest, "subject" | "filter">,
  lane: Lane,
  bounds: { from: string | null; to: string | null },
  size: number,
) {
  const walk = toWalk(scope, bounds);
  const clauses = [...laneClauses(subject, lane), ...filter.clauses];
  const plan = await choosePlan(walk, { clauses });
  const columns = Prisma.raw("e.action, e.location, e.actor_id, e.context, e.targets");
  const { type, id } = subject;
  const isIt =
    lane === "done" && typeIn(subject, lane)
      ? Prisma.sql`e.targets @> ${JSON.stringify([{ type, id }])}::jsonb`
      : Prisma.sql`true`;
  return {
    rows: Prisma.sql`SELECT * FROM (${sampleOf(plan, walk, columns, size)}) e WHERE ${isIt}`,
    counted: async () => countedOf(plan, walk, await readExtent(plan, walk, size), size),
  };
}

/** At most this many of a subject's newest events are counted per lane; fewer when each is checked. */
const MAX_COUNTED = 10_000;
const MAX_CHECKED = 2_500;

/**
 * Events per day and lane, under the filter.
 * @param starts ISO times at which days begin, ascending; the last one ends the last day
 */
export async function countDays(
  scope: Scope,
  request: Pick<TimelineRequest, "subject" | "lane" | "filter">,
  starts: readonly string[],
): Promise<DayCounts> {
  const { subject, lane: only, filter } = request;
  const bounds = { from: starts[0] ?? null, to: starts.at(-1) ?? null };
  const counts: DayCounts = {
    did: Array(starts.length - 1).fill(0),
    done: Array(starts.length - 1).fill(0),
    countedFrom: null,
    limit: filter.clauses.length > 0 ? MAX_CHECKED : MAX_COUNTED,
  };
  const cut = (iso: string) => {
    if (!counts.countedFrom || iso > counts.countedFrom) counts.countedFrom = iso;
  };
  const countSeen = async (lane: Lane) => {
    const seen = await seenOf(scope, request, lane, bounds, counts.limit);
    const rows = await readRows<{ day: number; events: number }>(
      Prisma.sql`SELECT width_bucket(e.occurred_at, ${starts}::timestamptz[]) AS day, count(*)::integer AS events
        FROM (${seen.rows}) e GROUP BY 1`,
    );
    for (const { day, events } of rows) counts[lane][day - 1] = events;
    const counted = await seen.counted();
    if (counted.kind !== "all") cut(counted.backTo);
  };
  const count = async (lane: Lane) => {
    if (scope.sight) return countSeen(lane);
    const plan = driverOf(subject, lane);
    const where = whereAll({ clauses: [...plan.rest.clauses, ...filter.clauses] });
    const walk = toWalk(scope, bounds);
    // A target's events are counted without looking at them, unless a filter does.
    const read = lane === "done" && filter.clauses.length === 0 ? candidateKeys : candidates;
    const rows = await readRows<{ day: number; events: number; read: number; oldest_ms: number }>(
      Prisma.sql`SELECT width_bucket(e.occurred_at, ${starts}::timestamptz[]) AS day,
          count(DISTINCT e.seq) FILTER (WHERE ${where})::integer AS events, count(*)::integer AS read,
          (extract(epoch FROM min(e.occurred_at)) * 1000)::float8 AS oldest_ms
        FROM (${read(plan.driver, walk, counts.limit)}) e GROUP BY 1`,
    );
    for (const { day, events } of rows) counts[lane][day - 1] = events;
    if (rows.reduce((sum, { read }) => sum + read, 0) < counts.limit) return;
    cut(new Date(Math.min(...rows.map((row) => row.oldest_ms))).toISOString());
  };
  await Promise.all((only ? [only] : LANES).map(count));
  return counts;
}

function whereAll({ clauses }: EventFilter): Prisma.Sql {
  return clauses.length > 0 ? Prisma.join(clauses.map(whereClause), " AND ") : Prisma.sql`true`;
}

const USUAL_SAMPLE = { actor: 2_000, target: 1_000 };
const USUAL_TOP = 5;

export async function readUsual(scope: Scope, subject: Subject): Promise<Usual> {
  const size = USUAL_SAMPLE[subject.role];
  const lane = primaryLane(subject);
  const everything = { from: null, to: null };
  const seen = scope.sight
    ? await seenOf(scope, { subject, filter: EMPTY_FILTER }, lane, everything, size)
    : null;
  const { driver, rest } = driverOf(subject, lane);
  const rows = Prisma.sql`(${seen?.rows ?? candidates(driver, toWalk(scope, everything), size)}) e WHERE ${whereAll(seen ? EMPTY_FILTER : rest)}`;
  const top = (value: string) =>
    Prisma.raw(`(SELECT coalesce(jsonb_agg(jsonb_build_array(value, n) ORDER BY n DESC, value), '[]') FROM (
      SELECT ${value} AS value, count(*) AS n FROM sample WHERE ${value} IS NOT NULL
      GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${USUAL_TOP}) t)`);
  const [row] = await readRows<Usual>(Prisma.sql`
    WITH sample AS MATERIALIZED (
      SELECT e.action, e.location, e.actor_id, (e.context ->> 'user_agent') COLLATE "C" AS agent,
        floor(extract(epoch FROM e.occurred_at) / 900)::integer AS quarter
      FROM ${rows})
    SELECT (SELECT count(*)::integer FROM sample) AS events, false AS "isAll",
      ${top("action")} AS actions, ${top("location")} AS addresses, ${top("agent")} AS agents,
      ${subject.role === "target" ? top("actor_id") : Prisma.sql`'[]'::jsonb`} AS actors,
      (SELECT coalesce(jsonb_agg(jsonb_build_array(quarter, n)), '[]') FROM (
        SELECT quarter, count(*) AS n FROM sample GROUP BY 1) t) AS quarters`);
  const usual = row as Usual;
  const open = (counted: Usual["actions"]) => counted.filter(([value]) => value !== HIDDEN);
  const shown = {
    addresses: open(usual.addresses),
    agents: open(usual.agents),
    actors: open(usual.actors),
  };
  return {
    ...usual,
    ...shown,
    isAll: seen ? (await seen.counted()).kind === "all" : usual.events < size,
  };
}
