import type { Scope } from "@/lib/auth/scope";
import { Prisma } from "@/lib/generated/prisma/client";
import { getField, isKeyed } from "../fields";
import { EMPTY_FILTER, type FieldRef } from "../filter/ast";
import type { CompletedValue, FieldValues } from "../values";
import { readFacets, readMetadataKeys } from "./facets";
import { isOrderedColumn, jumpValues } from "./plan";
import { readRows } from "./read";
import { ofOrganization } from "./where";

const MAX_VALUES = 12;
/** Fewer than facets count: this is asked for while somebody types. */
export const VALUE_SAMPLE = 3_000;
const WHOLE_LOG = { filter: EMPTY_FILTER, from: null, to: null };

/**
 * Values of a field that begin with, contain or are called what was typed; of a keyed field without a path
 * its keys. Looks at the newest events, and where an index orders the values, at the whole log for those
 * that begin with it.
 * @throws AppError invalid_filter for what is hidden from the reader, timeout, unavailable
 */
export async function readValues(
  scope: Scope,
  field: FieldRef,
  typed: string,
): Promise<FieldValues> {
  if (isKeyed(getField(field.id)) && field.path.length === 0) {
    const { keys, counted } = await readMetadataKeys(scope, WHOLE_LOG, field.id, typed);
    const values = keys.map(({ key, count }) => toValue(key, null, count, typed));
    return { values: ordered(values, typed), hasEveryStart: false, counted };
  }
  const [[facet], started] = await Promise.all([
    readFacets(scope, WHOLE_LOG, [field], typed, VALUE_SAMPLE),
    typed === "" || scope.sight ? null : readStarts(scope, field, typed),
  ]);
  if (!facet) throw new Error(`No facet ${field.id}`);
  const { counted, distinct } = facet;
  const values = facet.values.map(({ value, name, count }) => toValue(value, name, count, typed));
  const known = new Set(values.map(({ value }) => value));
  for (const value of started ?? [])
    if (!known.has(value)) values.push(toValue(value, null, null, typed));
  const isWhole = counted.kind === "all" && distinct <= facet.values.length;
  return {
    values: ordered(values, typed),
    hasEveryStart: isWhole || (started !== null && started.length < MAX_VALUES),
    counted,
  };
}

/** The first values in order that begin with the text, from the index; null where none orders them. */
async function readStarts(scope: Scope, field: FieldRef, text: string): Promise<string[] | null> {
  const { source, index } = getField(field.id);
  if (!index) return null;
  if (source.from === "event" && isOrderedColumn(source.column)) {
    const matches = [{ operator: "starts_with" as const, value: text }];
    const clause = { negated: false, condition: { kind: "any" as const, field, matches } };
    return jumpValues(scope.organizationId, clause, source.column, MAX_VALUES);
  }
  return source.from === "targets" && source.column
    ? readTargetStarts(scope, source.column, text)
    : null;
}

async function readTargetStarts(
  { organizationId }: Scope,
  name: string,
  text: string,
): Promise<string[]> {
  const column = Prisma.raw(`t.${name}`);
  const within = Prisma.sql`${ofOrganization(organizationId, "t")}
    AND ${column} LIKE ${`${text.replace(/[\\%_]/g, "\\$&")}%`}`;
  const next = (condition: Prisma.Sql) =>
    Prisma.sql`SELECT ${column} FROM event_targets t WHERE ${within} ${condition} ORDER BY ${column} LIMIT 1`;
  const rows = await readRows<{ value: string }>(Prisma.sql`
    WITH RECURSIVE found(value) AS (
      (${next(Prisma.empty)})
      UNION ALL
      SELECT (${next(Prisma.sql`AND ${column} > found.value`)}) FROM found WHERE found.value IS NOT NULL
    )
    SELECT value FROM found WHERE value IS NOT NULL LIMIT ${MAX_VALUES}`);
  return rows.map(({ value }) => value);
}

function toValue(
  value: string,
  name: string | null,
  count: number | null,
  typed: string,
): CompletedValue {
  const isInside = value.toLowerCase().includes(typed.toLowerCase());
  const matched = value.startsWith(typed) ? "start" : isInside ? "inside" : "name";
  return { value, name, count, matched };
}

const RANK = { start: 0, name: 1, inside: 2 };

/** The text itself comes first, then what begins with it; within, the most frequent. */
function ordered(values: CompletedValue[], typed: string): CompletedValue[] {
  const rank = ({ value, matched }: CompletedValue) => (value === typed ? -1 : RANK[matched]);
  return values
    .toSorted((a, b) => rank(a) - rank(b) || (b.count ?? 0) - (a.count ?? 0))
    .slice(0, MAX_VALUES);
}
