import type { FieldId } from "../fields";
import type { Clause, EventFilter, FieldRef, ValueMatch } from "./ast";

/** What chips, facets and pivots do to a filter. Every function returns a new filter. */

export function fieldRef(id: FieldId, ...path: string[]): FieldRef {
  return { id, path };
}

export function isSameField(left: FieldRef, right: FieldRef): boolean {
  return (
    left.id === right.id &&
    left.path.length === right.path.length &&
    left.path.every((key, index) => key === right.path[index])
  );
}

export function addClause(filter: EventFilter, clause: Clause): EventFilter {
  return { clauses: [...filter.clauses, clause] };
}

export function removeClause(filter: EventFilter, index: number): EventFilter {
  return { clauses: filter.clauses.filter((_, at) => at !== index) };
}

function replaceClause(filter: EventFilter, index: number, clause: Clause): EventFilter {
  return { clauses: filter.clauses.map((old, at) => (at === index ? clause : old)) };
}

export function invertClause(filter: EventFilter, index: number): EventFilter {
  const clause = filter.clauses[index];
  return clause ? replaceClause(filter, index, { ...clause, negated: !clause.negated }) : filter;
}

/** Shows events with this value: joins the values already asked for, and takes back its exclusion. */
export function includeValue(filter: EventFilter, field: FieldRef, value: string): EventFilter {
  return setValue(filter, field, value, false);
}

/** Hides events with this value: joins the values already excluded, and takes back its inclusion. */
export function excludeValue(filter: EventFilter, field: FieldRef, value: string): EventFilter {
  return setValue(filter, field, value, true);
}

/** Drops every other clause on the field. */
export function onlyValue(filter: EventFilter, field: FieldRef, value: string): EventFilter {
  return addClause(clearField(filter, field), isClause(field, value, false));
}

export function clearField(filter: EventFilter, field: FieldRef): EventFilter {
  return {
    clauses: filter.clauses.filter(
      ({ condition }) => condition.kind === "text" || !isSameField(condition.field, field),
    ),
  };
}

/** Takes an exact value out of the included or the excluded values of a field. */
export function removeValue(
  filter: EventFilter,
  field: FieldRef,
  value: string,
  negated: boolean,
): EventFilter {
  const clauses = filter.clauses.flatMap((clause): Clause[] => {
    const matches = valuesOf(clause, field, negated);
    if (!matches) return [clause];
    const rest = matches.filter((match) => !isExactly(match, value));
    if (rest.length === matches.length) return [clause];
    return rest.length > 0 ? [{ negated, condition: { kind: "any", field, matches: rest } }] : [];
  });
  return { clauses };
}

/** Whether the filter asks for this exact value (`include`), excludes it, or neither. */
export function valueState(
  filter: EventFilter,
  field: FieldRef,
  value: string,
): "include" | "exclude" | null {
  for (const negated of [false, true]) {
    const isHeld = filter.clauses.some((clause) =>
      valuesOf(clause, field, negated)?.some((match) => isExactly(match, value)),
    );
    if (isHeld) return negated ? "exclude" : "include";
  }
  return null;
}

function setValue(
  filter: EventFilter,
  field: FieldRef,
  value: string,
  negated: boolean,
): EventFilter {
  if (valueState(filter, field, value) === (negated ? "exclude" : "include")) return filter;
  const cleared = removeValue(filter, field, value, !negated);
  const index = cleared.clauses.findIndex((clause) => valuesOf(clause, field, negated));
  const matches = cleared.clauses[index] && valuesOf(cleared.clauses[index], field, negated);
  if (!matches) return addClause(cleared, isClause(field, value, negated));
  return replaceClause(cleared, index, {
    negated,
    condition: { kind: "any", field, matches: [...matches, { operator: "is", value }] },
  });
}

function isClause(field: FieldRef, value: string, negated: boolean): Clause {
  return { negated, condition: { kind: "any", field, matches: [{ operator: "is", value }] } };
}

function valuesOf(clause: Clause, field: FieldRef, negated: boolean): ValueMatch[] | null {
  const { condition } = clause;
  if (clause.negated !== negated || condition.kind !== "any") return null;
  return isSameField(condition.field, field) ? condition.matches : null;
}

function isExactly(match: ValueMatch, value: string): boolean {
  return match.operator === "is" && match.value === value;
}
