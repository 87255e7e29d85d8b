import { z } from "zod";
import type { Scope } from "@/lib/auth/scope";
import { Prisma } from "@/lib/generated/prisma/client";
import { storableText } from "@/lib/http/parse-input";
import { EMPTY_FILTER } from "../filter/ast";
import type { Participant } from "../schema";
import { HIDDEN } from "../sight";
import { choosePlan } from "./plan";
import { readRows } from "./read";
import { demandField } from "./read-sight";
import { sampleOf, toWalk } from "./sample";
import { eventsOf } from "./seen";
import { ofOrganization } from "./where";

/** Names are in no index: they are looked for among this many of the newest events. */
export const SUBJECT_SAMPLE = 5_000;
const MAX_SUBJECTS = 6;

export const subjectSearchSchema = z.object({
  role: z.enum(["actor", "target"]),
  text: storableText(400).trim(),
});

/**
 * Actors or targets, last seen first, whose id or name contains the text; without a text the latest ones.
 * Sees the newest 5,000 events; a whole id is found however old its events are, unless the reader sees a part
 * of the log.
 * @throws AppError invalid_filter for what is hidden from the reader
 */
export async function findSubjects(
  scope: Scope,
  { role, text }: z.infer<typeof subjectSearchSchema>,
): Promise<Participant[]> {
  demandField(scope.sight, { id: role });
  const org = ofOrganization(scope.organizationId);
  const newest = Prisma.sql`ORDER BY e.occurred_at DESC, e.seq DESC LIMIT`;
  const events = eventsOf(scope);
  const exact =
    role === "actor"
      ? Prisma.sql`SELECT 0 AS n, e.actor, e.targets FROM ${events}
          WHERE ${org} AND e.actor_id = ${text} ${newest} 1`
      : Prisma.sql`SELECT 0 AS n, e.actor, e.targets
          FROM event_targets t JOIN ${events} ON e.organization_id = t.organization_id
            AND e.seq = t.seq AND e.recorded_at = t.recorded_at
          WHERE t.organization_id = ${scope.organizationId} AND ${org} AND t.target_id = ${text}
          ORDER BY t.occurred_at DESC, t.seq DESC LIMIT 1`;
  const units =
    role === "actor"
      ? Prisma.sql`SELECT n, actor AS unit FROM seen`
      : Prisma.sql`SELECT n, unit FROM seen, jsonb_array_elements(targets) AS unit`;
  const sample = (rows: Prisma.Sql) =>
    Prisma.sql`SELECT row_number() OVER (ORDER BY e.occurred_at DESC, e.seq DESC) AS n, e.actor, e.targets
       FROM ${rows}`;
  const seen = scope.sight
    ? sample(await newestSeen(scope))
    : Prisma.sql`(${exact}) UNION ALL
      (${sample(events)} WHERE ${org} ${newest} ${SUBJECT_SAMPLE}::int)`;
  const rows = await readRows<{ type: string; id: string; name: string | null }>(Prisma.sql`
    WITH seen AS (${seen})
    SELECT unit ->> 'type' AS type, unit ->> 'id' AS id,
      (array_agg(unit ->> 'name' ORDER BY n) FILTER (WHERE unit ->> 'name' <> ''))[1] AS name
    FROM (${units}) AS units
    WHERE unit ->> 'id' IS NOT NULL AND unit ->> 'type' IS NOT NULL
      AND position(lower(${text}) IN lower(concat_ws(' ', unit ->> 'id', unit ->> 'name'))) > 0
    GROUP BY 1, 2 ORDER BY min(n), 2 LIMIT ${MAX_SUBJECTS}::int`);
  return rows.map(({ type, id, name }) =>
    name === null || name === HIDDEN ? { type, id } : { type, id, name },
  );
}

async function newestSeen(scope: Scope): Promise<Prisma.Sql> {
  const walk = toWalk(scope, { from: null, to: null });
  const plan = await choosePlan(walk, EMPTY_FILTER);
  return Prisma.sql`(${sampleOf(plan, walk, Prisma.raw("e.actor, e.targets"), SUBJECT_SAMPLE)}) e`;
}
