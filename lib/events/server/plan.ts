import type { Scope } from "@/lib/auth/scope";
import { Prisma } from "@/lib/generated/prisma/client";
import { getField } from "../fields";
import { addressSpellings } from "../filter/address";
import type { Clause, EventFilter } from "../filter/ast";
import type { Sight } from "../sight";
import type { Position } from "./cursor";
import { readRows } from "./read";
import { demandUnhidden, isPart } from "./read-sight";
import { asSeen, SENT } from "./seen";
import { isOneOf, ofOrganization, whereClause } from "./where";

/**
 * How a filter is read: one clause drives, through an index that yields its rows in list order; the rest
 * is checked row by row on at most so many candidates at a time. So a page never scans without a bound,
 * however rare its matches.
 */
export interface Plan {
  driver: Driver;
  /** What is left to check on each candidate. */
  rest: EventFilter;
  /** Whether every candidate is a match: nothing is left to check, and all of them may be seen. */
  isWhole: boolean;
  /** Whether the driver is known to have few rows: then no bound is needed. */
  isSmall: boolean;
}

export type Driver =
  | { kind: "time" }
  | { kind: "column"; column: "actor_id" | "action" | "location" | "id"; values: string[] }
  | { kind: "targets"; type: string | null; ids: string[] }
  /** In no order: only for few rows. */
  | { kind: "few"; clause: Clause };

/** The part of an organization's log that a read is about: `from` included, `to` not. */
export interface Range {
  organizationId: string;
  from: string | null;
  to: string | null;
  /** Whose sight bounds what is read; undefined: everything. */
  sight: Sight | undefined;
}

export function rangeOf(
  { organizationId, sight }: Scope,
  { from = null, to = null }: { from?: string | null; to?: string | null },
): Range {
  return { organizationId, from, to, sight };
}

export interface Walk extends Range {
  direction: "older" | "newer";
  /** Only what lies beyond it in that direction. */
  position: Position | null;
  /** The last place to read, itself included. */
  until?: Position | null;
}

/** Fewer rows than this are read whole and sorted. */
const FEW = 1_000;
/** More values than this in one clause are checked row by row instead of merged. */
const MAX_MERGED_VALUES = 20;

/** @throws AppError invalid_filter for one that asks for what is hidden from the reader */
export async function choosePlan(range: Range, filter: EventFilter): Promise<Plan> {
  const { sight } = range;
  demandUnhidden(sight, filter);
  // Whether candidates are few, and where a search through many stops, tells of them, seen or not: they are chosen by
  // what may be seen alone. By ids there is one for each.
  if (!isPart(sight)) return planOf(range, filter);
  if (filter.clauses.some(isOfIds)) return { ...(await planOf(range, filter)), isWhole: false };
  const seen = await planOf(range, sight.filter);
  return { ...seen, rest: filter, isWhole: seen.isWhole && filter.clauses.length === 0 };
}

function isOfIds(clause: Clause): boolean {
  const driver = driverOf(clause);
  return driver !== null && isById(driver);
}

async function planOf(range: Range, filter: EventFilter): Promise<Plan> {
  // What a reader asks for under a sight: rows of targets, and the values under a prefix, are also of unseen events.
  const isAsked = range.sight !== undefined && filter !== range.sight.filter;
  const options = filter.clauses.flatMap((clause, index) => {
    const driver = driverOf(clause);
    const isOption = driver && !(isAsked && driver.kind === "targets");
    return isOption ? [{ driver, rest: without(filter, index) }] : [];
  });
  const plan = (driver: Driver, rest: EventFilter, isSmall: boolean): Plan => ({
    driver,
    rest,
    isWhole: rest.clauses.length === 0,
    isSmall,
  });
  const [first] = options;
  if (!first) return plan({ kind: "time" }, filter, false);
  const byId = options.find(({ driver }) => isById(driver));
  if (byId) return plan(byId.driver, byId.rest, true);
  // Within a sight it matters whether they are few.
  const isOnly = options.length === 1 && first.driver.kind !== "few" && !range.sight;
  if (isOnly) return plan(first.driver, first.rest, false);
  const counts = await probe(
    range,
    options.map((option) => option.driver),
  );
  const least = counts.indexOf(Math.min(...counts));
  const rarest = options[least];
  if (rarest && (counts[least] as number) < FEW) return plan(rarest.driver, rarest.rest, true);
  const ordered = PREFERENCE.flatMap((kind) =>
    options.filter(
      ({ driver }) => kind === (driver.kind === "column" ? driver.column : driver.kind),
    ),
  );
  if (ordered[0]) return plan(ordered[0].driver, ordered[0].rest, false);
  for (const { driver, rest } of options) {
    const merged =
      driver.kind === "few" && !isAsked ? await expandPrefix(range, driver.clause) : null;
    if (merged) return plan(merged, rest, false);
  }
  return plan({ kind: "time" }, filter, false);
}

