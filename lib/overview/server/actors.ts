import type { Scope } from "@/lib/auth/scope";
import { readRows } from "@/lib/events/server/read";
import { ofOrganization } from "@/lib/events/server/where";
import { Prisma } from "@/lib/generated/prisma/client";
import type { Period } from "../period";

export const COUNT_CAP = 10_000;
const SAMPLE = 3_000;
/** Of a day of which the rollups know little: they may be behind. */
const MIN_PER_DAY = 20;
const SHOWN = 5;
/** Actors whose past is looked up. */
const MAX_PROBED = 200;

/** Counts stop at COUNT_CAP + 1. */
interface ActorCount {
  id: string;
  /** As of the actor's newest event. */
  name: string | null;
  now: number;
  /** Not counted where `now` stopped: there is nothing to compare. */
  before: number | null;
  /** The actor's first event in the period. */
  firstMs: number;
}

/** No rollup counts actors: they are found in a sample, and those shown are counted over the whole period. */
export interface Actors {
  /** The most active of the sample. */
  top: ActorCount[];
  /** The last active of those without an event before the period; `found` is how many there are. */
  fresh: ActorCount[];
  found: number;
  /** The last active of the sample's `actors`, whose past was looked up. */
  looked: number;
  actors: number;
  /** Events in the sample, and whether it is every event of the period. */
  events: number;
  isWhole: boolean;
}

/**
 * The sample is the newest events of each day, of each day in proportion to its events.
 * @throws AppError timeout or unavailable
 */
export async function readActors({ organizationId }: Scope, period: Period): Promise<Actors> {
  const { before, from, to, days } = period;
  const mine = ofOrganization(organizationId);
  const rows = await readRows<{
    id: string;
    by_events: number;
    by_last: number;
    events: number;
    actors: number;
    is_whole: boolean;
    is_new: boolean;
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
        WHERE ${mine} AND e.occurred_at >= day AND e.occurred_at < day + interval '24 hours'
        ORDER BY e.occurred_at DESC, e.seq DESC LIMIT share
      ) newest
    ), actors AS MATERIALIZED (
      SELECT actor_id AS id, row_number() OVER (ORDER BY count(*) DESC, actor_id)::float8 AS by_events,
        row_number() OVER (ORDER BY max(occurred_at) DESC, actor_id)::float8 AS by_last,
        sum(count(*)) OVER ()::float8 AS events, count(*) OVER ()::float8 AS actors
      FROM sample WHERE actor_id IS NOT NULL GROUP BY actor_id
    )
    SELECT *, NOT EXISTS (SELECT FROM sample GROUP BY day, share HAVING count(*) = share) AS is_whole,
      -- One probe of the index each: as an anti-join the planner might read all events before the period.
      by_last <= ${MAX_PROBED} AND (SELECT e.seq FROM events e WHERE ${mine} AND e.actor_id = actors.id
        AND e.occurred_at < ${from}::timestamptz ORDER BY e.occurred_at DESC, e.seq DESC LIMIT 1) IS NULL AS is_new
    FROM actors WHERE by_events <= ${SHOWN} OR by_last <= ${MAX_PROBED} ORDER BY by_last`);
  const top = rows.filter((row) => row.by_events <= SHOWN).map(({ id }) => id);
  const fresh = rows.filter((row) => row.is_new).map(({ id }) => id);

  const within = (start: string, end: string) => Prisma.sql`FROM events e WHERE ${mine}
    AND e.actor_id = actor.id AND e.occurred_at >= ${start}::timestamptz AND e.occurred_at < ${end}::timestamptz`;
  const counted = (start: string, end: string) =>
    Prisma.sql`(SELECT count(*)::integer FROM (SELECT 1 ${within(start, end)} LIMIT ${COUNT_CAP + 1}) capped)`;
  const shown = [...new Set([...top, ...fresh.slice(0, SHOWN)])];
  const counts = await readRows<ActorCount>(Prisma.sql`
    SELECT *, CASE WHEN now <= ${COUNT_CAP} THEN ${counted(before, from)} END AS before
    FROM (
      SELECT actor.id, ${counted(from, to)} AS now,
        (SELECT e.actor_name ${within(from, to)} ORDER BY e.occurred_at DESC, e.seq DESC LIMIT 1) AS name,
        (SELECT (extract(epoch FROM e.occurred_at) * 1000)::float8 ${within(from, to)}
          ORDER BY e.occurred_at, e.seq LIMIT 1) AS "firstMs"
      FROM unnest(${shown}::text[]) AS actor (id) OFFSET 0
    ) actor`);
  const countsOf = (ids: string[]) => ids.flatMap((id) => counts.filter((row) => row.id === id));
  const { events = 0, actors = 0, is_whole: isWhole = true } = rows[0] ?? {};
  return {
    top: countsOf(top).sort((left, right) => right.now - left.now),
    fresh: countsOf(fresh.slice(0, SHOWN)),
    found: fresh.length,
    looked: Math.min(actors, MAX_PROBED),
    actors,
    events,
    isWhole,
  };
}
