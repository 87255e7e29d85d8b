import { Prisma } from "@/lib/generated/prisma/client";
import { type EventColumn, getField, ignoresCase } from "../fields";
import { addressSpellings } from "../filter/address";
import type {
  Clause,
  Comparison,
  Condition,
  EventFilter,
  FieldRef,
  ValueMatch,
} from "../filter/ast";
import { fold, isAscii } from "../filter/fold";

/**
 * A filter as SQL over one row of `events e`; filter/match.ts is its meaning. Every value is bound; column
 * names come from the registry alone. List, timelines and CSV share it.
 */
export function whereFilter(organizationId: string, filter: EventFilter): Prisma.Sql {
  const clauses = filter.clauses.map(whereClause);
  return Prisma.join([ofOrganization(organizationId), ...clauses], " AND ");
}

/** Without what retention deleted: its rows may be there for a while yet, and are gone for everybody who reads. */
export function ofOrganization(organizationId: string, alias: "e" | "t" = "e"): Prisma.Sql {
  const [ofLog, seq] = [Prisma.raw(`${alias}.organization_id`), Prisma.raw(`${alias}.seq`)];
  // Looked up once, before the first row.
  return Prisma.sql`${ofLog} = ${organizationId}
    AND ${seq} >= (SELECT h.first_seq FROM log_heads h WHERE h.organization_id = ${organizationId})`;
}

export function whereClause({ negated, condition }: Clause): Prisma.Sql {
  const sql = whereCondition(condition);
  // Unlike NOT, this holds for absent values too.
  return negated ? Prisma.sql`(${sql}) IS NOT TRUE` : Prisma.sql`(${sql})`;
}

function whereCondition(condition: Condition): Prisma.Sql {
  switch (condition.kind) {
    case "text":
      return whereText(condition.value);
    case "has":
      return whereHas(condition.field);
    case "any":
      return whereAny(condition.field, condition.matches);
    case "compare":
      return whereNumber(
        condition.field,
        (number) =>
          Prisma.sql`${number} ${COMPARISONS[condition.operator]} ${numeric(condition.value)}`,
      );
    case "range":
      return whereNumber(
        condition.field,
        (number) =>
          Prisma.sql`${number} BETWEEN ${numeric(condition.from)} AND ${numeric(condition.to)}`,
      );
  }
}

const COMPARISONS: Record<Comparison, Prisma.Sql> = {
  ">": Prisma.sql`>`,
  ">=": Prisma.sql`>=`,
  "<": Prisma.sql`<`,
  "<=": Prisma.sql`<=`,
};

function numeric(value: number): Prisma.Sql {
  return Prisma.sql`${String(value)}::numeric`;
}

function column(source: EventColumn | { sql: string }): Prisma.Sql {
  return Prisma.raw(typeof source === "string" ? `e.${source}` : source.sql);
}

/** A text value of one target; within `someTarget`. */
function ofTarget(key: "id" | "type" | "name"): Prisma.Sql {
  return Prisma.raw(`(t.value ->> '${key}') COLLATE "C"`);
}

function someTarget(condition: Prisma.Sql): Prisma.Sql {
  return Prisma.sql`EXISTS (SELECT 1 FROM jsonb_array_elements(e.targets) AS t(value) WHERE ${condition})`;
}

function whereText(text: string): Prisma.Sql {
  const match = (value: Prisma.Sql) => like(value, "contains", text, true);
  const columns = (["action", "actor_id", "actor_name"] as const).map((name) =>
    match(column(name)),
  );
  const targets = (["id", "name"] as const).map((key) => match(ofTarget(key)));
  return any([...columns, someTarget(any(targets))]);
}

/** A column or expression over `events e`, or a path inside one of its documents, as text. */
export function fieldText(ref: FieldRef): Prisma.Sql {
  const { source } = getField(ref.id);
  switch (source.from) {
    case "event":
      return Prisma.sql`(${column(source.column)})::text COLLATE "C"`;
    case "targets":
      return ofTarget(source.key);
    case "document": {
      const document = Prisma.raw(`e.${source.column}`);
      const path = [...source.prefix, ...ref.path];
      return Prisma.sql`CASE WHEN jsonb_typeof(${document} #> ${path}::text[]) IN ('string', 'number', 'boolean')
        THEN (${document} #>> ${path}::text[]) COLLATE "C" END`;
    }
  }
}

