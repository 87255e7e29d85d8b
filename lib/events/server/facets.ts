import type { Scope } from "@/lib/auth/scope";
import { Prisma } from "@/lib/generated/prisma/client";
import { type Counted, FACET_SAMPLE, FACET_VALUES, type Facet, type MetadataKeys } from "../facets";
import { type FieldId, getField } from "../fields";
import type { EventFilter, FieldRef } from "../filter/ast";
import { clearField, fieldRef, isSameField } from "../filter/edit";
import { serializeField } from "../filter/serialize";
import { isHidden, type Sight } from "../sight";
import { choosePlan } from "./plan";
import { readRows } from "./read";
import { demandField } from "./read-sight";
import { isRolledUp, uncounted } from "./rolled-up";
import { countedOf, type Extent, readExtent, type SampleRequest, sampleOf, toWalk } from "./sample";
import { fieldText } from "./where";

/** Metadata keys are looked for in fewer: each event has several. */
const KEY_SAMPLE = 1_000;
const MAX_KEYS = 20;

/**
 * Facets, each under all clauses but its own; its selected values are always among its values.
 * @param search only values whose text or name contains this, ignoring case
 * @throws AppError invalid_filter for what is hidden from the reader, timeout, unavailable
 */
export async function readFacets(
  scope: Scope,
  request: SampleRequest,
  fields: readonly FieldRef[],
  search = "",
  sampleSize = FACET_SAMPLE,
): Promise<Facet[]> {
  for (const field of fields) demandField(scope.sight, field);
  // Fields without a clause of their own are counted on the same events: read once.
  const groups = new Map<string, { filter: EventFilter; fields: FieldRef[] }>();
  for (const field of fields) {
    const filter = clearField(request.filter, field);
    const isShared = filter.clauses.length === request.filter.clauses.length;
    const isExact = field.id === "action" && isUnbounded(scope, { ...request, filter });
    const key = isShared && !isExact ? "" : serializeField(field);
    const group = groups.get(key) ?? { filter, fields: [] };
    group.fields.push(field);
    groups.set(key, group);
  }
  const counted = await Promise.all(
    [...groups.values()].map((group) =>
      countGroup(
        scope,
        { ...request, filter: group.filter },
        group.fields,
        request.filter,
        search,
        sampleSize,
      ),
    ),
  );
  const all = counted.flat();
  return fields.map((field) => {
    const found = all.find((facet) => isSameField(facet.field, field));
    if (!found) throw new Error(`No facet ${field.id}`);
    return found.facet;
  });
}

/** The top-level keys of the newest matches: of their metadata, or of another keyed field. */
export async function readMetadataKeys(
  scope: Scope,
  request: SampleRequest,
  id: FieldId = "metadata",
  search = "",
): Promise<MetadataKeys> {
  demandField(scope.sight, { id });
  const walk = toWalk(scope, request);
  const { source } = getField(id);
  if (source.from !== "document") throw new Error(`${id} has no keys`);
  const document = Prisma.sql`${Prisma.raw(`e.${source.column}`)} #> ${source.prefix}::text[]`;
  const plan = await choosePlan(walk, request.filter);
  const rows = await readRows<{ key: string; count: number; total: number }>(Prisma.sql`
    WITH sample AS MATERIALIZED (${sampleOf(plan, walk, Prisma.raw(`e.${source.column}`), KEY_SAMPLE)})
    SELECT key, count(*)::integer AS count, count(*) OVER ()::integer AS total FROM sample e,
      jsonb_object_keys(CASE WHEN jsonb_typeof(${document}) = 'object' THEN ${document} ELSE '{}' END) AS key
    WHERE position(lower(${search}) IN lower(key)) > 0 GROUP BY key ORDER BY count DESC, key COLLATE "C" LIMIT ${MAX_KEYS}`);
  const extent = await readExtent(plan, walk, KEY_SAMPLE);
  const keys = rows.map(({ key, count }) => ({ key, count }));
  return {
    keys,
    distinct: rows[0]?.total ?? 0,
    counted: await countedOf(plan, walk, extent, KEY_SAMPLE),
  };
}

interface CountedValue extends Extent {
  field: number;
  value: string | null;
  name: string | null;
  count: number;
  total: number;
}

async function countGroup(
  scope: Scope,
  request: SampleRequest,
  fields: readonly FieldRef[],
  whole: EventFilter,
  search: string,
  sampleSize: number,
): Promise<{ field: FieldRef; facet: Facet }[]> {
  const walk = toWalk(scope, request);
  const [only] = fields;
  if (
    fields.length === 1 &&
    only?.id === "action" &&
    isUnbounded(scope, request) &&
    (await isRolledUp(scope, true))
  ) {
    const facet = await countActions(scope, selectedValues(whole, only), search);
    return [{ field: only, facet }];
  }
  const plan = await choosePlan(walk, request.filter);
  const columns = Prisma.join(
    [...new Set(fields.flatMap(columnsOf))].map((name) => Prisma.raw(name)),
  );
  // Taken apart once, for all fields that are read from targets.
  const targets = fields.some(isOfTargets)
    ? Prisma.sql`targets AS MATERIALIZED (SELECT e.seq, t.value FROM sample e CROSS JOIN LATERAL jsonb_array_elements(e.targets) AS t(value)),`
    : Prisma.empty;
  const perField = fields.map(
    (field, index) =>
      Prisma.sql`(SELECT ${index}::integer AS field, v.* FROM (${topValues(field, selectedValues(whole, field), search, scope.sight)}) v)`,
  );
  // The row without a value tells what was counted, also where no field has any.
  const rows = await readRows<CountedValue>(Prisma.sql`
    WITH sample AS MATERIALIZED (${sampleOf(plan, walk, columns, sampleSize)}), ${targets}
    extent AS (SELECT count(*)::integer AS matches, (extract(epoch FROM min(occurred_at)) * 1000)::float8 AS oldest_ms FROM sample)
    SELECT field, value, name, count, total, extent.* FROM extent, (
      ${Prisma.join(perField, " UNION ALL ")}
      UNION ALL SELECT -1, NULL, NULL, 0, 0
    ) counted`);
  const counted = await countedOf(plan, walk, rows[0], sampleSize);
  return fields.map((field, index) => {
    const found = rows.filter((row) => row.field === index);
    return { field, facet: toFacet(found, selectedValues(whole, field), search, counted) };
  });
}

