import type { Scope } from "@/lib/auth/scope";
import { Prisma } from "@/lib/generated/prisma/client";
import { HIDDEN, type Hideable, isHidden, type Sight } from "../sight";
import { whereClause } from "./where";

/**
 * `events e` as a scope sees it, to stand behind FROM or JOIN: the table itself, or only the rows of its sight,
 * with what is hidden replaced before anything else reads it.
 */
export function eventsOf({ sight }: Pick<Scope, "sight">): Prisma.Sql {
  return sight ? asSeen(sight, Prisma.sql`events e`) : Prisma.sql`events e`;
}

/** Events of Trailseal itself tell what others searched for, viewed and restricted: no sight shows them. */
export const SENT = Prisma.sql`e.action NOT LIKE 'trailseal.%'`;

/** Of rows of `events`, given as `… e`, those of a sight, as it shows them; again as `(…) e`. */
export function asSeen({ filter, hidden }: Sight, rows: Prisma.Sql): Prisma.Sql {
  const where = Prisma.join([SENT, ...filter.clauses.map(whereClause)], " AND ");
  return Prisma.sql`(SELECT ${hidden.size > 0 ? masked(hidden) : Prisma.sql`e.*`} FROM ${rows} WHERE ${where}) e`;
}

const OPEN = [
  ...["organization_id", "id", "seq", "action", "version", "actor_type"],
  ...["occurred_at", "recorded_at", "chain_hash"],
].map((column) => `e.${column}`);

const TEXT = `'${HIDDEN}'::text COLLATE "C"`;

/** Hidden whether or not there is a value: who may not see one may not count them either. */
function masked(hidden: ReadonlySet<Hideable>): Prisma.Sql {
  const column = (id: "actor" | "actor.name" | "ip", name: string) =>
    `${isHidden(hidden, { id }) ? TEXT : `e.${name}`} AS ${name}`;
  const columns = [
    ...OPEN,
    column("actor", "actor_id"),
    column("actor.name", "actor_name"),
    column("ip", "location"),
    `${isHidden(hidden, { id: "ip" }) ? "NULL::inet" : "e.ip"} AS ip`,
    `CASE WHEN e.actor IS NOT NULL THEN ${participant("e.actor", "actor", hidden)} END AS actor`,
    `${targets(hidden)} AS targets`,
    `${context(hidden)} AS context`,
    `${hidden.has("metadata") ? `'"${HIDDEN}"'::jsonb` : "e.metadata"} AS metadata`,
  ];
  return Prisma.raw(columns.join(", "));
}

const overlay = (keys: readonly string[]) =>
  `'${JSON.stringify(Object.fromEntries(keys.map((key) => [key, HIDDEN])))}'::jsonb`;

/** Keys that senders add beside the known ones are hidden with the metadata: nobody else has a name for them. */
function participant(
  unit: string,
  part: "actor" | "target",
  hidden: ReadonlySet<Hideable>,
): string {
  const keys = [
    ...(hidden.has(part) ? ["id"] : []),
    ...(hidden.has(`${part}.name`) ? ["name"] : []),
    ...(hidden.has(`${part}.metadata`) ? ["metadata"] : []),
  ];
  if (keys.length === 0) return unit;
  const known = keys.includes("metadata")
    ? `(${unit} - ARRAY(SELECT k FROM jsonb_object_keys(${unit}) AS k WHERE k NOT IN ('type', 'id', 'name')))`
    : unit;
  return `${known} || ${overlay(keys)}`;
}

function targets(hidden: ReadonlySet<Hideable>): string {
  const unit = participant("t.value", "target", hidden);
  if (unit === "t.value") return "e.targets";
  return `(SELECT coalesce(jsonb_agg(CASE WHEN t.value = 'null' THEN t.value ELSE ${unit} END ORDER BY t.position), '[]')
    FROM jsonb_array_elements(e.targets) WITH ORDINALITY AS t(value, position))`;
}

function context(hidden: ReadonlySet<Hideable>): string {
  if (hidden.has("context")) return overlay(["location", "user_agent"]);
  const keys = [
    ...(hidden.has("ip") ? ["location"] : []),
    ...(hidden.has("agent") ? ["user_agent"] : []),
  ];
  return keys.length > 0 ? `coalesce(e.context, '{}') || ${overlay(keys)}` : "e.context";
}
