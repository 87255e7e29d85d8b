import { getField, ignoresCase } from "../fields";
import { addressSpellings, isInNetwork } from "./address";
import type { Clause, Comparison, Condition, EventFilter, FieldRef, ValueMatch } from "./ast";
import { fold } from "./fold";

/** What a filter can look at: the event as sealed, erased units null. */
export interface FilterableEvent {
  id: string;
  action: string;
  version: number;
  actor: object | null;
  targets: readonly (object | null)[];
  context?: object | null;
  metadata?: object | null;
}

/** The filter's meaning in memory: what the SQL of server/where.ts is held to. */
export function matches(filter: EventFilter, event: FilterableEvent): boolean {
  return filter.clauses.every((clause) => matchesClause(clause, event));
}

function matchesClause({ negated, condition }: Clause, event: FilterableEvent): boolean {
  return negated !== holds(condition, event);
}

function holds(condition: Condition, event: FilterableEvent): boolean {
  switch (condition.kind) {
    case "text": {
      const needle = fold(condition.value, condition.value);
      return searchedValues(event).some((value) => fold(value, condition.value).includes(needle));
    }
    case "has":
      return readValues(condition.field, event).length > 0;
    case "any": {
      const values = readValues(condition.field, event).flatMap(scalarText);
      return condition.matches.some((match) =>
        values.some((value) => matchesValue(condition.field, match, value)),
      );
    }
    case "compare": {
      const isMet = COMPARISONS[condition.operator];
      return numbers(condition.field, event).some((found) => isMet(found, condition.value));
    }
    case "range":
      return numbers(condition.field, event).some(
        (found) => found >= condition.from && found <= condition.to,
      );
  }
}

const COMPARISONS: Record<Comparison, (left: number, right: number) => boolean> = {
  ">": (left, right) => left > right,
  ">=": (left, right) => left >= right,
  "<": (left, right) => left < right,
  "<=": (left, right) => left <= right,
};

function matchesValue(ref: FieldRef, { operator, value: wanted }: ValueMatch, value: string) {
  const field = getField(ref.id);
  if (operator === "is")
    return field.kind === "ip" ? addressSpellings(wanted).includes(value) : value === wanted;
  if (operator === "in_network") return isInNetwork(value, wanted);
  const [text, needle] = ignoresCase(field)
    ? [fold(value, wanted), fold(wanted, wanted)]
    : [value, wanted];
  switch (operator) {
    case "starts_with":
      return text.startsWith(needle);
    case "ends_with":
      return text.endsWith(needle);
    case "contains":
      return text.includes(needle);
  }
}

function searchedValues(event: FilterableEvent): string[] {
  const units = [event.actor, ...event.targets];
  const named = units.flatMap((unit) => [read(unit, ["id"]), read(unit, ["name"])]);
  return [event.action, ...named.flatMap(scalarText)];
}

function numbers(ref: FieldRef, event: FilterableEvent): number[] {
  return readValues(ref, event).filter((value) => typeof value === "number");
}

/** What an event has for a field, as text to read: scalars as filters match them, the rest as JSON. */
export function fieldTexts(ref: FieldRef, event: FilterableEvent): string[] {
  return readValues(ref, event).map((value) => scalarText(value)[0] ?? JSON.stringify(value));
}

/** The values an event has for a field: absent and null ones left out. */
function readValues(ref: FieldRef, event: FilterableEvent): unknown[] {
  const { source } = getField(ref.id);
  const values = () => {
    switch (source.from) {
      case "event":
        return [read(event, source.path)];
      case "targets":
        return event.targets.map((target) => read(target, [source.key]));
      case "document":
        return [read(event, [source.column, ...source.prefix, ...ref.path])];
    }
  };
  return values().filter((value) => value !== undefined && value !== null);
}

function read(root: unknown, path: readonly string[]): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    if (Array.isArray(value)) value = /^-?\d+$/.test(key) ? value.at(Number(key)) : undefined;
    else value = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  }
  return value;
}

function scalarText(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "boolean") return [String(value)];
  return typeof value === "number" ? [numberText(value)] : [];
}

/** A number as PostgreSQL's jsonb prints it: always without an exponent. */
function numberText(value: number): string {
  const found = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(String(value));
  if (!found) return String(value);
  const [, sign = "", first = "", fraction = "", exponent = ""] = found;
  const shift = Number(exponent);
  const digits = first + fraction;
  if (shift < 0) return `${sign}0.${"0".repeat(-shift - 1)}${digits}`;
  return sign + digits.padEnd(shift + 1, "0");
}