function toFacet(
  rows: readonly { value: string | null; name: string | null; count: number; total: number }[],
  selected: readonly string[],
  search: string,
  counted: Counted,
): Facet {
  const values = rows
    .map(({ value, name, count }) => ({ value: value ?? "", name, count }))
    .filter(({ value }, rank) => rank < FACET_VALUES || selected.includes(value));
  const missing =
    search === "" ? selected.filter((value) => !values.some((v) => v.value === value)) : [];
  return {
    values: [...values, ...missing.map((value) => ({ value, name: null, count: 0 }))],
    distinct: rows[0]?.total ?? 0,
    counted,
  };
}

/** The values that the filter asks for or excludes exactly. */
function selectedValues(filter: EventFilter, field: FieldRef): string[] {
  return filter.clauses.flatMap(({ condition }) =>
    condition.kind === "any" && isSameField(condition.field, field)
      ? condition.matches.filter(({ operator }) => operator === "is").map(({ value }) => value)
      : [],
  );
}

function isUnbounded({ sight }: Scope, { filter, from, to }: SampleRequest): boolean {
  return !sight && filter.clauses.length === 0 && from === null && to === null;
}

/** What of `events e` a field's values and names are read from. */
function columnsOf(field: FieldRef): string[] {
  const { source, named } = getField(field.id);
  const names = named ? columnsOf(fieldRef(named)) : [];
  switch (source.from) {
    case "event":
      return [
        `e.${typeof source.column === "string" ? source.column : source.column.of}`,
        ...names,
      ];
    case "targets":
      return ["e.targets"];
    case "document":
      return [`e.${source.column}`];
  }
}

const isOfTargets = (field: FieldRef) => getField(field.id).source.from === "targets";

/** (value, name, count, total): the most frequent values in `sample`, and the selected ones. */
function topValues(
  field: FieldRef,
  selected: readonly string[],
  search: string,
  sight: Sight | undefined,
): Prisma.Sql {
  const { named } = getField(field.id);
  const name =
    named && !(sight && isHidden(sight.hidden, { id: named }))
      ? fieldText(fieldRef(named))
      : Prisma.sql`NULL::text`;
  // An event may name a target twice. Grouping by event first is faster than counting distinct events.
  const each = isOfTargets(field)
    ? Prisma.sql`SELECT value, max(name) AS name FROM (
        SELECT t.seq, ${fieldText(field)} AS value, ${name} AS name FROM targets t) of_event GROUP BY value, seq`
    : Prisma.sql`SELECT ${fieldText(field)} AS value, ${name} AS name FROM sample e`;
  return top(
    Prisma.sql`SELECT value, max(name) AS name, count(*)::integer AS count FROM (${each}) each
      WHERE value IS NOT NULL GROUP BY value`,
    selected,
    search,
  );
}

function top(groups: Prisma.Sql, selected: readonly string[], search: string): Prisma.Sql {
  const pattern = `%${search.replace(/[\\%_]/g, "\\$&")}%`;
  const found =
    search === ""
      ? Prisma.sql`true`
      : Prisma.sql`(value ILIKE ${pattern} OR name ILIKE ${pattern})`;
  const isSelected = Prisma.sql`value = ANY(${[...selected]}::text[])`;
  return Prisma.sql`SELECT * FROM (
      SELECT value, name, count, count(*) OVER ()::integer AS total
      FROM (${groups}) grouped WHERE ${found}
      ORDER BY ${isSelected} DESC, count DESC, value COLLATE "C" LIMIT ${FACET_VALUES + selected.length}
    ) most ORDER BY count DESC, value COLLATE "C"`;
}

// Actions, exactly ---------------------------------------------------------------------------------

/** All events by action: the rollups, and what the follower has not counted yet. */
async function countActions(
  { organizationId }: Scope,
  selected: readonly string[],
  search: string,
): Promise<Facet> {
  const groups = Prisma.sql`SELECT value, NULL::text AS name, sum(count)::integer AS count FROM (
      SELECT r.action AS value, r.events AS count FROM rollup_actions_daily r WHERE r.organization_id = ${organizationId}
      UNION ALL
      SELECT e.action, 1 FROM ${uncounted(organizationId)} e
    ) each GROUP BY value`;
  const rows = await readRows<Omit<CountedValue, "field" | keyof Extent>>(
    top(groups, selected, search),
  );
  return toFacet(rows, selected, search, { kind: "all" });
}