/** Among clauses that all have many rows: what usually has the fewest comes first. */
const PREFERENCE = ["targets", "actor_id", "location", "action"];

function without(filter: EventFilter, index: number): EventFilter {
  return { clauses: filter.clauses.filter((_, at) => at !== index) };
}

/** The index that serves a clause, if one does. */
function driverOf(clause: Clause): Driver | null {
  const { condition, negated } = clause;
  if (negated || condition.kind !== "any") return null;
  const field = getField(condition.field.id);
  if (!field.index) return null;
  const { matches } = condition;
  const values = [...new Set(matches.map((match) => match.value))];
  const isExact = matches.every((match) => match.operator === "is");
  if (field.source.from === "targets")
    return isExact && values.length <= MAX_MERGED_VALUES
      ? { kind: "targets", type: null, ids: values }
      : null;
  if (field.source.from !== "event") return null;
  const { column } = field.source;
  // As many rows as ids: nothing to merge.
  if (isExact && column === "id" && values.length > 1) return { kind: "few", clause };
  if (isExact && values.length <= MAX_MERGED_VALUES && isOrderedColumn(column))
    return {
      kind: "column",
      column,
      values: field.kind === "ip" ? [...new Set(values.flatMap(addressSpellings))] : values,
    };
  const isRange = matches.every(({ operator }) => operator === "is" || operator === "starts_with");
  return isRange ? { kind: "few", clause } : null;
}

function isById(driver: Driver): boolean {
  if (driver.kind === "column") return driver.column === "id";
  if (driver.kind !== "few") return false;
  const { condition } = driver.clause;
  return (
    condition.kind === "any" &&
    condition.field.id === "id" &&
    condition.matches.every(({ operator }) => operator === "is")
  );
}

type OrderedColumn = Extract<Driver, { kind: "column" }>["column"];

export function isOrderedColumn(column: unknown): column is OrderedColumn {
  return ["actor_id", "action", "location", "id"].includes(column as string);
}

/** How many rows each driver has in the range, counted up to FEW. */
async function probe(range: Range, drivers: readonly Driver[]): Promise<number[]> {
  const counts = drivers.map((driver) => {
    const [table, condition] =
      driver.kind === "targets"
        ? ([Prisma.sql`event_targets t`, isOneOf(Prisma.sql`t.target_id`, driver.ids)] as const)
        : ([Prisma.sql`events e`, whereDriver(driver)] as const);
    const within = inRange(driver.kind === "targets" ? "t" : "e", range);
    return Prisma.sql`(SELECT count(*)::integer FROM (SELECT 1 FROM ${table} WHERE ${within} AND ${condition} LIMIT ${FEW}) AS probed)`;
  });
  const rows = await readRows<{ counts: number[] }>(
    Prisma.sql`SELECT ARRAY[${Prisma.join(counts)}] AS counts`,
  );
  return rows[0]?.counts ?? [];
}

/** The values under a prefix, as a driver, when they are few: jumps from value to value in the index. */
async function expandPrefix(range: Range, clause: Clause): Promise<Driver | null> {
  const { condition } = clause;
  if (condition.kind !== "any" || condition.matches.length !== 1) return null;
  const { source } = getField(condition.field.id);
  if (source.from !== "event" || !isOrderedColumn(source.column)) return null;
  const values = await jumpValues(
    range.organizationId,
    clause,
    source.column,
    MAX_MERGED_VALUES + 1,
  );
  if (values.length === 0 || values.length > MAX_MERGED_VALUES) return null;
  return { kind: "column", column: source.column, values };
}

