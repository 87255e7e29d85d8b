import { type Field, fieldNames, findField, isKeyed, operatorsOf } from "../fields";
import { parseNetwork } from "./address";
import type { Condition, Diagnostic, EventFilter, FieldRef, Span, ValueMatch } from "./ast";
import type { SyntaxClause, SyntaxCondition, SyntaxName, SyntaxValue } from "./parse";

export type ValidatedFilter =
  | { ok: true; filter: EventFilter }
  | { ok: false; diagnostics: Diagnostic[] };

class Problem extends Error {
  constructor(readonly diagnostic: Diagnostic) {
    super(diagnostic.message);
  }
}

function fail(
  code: Diagnostic["code"],
  message: string,
  span: Span,
  suggestion: string | null = null,
): never {
  throw new Problem({ code, message, span, suggestion });
}

/** Checks every clause against the registry; reports all that is wrong, not only the first. */
export function validateSyntax(clauses: readonly SyntaxClause[]): ValidatedFilter {
  const diagnostics: Diagnostic[] = [];
  const filter: EventFilter = { clauses: [] };
  for (const clause of clauses) {
    try {
      filter.clauses.push({ negated: clause.negated, condition: toCondition(clause.condition) });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      diagnostics.push(error.diagnostic);
    }
  }
  return diagnostics.length > 0 ? { ok: false, diagnostics } : { ok: true, filter };
}

function toCondition(syntax: SyntaxCondition): Condition {
  switch (syntax.kind) {
    case "text":
      return toText(syntax.value);
    case "has":
      return { kind: "has", field: resolve(syntax.name).ref };
    case "compare": {
      const { field, ref } = resolve(syntax.name);
      if (!operatorsOf(field).includes("compare"))
        fail(
          "wrong_operator",
          `\`${syntax.name.raw}\` is not a number: \`${syntax.operator}\` does not apply to it.`,
          syntax.value.span,
        );
      const value = toNumber(syntax.value.raw, syntax.value.span);
      return { kind: "compare", field: ref, operator: syntax.operator, value };
    }
    case "match":
      return toMatch(syntax.name, syntax.values);
  }
}

function toText(value: SyntaxValue): Condition {
  if (value.text === "") {
    if (value.startStar) fail("only_wildcard", "`*` alone matches everything.", value.span);
    fail("empty_text", "An empty text matches everything.", value.span);
  }
  return { kind: "text", value: value.text };
}

function toMatch(name: SyntaxName, values: SyntaxValue[]): Condition {
  const { field, ref } = resolve(name);
  const [only] = values;
  const range = values.length === 1 && only ? toRange(field, only) : null;
  if (range) return { kind: "range", field: ref, ...range };
  return { kind: "any", field: ref, matches: values.map((value) => toValue(field, name, value)) };
}

const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

function toNumber(text: string, span: Span): number {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) fail("not_a_number", `\`${text}\` is not a number.`, span);
  return value === 0 ? 0 : value;
}

function toRange(field: Field, value: SyntaxValue): { from: number; to: number } | null {
  if (value.quoted || value.exact || !operatorsOf(field).includes("compare")) return null;
  const found = /^(.+?)\.\.(.+)$/.exec(value.raw);
  if (!found) return null;
  const [, low = "", high = ""] = found;
  // Metadata may hold any text, `../etc` too; a range there is what has numbers on both sides.
  if (field.kind === "value" && !(NUMBER.test(low) && NUMBER.test(high))) return null;
  const from = toNumber(low, value.span);
  const to = toNumber(high, value.span);
  if (from > to)
    fail(
      "reversed_range",
      `The range \`${value.raw}\` ends before it starts.`,
      value.span,
      `${high}..${low}`,
    );
  return { from, to };
}

function toValue(field: Field, name: SyntaxName, value: SyntaxValue): ValueMatch {
  const { text, startStar, endStar } = value;
  if (text === "" && startStar)
    fail(
      "only_wildcard",
      `To find events that have any \`${name.raw}\`, use \`has:${name.raw}\`.`,
      value.span,
    );
  if (field.kind === "number") {
    if (startStar || endStar)
      fail(
        "wrong_operator",
        `\`${name.raw}\` is a number: \`*\` does not apply to it.`,
        value.span,
      );
    return { operator: "is", value: String(toNumber(text, value.span)) };
  }
  if (field.kind === "ip" && !value.quoted && !value.exact && !startStar && !endStar) {
    if (parseNetwork(text)) return { operator: "in_network", value: text };
    if (/^[\d.:a-fA-F]+\/\d*$/.test(text))
      fail(
        "not_a_network",
        `\`${text}\` is not a network. Write one like \`10.0.0.0/8\`.`,
        value.span,
      );
  }
  if (startStar && endStar) return { operator: "contains", value: text };
  if (startStar) return { operator: "ends_with", value: text };
  if (endStar) return { operator: "starts_with", value: text };
  return { operator: "is", value: text };
}

function resolve(name: SyntaxName): { field: Field; ref: FieldRef } {
  const field = name.quoted[0] ? undefined : findField(name.raw);
  if (field) {
    if (isKeyed(field))
      fail("missing_key", `\`${name.raw}\` needs a key, as in \`${field.id}.key\`.`, name.span);
    return { field, ref: { id: field.id, path: [] } };
  }
  // The longest unquoted prefix that is a keyed field; what follows is the path into it.
  for (let length = name.segments.length - 1; length > 0; length -= 1) {
    if (name.quoted.slice(0, length).includes(true)) continue;
    const keyed = findField(name.segments.slice(0, length).join("."));
    if (keyed && isKeyed(keyed))
      return { field: keyed, ref: { id: keyed.id, path: name.segments.slice(length) } };
  }
  return unknownField(name);
}

function unknownField(name: SyntaxName): never {
  const nearest = nearestName(name);
  const hint = nearest
    ? `Did you mean \`${nearest}\`?`
    : "To search for it as text, put it in quotes.";
  fail("unknown_field", `\`${name.raw}\` is not a field. ${hint}`, name.span, nearest);
}

function nearestName(name: SyntaxName): string | null {
  if (name.quoted[0]) return name.segments.length === 1 ? `metadata.${name.raw}` : null;
  const [first = "", ...rest] = name.raw.split(".");
  const keyed = rest.length > 0 ? closest(first, ["metadata"]) : null;
  return keyed ? [keyed, ...rest].join(".") : closest(name.raw, fieldNames());
}

function closest(name: string, candidates: string[]): string | null {
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(name.toLowerCase(), candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein distance. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const cost = left[row - 1] === right[column - 1] ? 0 : 1;
      current[column] = Math.min(
        (previous[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (previous[column - 1] as number) + cost,
      );
    }
    previous = current;
  }
  return previous[right.length] as number;
}
