import { findField, getField } from "../fields";
import type { Clause, Condition, EventFilter, FieldRef, ValueMatch } from "./ast";

/** The query text of a filter. Parsing it gives the same filter back. */
export function serializeFilter(filter: EventFilter): string {
  return filter.clauses.map(serializeClause).join(" ");
}

export function serializeClause(clause: Clause): string {
  return (clause.negated ? "-" : "") + serializeCondition(clause.condition);
}

function serializeCondition(condition: Condition): string {
  switch (condition.kind) {
    case "text":
      return serializeText(condition.value);
    case "has":
      return `has:${serializeField(condition.field)}`;
    case "any": {
      const { field, matches } = condition;
      const [only] = matches;
      const name = serializeField(field);
      if (matches.length === 1 && only) return `${name}:${serializeMatch(field, only)}`;
      return `${name}:(${matches.map((match) => serializeMatch(field, match)).join(" OR ")})`;
    }
    case "compare":
      return `${serializeField(condition.field)}:${condition.operator}${condition.value}`;
    case "range":
      return `${serializeField(condition.field)}:${condition.from}..${condition.to}`;
  }
}

/** The name as it is written in a query, keys quoted where they need it. */
export function serializeField(field: FieldRef): string {
  const keys = field.path.map((key) => (/^[^\s:."()\\*]+$/.test(key) ? key : quote(key)));
  return [field.id, ...keys].join(".");
}

const KEYWORD = /^(?:OR|AND|NOT)$/;

function serializeText(value: string): string {
  const isBare = /^[^\s:"()*-][^\s:"()]*$/.test(value) && !value.endsWith("*");
  return isBare && !KEYWORD.test(value) ? value : quote(value);
}

function serializeMatch(field: FieldRef, match: ValueMatch): string {
  const { operator, value } = match;
  if (operator === "in_network") return value;
  const before = operator === "ends_with" || operator === "contains" ? "*" : "";
  const after = operator === "starts_with" || operator === "contains" ? "*" : "";
  if (isBareValue(field, match)) return before + value + after;
  // Every star inside is escaped: only those at the edges are patterns.
  return `"${before}${value.replace(/["\\*]/g, "\\$&")}${after}"`;
}

function isBareValue(field: FieldRef, { operator, value }: ValueMatch): boolean {
  if (!/^[^\s"()*<>=][^\s"()]*$/.test(value) || value.endsWith("*")) return false;
  if (KEYWORD.test(value) || value.includes("..")) return false;
  // Inside a group `name:` would look like another field's clause.
  const prefix = /^-?([^:]+):/.exec(value)?.[1];
  if (prefix && (findField(prefix) || prefix === "has")) return false;
  // Unquoted this would be a network.
  return !(getField(field.id).kind === "ip" && operator === "is" && value.includes("/"));
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
