import type { Scope } from "@/lib/auth/scope";
import { readRows } from "@/lib/events/server/read";
import { Prisma } from "@/lib/generated/prisma/client";
import type { Period } from "../period";

/**
 * No rollup counts actors: they are found in a sample, and those shown are counted exactly, up to a cap. Every
 * function throws AppError timeout or unavailable.
 */

export const COUNT_CAP = 10_000;
const SAMPLE = 4_000;
/** The rollups may be behind: of a day they do not know yet, an equal part is read. */
const MIN_PER_DAY = 20;
const SHOWN = 5;
/** Actors whose past is looked up. */
const MAX_PROBED = 300;

export interface ActorSample {
  /** The most active, and the last active. */
  top: string[];
  recent: string[];
  /** Events looked at, and different actors among them. */
  events: number;
  actors: number;
  /** The sample is every event of the period. */
  isWhole: boolean;
}

/** The newest events of each day, about SAMPLE in all, of each day in proportion to its events. */
export async function sampleActors(
  { organizationId }: Scope,
  { from, to, days }: Period,
): Promise<ActorSample> {
  const rows = await readRows<{
    id: string;
    by_events: number;
    by_last: number;
    events: number;
    actors: number;
    is_whole: boolean;
  }>(Prisma.sql`
    WITH totals AS (
      SELECT date_trunc('day', hour, 'UTC') AS day, sum(events) AS events FROM rollup_hourly
      WHERE organization_id = ${organizationId} AND hour >= ${from}::timestamptz AND hour < ${to}::timestamptz
      GROUP BY 1
    ), shares AS (
      SELECT day, 1 + coalesce(
        greatest(${MIN_PER_DAY}, ceil(${SAMPLE} * events / (SELECT sum(events) FROM totals))),
        ${Math.ceil(SAMPLE / days)})::bigint AS share
      FROM generate_series(${from}::timestamptz, ${to}::timestamptz - interval '24 hours', interval '24 hours') AS day
      LEFT JOIN totals USING (day)
    ), sample AS MATERIALIZED (
      SELECT day, share, newest.* FROM shares CROSS JOIN LATERAL (
        SELECT e.actor_id, e.occurred_at FROM events e
        WHERE e.organization_id = ${organizationId} AND e.occurred_at >= day AND e.occurred_at < day + interval '24 hours'
        ORDER BY e.occurred_at DESC, e.seq DESC LIMIT share
      ) newest
    ), actors AS (
      SELECT actor_id AS id, row_number() OVER (ORDER BY count(*) DESC, actor_id) AS by_events,
        row_number() OVER (ORDER BY max(occurred_at) DESC, actor_id) AS by_last,
        sum(count(*)) OVER ()::float8 AS events, count(*) OVER ()::float8 AS actors
      FROM sample WHERE actor_id IS NOT NULL GROUP BY actor_id
    )
    SELECT id, by_events::float8, by_last::float8, events, actors,
      NOT EXISTS (SELECT FROM sample GROUP BY day, share HAVING count(*) = share) AS is_whole
    FROM actors WHERE by_events <= ${SHOWN} OR by_last <= ${MAX_PROBED} ORDER BY by_last`);
  const [first] = rows;
  const idsOf = (list: typeof rows) => list.map(({ id }) => id);
  return {
    top: idsOf(rows.filter(({ by_events }) => by_events <= SHOWN)),
    recent: idsOf(rows.filter(({ by_last }) => by_last <= MAX_PROBED)),
    events: first?.events ?? 0,
    actors: first?.actors ?? 0,
    isWhole: first?.is_whole ?? true,
  };
}

/** Counts stop at COUNT_CAP + 1. */
export interface ActorCount {
  id: string;
  /** As of the actor's newest event. */
  name: string | null;
  now: number;
  /** Not counted where `now` stopped: there is nothing to compare. */
  before: number | null;
}

function ofActor({ organizationId }: Scope, from: string, to: string): Prisma.Sql {
  return Prisma.sql`FROM events e WHERE e.organization_id = ${organizationId} AND e.actor_id = actor.id
    AND e.occurred_at >= ${from}::timestamptz AND e.occurred_at < ${to}::timestamptz`;
}

/** The most active actors of the sample, with their counts over the whole period. */
export async function readTopActors(
  scope: Scope,
  period: Period,
  { top }: Pick<ActorSample, "top">,
): Promise<ActorCount[]> {
  const { before, from, to } = period;
  const counted = (start: string, end: string) =>
    Prisma.sql`(SELECT count(*)::integer FROM (SELECT 1 ${ofActor(scope, start, end)} LIMIT ${COUNT_CAP + 1}) capped)`;
  return readRows<ActorCount>(Prisma.sql`
    SELECT id, name, now, CASE WHEN now <= ${COUNT_CAP} THEN ${counted(before, from)} END AS before
    FROM (
      SELECT actor.id, actor.rank, ${counted(from, to)} AS now,
        (SELECT e.actor_name ${ofActor(scope, from, to)} ORDER BY e.occurred_at DESC, e.seq DESC LIMIT 1) AS name
      FROM unnest(${top}::text[]) WITH ORDINALITY AS actor (id, rank) OFFSET 0
    ) actor ORDER BY now DESC, rank`);
}

export interface NewActors {
  /** Of the actors looked at: those without an event before the period. */
  found: number;
  looked: number;
  /** The last active of them. */
  actors: { id: string; name: string | null; firstAt: string; events: number }[];
}

/** Actors of the sample whose first event ever lies in the period. */
export async function readNewActors(
  scope: Scope,
  { from, to }: Period,
  { recent }: Pick<ActorSample, "recent">,
): Promise<NewActors> {
  const { organizationId } = scope;
  // One probe of the index for each: as an anti-join the planner might read all events before the period.
  const rows = await readRows<{ id: string }>(Prisma.sql`
    SELECT actor.id FROM unnest(${recent}::text[]) WITH ORDINALITY AS actor (id, rank)
    WHERE (SELECT e.seq FROM events e WHERE e.organization_id = ${organizationId} AND e.actor_id = actor.id
      AND e.occurred_at < ${from}::timestamptz ORDER BY e.occurred_at DESC, e.seq DESC LIMIT 1) IS NULL
    ORDER BY actor.rank`);
  const ids = rows.slice(0, SHOWN).map(({ id }) => id);
  const details = await readRows<NewActors["actors"][number] & { first_ms: number }>(Prisma.sql`
    SELECT actor.id,
      (SELECT count(*)::integer FROM (SELECT 1 ${ofActor(scope, from, to)} LIMIT ${COUNT_CAP + 1}) capped) AS events,
      (SELECT e.actor_name ${ofActor(scope, from, to)} ORDER BY e.occurred_at DESC, e.seq DESC LIMIT 1) AS name,
      (SELECT (extract(epoch FROM e.occurred_at) * 1000)::float8 ${ofActor(scope, from, to)} ORDER BY e.occurred_at, e.seq LIMIT 1) AS first_ms
    FROM unnest(${ids}::text[]) WITH ORDINALITY AS actor (id, rank) ORDER BY rank`);
  return {
    found: rows.length,
    looked: recent.length,
    actors: details.map(({ id, name, events, first_ms }) => ({
      id,
      name,
      events,
      firstAt: new Date(first_ms).toISOString(),
    })),
  };
}
