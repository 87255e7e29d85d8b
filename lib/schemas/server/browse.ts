import type { Scope } from "@/lib/auth/scope";
import { AppError } from "@/lib/errors";
import { readRows } from "@/lib/events/server/read";
import { ofOrganization } from "@/lib/events/server/where";
import { Prisma } from "@/lib/generated/prisma/client";
import type { ActionSchema } from "../schema";

/**
 * Actions as people browse them: schemas belong to the instance, events to one organization. Reading the two
 * apart keeps every statement on one kind of table, as Citus wants it.
 */

const PAGE = 50;
const VERSIONS = 20;
/** Different actions looked at for one page of a search. */
const STEPS = 2_000;

interface RegisteredSchema extends ActionSchema {
  /** Who made it, in words; null when nobody remembers. */
  registeredBy: string | null;
}

interface BrowsedAction {
  name: string;
  /** The newest version; null for an action that was only seen. */
  schema: RegisteredSchema | null;
  /** When its newest event in this organization occurred, ISO 8601; null without any. */
  lastEventAt: string | null;
}

export interface ActionPage {
  actions: BrowsedAction[];
  /** Actions beyond this name follow, or may: a search looks at so many at a time. */
  next: string | null;
}

/**
 * Actions with a schema or an event in this organization, by name in byte order.
 * @param search what their names contain, in upper or lower case
 * @param after the name where the page before ended
 * @throws AppError timeout, unavailable
 */
export async function browseActions(
  scope: Scope,
  { search, after }: { search: string; after: string },
): Promise<ActionPage> {
  const matches = (column: string) =>
    Prisma.sql`strpos(lower(${Prisma.raw(column)}), lower(${search})) > 0`;
  const steps = search === "" ? PAGE + 1 : STEPS;
  const [seen, registered] = await Promise.all([
    readRows<{ action: string; is_match: boolean; step: number }>(Prisma.sql`
      WITH RECURSIVE seen(action, step) AS (
        (SELECT e.action, 1 FROM events e
         WHERE ${ofOrganization(scope.organizationId)} AND e.action > ${after} ORDER BY e.action LIMIT 1)
        UNION ALL
        SELECT (SELECT e.action FROM events e WHERE ${ofOrganization(scope.organizationId)}
                AND e.action > seen.action ORDER BY e.action LIMIT 1), step + 1
        FROM seen WHERE action IS NOT NULL AND step < ${steps}
      ), judged AS (
        SELECT action, step, ${matches("action")} AND action NOT LIKE 'trailseal.%' AS is_match FROM seen
      )
      SELECT action, step, is_match FROM judged WHERE action IS NOT NULL AND (is_match OR step = ${steps})
      ORDER BY step`),
    readRows<StoredSchema>(Prisma.sql`
      SELECT DISTINCT ON (s.action) ${COLUMNS} WHERE s.action > ${after} AND ${matches("s.action")}
      ORDER BY s.action, s.version DESC LIMIT ${PAGE + 1}`),
  ]);
  const last = seen.at(-1);
  const reached = last?.step === steps ? last.action : null;
  const schemas = new Map(registered.map((row) => [row.action, toRegistered(row)]));
  const found = new Set([
    ...seen.flatMap(({ action, is_match }) => (is_match ? [action] : [])),
    ...schemas.keys(),
  ]);
  const names = [...found]
    .filter((name) => reached === null || compareBytes(name, reached) <= 0)
    .sort(compareBytes);
  const page = names.slice(0, PAGE);
  const newest = await readNewest(scope, page);
  return {
    actions: page.map((name) => ({
      name,
      schema: schemas.get(name) ?? null,
      lastEventAt: newest.get(name)?.occurredAt ?? null,
    })),
    next: names.length > PAGE ? (page.at(-1) ?? null) : reached,
  };
}

export interface ActionDetail {
  name: string;
  /** Newest first. */
  versions: RegisteredSchema[];
  hasOlder: boolean;
  /** The number of the newest; 0 without any. */
  newest: number;
  lastEventAt: string | null;
  /** Types of the targets that the newest event has, each once. */
  seenTargets: string[];
}

/**
 * One action with its versions.
 * @param below only versions with a smaller number
 * @throws AppError not_found for an action without schema or event here; timeout, unavailable
 */
export async function readAction(
  scope: Scope,
  name: string,
  below: number | null,
): Promise<ActionDetail> {
  const [rows, heads, events] = await Promise.all([
    readRows<StoredSchema>(Prisma.sql`SELECT ${COLUMNS} WHERE s.action = ${name}
      AND (${below}::integer IS NULL OR s.version < ${below}) ORDER BY s.version DESC LIMIT ${VERSIONS + 1}`),
    readRows<{ newest: number }>(
      Prisma.sql`SELECT coalesce(max(version), 0) AS newest FROM action_schemas WHERE action = ${name}`,
    ),
    readNewest(scope, [name]),
  ]);
  const event = events.get(name);
  const newest = heads[0]?.newest ?? 0;
  if (newest === 0 && !event)
    throw new AppError(
      "not_found",
      `There is no action ${name}, neither with a schema nor in this log.`,
    );
  return {
    name,
    versions: rows.slice(0, VERSIONS).map(toRegistered),
    hasOlder: rows.length > VERSIONS,
    newest,
    lastEventAt: event?.occurredAt ?? null,
    seenTargets: event?.targets ?? [],
  };
}

interface StoredSchema extends Omit<ActionSchema, "createdAt"> {
  created_at: Date;
  registered_by: string | null;
}

const COLUMNS = Prisma.sql`s.id, s.action, s.version, s.targets, s.actor, s.metadata, s.created_at,
  CASE WHEN s.created_by = 'cli' THEN 'the command line' ELSE coalesce(u.name, 'API key ' || k.name) END
    AS registered_by
  FROM action_schemas s LEFT JOIN users u ON u.id = s.created_by LEFT JOIN api_keys k ON k.id = s.created_by`;

function toRegistered({ created_at, registered_by, ...row }: StoredSchema): RegisteredSchema {
  return { ...row, createdAt: created_at.toISOString(), registeredBy: registered_by };
}

/** The newest event of each action in this organization. */
async function readNewest(scope: Scope, names: string[]) {
  const rows = await readRows<{ name: string; occurred_at: Date; targets: unknown }>(Prisma.sql`
    SELECT n.name, e.occurred_at, e.targets FROM unnest(${names}::text[]) AS n(name)
    CROSS JOIN LATERAL (
      SELECT occurred_at, targets FROM events
      WHERE organization_id = ${scope.organizationId} AND action = n.name COLLATE "C"
      ORDER BY occurred_at DESC, seq DESC LIMIT 1) e`);
  return new Map(
    rows.map(({ name, occurred_at, targets }) => {
      // An erased target is null.
      const units = targets as ({ type: string } | null)[];
      const types = new Set(units.flatMap((unit) => unit?.type ?? []));
      return [name, { occurredAt: occurred_at.toISOString(), targets: [...types] }];
    }),
  );
}

/** As COLLATE "C" orders them: UTF-16 would put some characters elsewhere. */
const compareBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