/** The first different values of an indexed column under a clause on it, jumping from one to the next. */
export async function jumpValues(
  organizationId: string,
  clause: Clause,
  name: OrderedColumn,
  limit: number,
): Promise<string[]> {
  const column = Prisma.raw(`e.${name}`);
  const within = Prisma.sql`${ofOrganization(organizationId)} AND ${whereClause(clause)}`;
  const rows = await readRows<{ value: string }>(Prisma.sql`
    WITH RECURSIVE found(value) AS (
      (SELECT ${column} FROM events e WHERE ${within} ORDER BY ${column} LIMIT 1)
      UNION ALL
      SELECT (SELECT ${column} FROM events e WHERE ${within} AND ${column} > found.value ORDER BY ${column} LIMIT 1)
      FROM found WHERE found.value IS NOT NULL
    )
    SELECT value FROM found WHERE value IS NOT NULL LIMIT ${limit}`);
  return rows.map((row) => row.value);
}

function whereDriver(driver: Exclude<Driver, { kind: "targets" }>): Prisma.Sql {
  switch (driver.kind) {
    case "time":
      return Prisma.sql`true`;
    case "column":
      return isOneOf(Prisma.raw(`e.${driver.column}`), driver.values);
    case "few":
      return whereClause(driver.clause);
  }
}

/** Of `events`, Trailseal's own are left out before any limit for whom no sight shows them. */
function inRange(alias: "e" | "t", { organizationId, from, to, sight }: Range): Prisma.Sql {
  const occurredAt = Prisma.raw(`${alias}.occurred_at`);
  // No bound on recorded_at follows: ingest accepts times ahead of its own clock.
  const bounds = [
    ...(from ? [Prisma.sql`${occurredAt} >= ${from}::timestamptz`] : []),
    ...(to ? [Prisma.sql`${occurredAt} < ${to}::timestamptz`] : []),
    ...(sight && alias === "e" ? [SENT] : []),
  ];
  return Prisma.join([ofOrganization(organizationId, alias), ...bounds], " AND ");
}

function inWalk(alias: "e" | "t", walk: Walk): Prisma.Sql {
  const within = inRange(alias, walk);
  const key = Prisma.raw(`(${alias}.occurred_at, ${alias}.seq)`);
  const place = ({ occurredAtMs, seq }: Position) =>
    Prisma.sql`(${new Date(occurredAtMs).toISOString()}::timestamptz, ${seq}::bigint)`;
  const [beyond, upTo] = (walk.direction === "older" ? ["<", ">="] : [">", "<="]).map(Prisma.raw);
  const occurredAt = Prisma.raw(`${alias}.occurred_at`);
  const at = ({ occurredAtMs }: Position) =>
    Prisma.sql`${new Date(occurredAtMs).toISOString()}::timestamptz`;
  const bounds = [
    within,
    // The planner takes two comparisons of rows for independent, a quarter of the log, and would read and sort all of
    // it for each piece; of two comparisons of times it knows how little is between.
    ...(walk.position && walk.until
      ? [
          Prisma.sql`${occurredAt} ${beyond}= ${at(walk.position)} AND ${occurredAt} ${upTo} ${at(walk.until)}`,
        ]
      : []),
    ...(walk.position ? [Prisma.sql`${key} ${beyond} ${place(walk.position)}`] : []),
    ...(walk.until ? [Prisma.sql`${key} ${upTo} ${place(walk.until)}`] : []),
  ];
  return Prisma.join(bounds, " AND ");
}

export function inOrder(alias: "e" | "t", { direction }: Pick<Walk, "direction">): Prisma.Sql {
  const order = direction === "older" ? "DESC" : "ASC";
  return Prisma.raw(`ORDER BY ${alias}.occurred_at ${order}, ${alias}.seq ${order}`);
}

const KEY_COLUMNS = Prisma.raw("e.occurred_at, e.seq");

function atMost(limit: number | null): Prisma.Sql {
  return limit === null ? Prisma.empty : Prisma.sql` LIMIT ${limit}`;
}

/**
 * The driver's rows of `events` in list order, to be read as `FROM (…) e`; all of them without a limit. A
 * target's limit counts its rows: an event may hold several of the ids, or one id under several types. Behind
 * the limit a sight leaves what it shows.
 */