function whereHas(ref: FieldRef): Prisma.Sql {
  const { source } = getField(ref.id);
  switch (source.from) {
    case "event":
      return Prisma.sql`${column(source.column)} IS NOT NULL`;
    case "targets":
      return someTarget(Prisma.sql`${ofTarget(source.key)} IS NOT NULL`);
    case "document": {
      const path = [...source.prefix, ...ref.path];
      return Prisma.sql`${Prisma.raw(`e.${source.column}`)} #>> ${path}::text[] IS NOT NULL`;
    }
  }
}

function whereAny(ref: FieldRef, matches: readonly ValueMatch[]): Prisma.Sql {
  const field = getField(ref.id);
  const { source } = field;
  if (field.kind === "number") {
    const numbers = matches.map((match) => Prisma.sql`${match.value}::numeric`);
    return whereNumber(ref, (number) => Prisma.sql`${number} IN (${Prisma.join(numbers)})`);
  }
  switch (source.from) {
    case "event":
      return whereMatches(ref, column(source.column), matches);
    case "targets": {
      if (matches.every((match) => match.operator === "is")) {
        const held = matches.map(
          ({ value }) =>
            Prisma.sql`e.targets @> ${JSON.stringify([{ [source.key]: value }])}::jsonb`,
        );
        return any(held);
      }
      return someTarget(whereMatches(ref, ofTarget(source.key), matches));
    }
    case "document": {
      const document = Prisma.raw(`e.${source.column}`);
      const path = [...source.prefix, ...ref.path];
      const scalar = Prisma.sql`jsonb_typeof(${document} #> ${path}::text[]) IN ('string', 'number', 'boolean')`;
      const text = Prisma.sql`(${document} #>> ${path}::text[]) COLLATE "C"`;
      return Prisma.sql`${scalar} AND (${whereMatches(ref, text, matches)})`;
    }
  }
}

function whereMatches(
  ref: FieldRef,
  value: Prisma.Sql,
  matches: readonly ValueMatch[],
): Prisma.Sql {
  const field = getField(ref.id);
  const exact = matches.filter((match) => match.operator === "is");
  const texts = exact.flatMap((match) =>
    field.kind === "ip" ? addressSpellings(match.value) : [match.value],
  );
  const conditions = texts.length > 0 ? [isOneOf(value, texts)] : [];
  for (const match of matches) {
    if (match.operator === "is") continue;
    if (match.operator === "in_network") conditions.push(Prisma.sql`e.ip <<= ${match.value}::inet`);
    else conditions.push(like(value, match.operator, match.value, ignoresCase(field)));
  }
  return any(conditions);
}

export function isOneOf(value: Prisma.Sql, texts: readonly string[]): Prisma.Sql {
  const [only] = texts;
  if (texts.length === 1) return Prisma.sql`${value} = ${only}`;
  return Prisma.sql`${value} IN (${Prisma.join(texts)})`;
}

function like(
  value: Prisma.Sql,
  operator: "starts_with" | "ends_with" | "contains",
  text: string,
  ignoreCase: boolean,
): Prisma.Sql {
  const needle = (ignoreCase ? fold(text, text) : text).replace(/[\\%_]/g, "\\$&");
  const before = operator === "starts_with" ? "" : "%";
  const after = operator === "ends_with" ? "" : "%";
  const pattern = before + needle + after;
  if (!ignoreCase) return Prisma.sql`${value} LIKE ${pattern}`;
  // Every value here has the "C" collation, under which ILIKE folds A–Z only (filter/fold.ts).
  if (isAscii(text)) return Prisma.sql`${value} ILIKE ${pattern}`;
  return Prisma.sql`lower(${value} COLLATE "und-x-icu") LIKE ${pattern}`;
}

/** Holds for numbers only; text that looks like one is not compared. */
function whereNumber(ref: FieldRef, condition: (number: Prisma.Sql) => Prisma.Sql): Prisma.Sql {
  const { source } = getField(ref.id);
  if (source.from === "event") return condition(column(source.column));
  if (source.from === "targets") throw new Error(`${ref.id} is not a number`);
  const document = Prisma.raw(`e.${source.column}`);
  const path = [...source.prefix, ...ref.path];
  const number = Prisma.sql`(${document} #>> ${path}::text[])::numeric`;
  // CASE, because AND promises no order and the cast fails on text.
  return Prisma.sql`CASE WHEN jsonb_typeof(${document} #> ${path}::text[]) = 'number' THEN ${condition(number)} END`;
}

function any(conditions: readonly Prisma.Sql[]): Prisma.Sql {
  return conditions.length === 1
    ? (conditions[0] as Prisma.Sql)
    : Prisma.sql`(${Prisma.join([...conditions], " OR ")})`;
}
