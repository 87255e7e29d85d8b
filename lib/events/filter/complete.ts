import { fields, isKeyed } from "../fields";
import type { Diagnostic, EventFilter, FieldRef } from "./ast";
import { parseFilter } from "./parse";
import { serializeClause, serializeField, serializeFilter } from "./serialize";

/** What can be typed at a place in the query's text: `from` to `to` is what a completion replaces. */
export type Completion = { from: number; to: number; prefix: string } & (
  | { kind: "field"; isHas: boolean; isNegated: boolean }
  | { kind: "key"; isHas: boolean; field: FieldRef["id"] }
  | { kind: "value"; field: FieldRef }
);

/** Where the clause at the caret begins. */
function clauseStart(text: string, caret: number): number {
  let start = 0;
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < caret; at += 1) {
    const character = text[at] as string;
    if (isQuoted && character === "\\") at += 1;
    else if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (character === "(") depth += 1;
    else if (character === ")") depth = Math.max(0, depth - 1);
    else if (depth === 0 && /\s/.test(character)) start = at + 1;
  }
  return start;
}

/** @returns null where nothing can be suggested */
export function completionAt(text: string, caret: number): Completion | null {
  let from = clauseStart(text, caret);
  const isNegated = text[from] === "-";
  if (isNegated) from += 1;
  let typed = text.slice(from, caret);
  const isHas = typed.startsWith("has:");
  if (isHas) {
    from += 4;
    typed = typed.slice(4);
  }
  const end = caret + (/^[^\s:()"]*/.exec(text.slice(caret)) as RegExpExecArray)[0].length;
  const name = /^(?:"(?:[^"\\]|\\[\s\S])*"|[^\s:"()])+(?=:)/.exec(typed)?.[0];
  if (!name || isHas) {
    if (/["()]/.test(typed)) return null;
    const keyed = fields.find((field) => isKeyed(field) && typed.startsWith(`${field.id}.`));
    if (!keyed) return { kind: "field", isHas, isNegated, from, to: end, prefix: typed };
    const prefix = typed.slice(keyed.id.length + 1);
    return { kind: "key", isHas, field: keyed.id, from, to: end, prefix };
  }
  // The parser knows which field a name is.
  const parsed = parseFilter(`has:${name}`);
  const condition = parsed.ok ? parsed.filter.clauses[0]?.condition : undefined;
  if (condition?.kind !== "has") return null;
  const rest = typed.slice(name.length + 1);
  const before = rest.startsWith("(") ? lastInGroup(rest) : 0;
  const value = rest.slice(before);
  if (/^[<>(]/.test(value)) return null;
  const start = from + name.length + 1 + before;
  const isQuoted = value.replace(/^=/, "").startsWith('"');
  const tail = isQuoted ? /^(?:[^"\\]|\\[\s\S])*"?/ : /^[^\s()"]*/;
  return {
    kind: "value",
    field: condition.field,
    from: start,
    to: caret + (tail.exec(text.slice(caret))?.[0].length ?? 0),
    prefix: value.replace(/^=?"?\*?/, "").replace(/\\(["\\*])/g, "$1"),
  };
}

/** Where the last value of an unfinished `(a OR b` begins. */
function lastInGroup(text: string): number {
  let start = /^\(\s*/.exec(text)?.[0].length ?? 0;
  for (const found of text.matchAll(/"(?:[^"\\]|\\[\s\S])*"?|\sOR\s+/g))
    if (!found[0].startsWith('"')) start = found.index + found[0].length;
  return start;
}

/** The value as it is written behind the field's colon, quoted where it has to be. */
export function writeValue(field: FieldRef, value: string): string {
  const matches = [{ operator: "is" as const, value }];
  const clause = serializeClause({ negated: false, condition: { kind: "any", field, matches } });
  return clause.slice(serializeField(field).length + 1);
}

/** The query with the draft in place of the clause it edits, or behind all others. */
export function commitDraft(
  filter: EventFilter,
  edited: number | null,
  draft: string,
): { ok: true; q: string; filter: EventFilter } | { ok: false; diagnostics: Diagnostic[] } {
  const parsed = parseFilter(draft);
  if (!parsed.ok) return parsed;
  const at = edited ?? filter.clauses.length;
  const q = serializeFilter({
    clauses: [
      ...filter.clauses.slice(0, at),
      ...parsed.filter.clauses,
      ...filter.clauses.slice(at + (edited === null ? 0 : 1)),
    ],
  });
  const whole = parseFilter(q);
  return whole.ok ? { ok: true, q, filter: whole.filter } : whole;
}

/** What is wrong with a text that is still being typed: not that it is unfinished. */
export function diagnoseDraft(text: string, caret: number): Diagnostic[] {
  const parsed = parseFilter(text);
  if (parsed.ok) return [];
  const open = clauseStart(text, caret);
  return parsed.diagnostics.filter(
    ({ code, span }) => span.end <= open || code === "unknown_field" || code === "cross_field_or",
  );
}