export function candidates(driver: Driver, walk: Walk, limit: number | null): Prisma.Sql {
  const rows = allCandidates(driver, walk, limit);
  return walk.sight
    ? Prisma.sql`SELECT * FROM ${asSeen(walk.sight, Prisma.sql`(${rows}) e`)}`
    : rows;
}

function allCandidates(driver: Driver, walk: Walk, limit: number | null): Prisma.Sql {
  if (driver.kind === "few")
    // OFFSET keeps the planner from walking another index in list order.
    return Prisma.sql`SELECT e.* FROM events e WHERE ${inWalk("e", walk)} AND ${whereDriver(driver)} OFFSET 0`;
  if (driver.kind !== "targets") return ofEvents(driver, walk, limit, Prisma.sql`e.*`);
  // One event at a time: any other join would read all candidates before the first match.
  return Prisma.sql`SELECT t.occurred_at, t.seq, t.recorded_at, ${EVENT_COLUMNS} FROM (
      SELECT DISTINCT ON (t.occurred_at, t.seq) t.* FROM (${targetRows(driver, walk, limit)}) t ${inOrder("t", walk)}
    ) t
    CROSS JOIN LATERAL (
      SELECT * FROM events e
      WHERE e.organization_id = ${walk.organizationId} AND e.seq = t.seq AND e.recorded_at = t.recorded_at OFFSET 0
    ) e ${inOrder("t", walk)}`;
}

const EVENT_COLUMNS = Prisma.raw(
  [
    "organization_id",
    "id",
    "action",
    "version",
    "actor",
    "targets",
    "context",
    "metadata",
    "chain_hash",
    "ip",
    "actor_id",
    "actor_type",
    "actor_name",
    "location",
  ]
    .map((name) => `e.${name}`)
    .join(", "),
);

/** The order keys of the candidates alone; of targets, row by row, so that one event may come twice. */
export function candidateKeys(
  driver: Exclude<Driver, { kind: "few" }>,
  walk: Walk,
  limit: number,
): Prisma.Sql {
  return driver.kind === "targets"
    ? Prisma.sql`SELECT e.* FROM (${targetRows(driver, walk, limit)}) e`
    : ofEvents(driver, walk, limit, KEY_COLUMNS);
}

function ofEvents(
  driver: Exclude<Driver, { kind: "few" | "targets" }>,
  walk: Walk,
  limit: number | null,
  columns: Prisma.Sql,
): Prisma.Sql {
  const read = (condition: Prisma.Sql) =>
    Prisma.sql`SELECT ${columns} FROM events e WHERE ${inWalk("e", walk)} AND ${condition} ${inOrder("e", walk)}${atMost(limit)}`;
  if (driver.kind === "time" || driver.values.length === 1) return read(whereDriver(driver));
  const each = driver.values.map((value) => read(whereDriver({ ...driver, values: [value] })));
  return Prisma.sql`SELECT * FROM (${merged(each)}) e ${inOrder("e", walk)}${atMost(limit)}`;
}

function targetRows(
  driver: Extract<Driver, { kind: "targets" }>,
  walk: Walk,
  limit: number | null,
): Prisma.Sql {
  const ofType =
    driver.type === null ? Prisma.empty : Prisma.sql` AND t.target_type = ${driver.type}`;
  // Each read has the limit too: without one the planner would rather sort all rows of a target.
  const read = (id: string) =>
    Prisma.sql`SELECT t.occurred_at, t.seq, t.recorded_at FROM event_targets t WHERE ${inWalk("t", walk)} AND t.target_id = ${id}${ofType} ${inOrder("t", walk)}${atMost(limit)}`;
  const [only] = driver.ids;
  if (driver.ids.length === 1 && only !== undefined) return read(only);
  return Prisma.sql`SELECT * FROM (${merged(driver.ids.map(read))}) t ${inOrder("t", walk)}${atMost(limit)}`;
}

function merged(reads: Prisma.Sql[]): Prisma.Sql {
  return Prisma.join(
    reads.map((read) => Prisma.sql`(${read})`),
    " UNION ALL ",
  );
}
