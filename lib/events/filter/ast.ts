import type { FieldId } from "../fields";

/**
 * A filter that has been checked against the field registry: what SQL, the in-memory evaluator, chips and
 * pivots work on. Clauses are joined by AND. It carries no positions, so equal filters are deeply equal.
 *
 * Meaning, the same everywhere:
 * - A clause on a multi-valued field (targets) holds when at least one value matches. Clauses are
 *   independent: `target.type:user target:x` may be met by two different targets.
 * - Negation is NOT(clause): `-target:x` means that no target matches, and an absent (or erased) value
 *   meets every negation. `-has:x` is absence.
 * - `is` is exact, byte for byte. Patterns ignore case on text and metadata, and in free text (see
 *   fold.ts); elsewhere they do not.
 * - Metadata scalars match by their text form (`5`, `true`); objects and arrays match no value, but `has`
 *   sees them. Comparisons see JSON numbers only. JSON null is absent.
 * - Networks see only locations that are addresses, of the same family.
 */
export interface EventFilter {
  clauses: Clause[];
}

export interface Clause {
  negated: boolean;
  condition: Condition;
}

export interface FieldRef {
  id: FieldId;
  /** Keys below a keyed field, outermost first; empty for all others. */
  path: readonly string[];
}

export type Condition =
  /** Contained, ignoring case, in the action or in an id or name of the actor or of a target. */
  | { kind: "text"; value: string }
  | { kind: "has"; field: FieldRef }
  /** At least one of `matches` (never empty). */
  | { kind: "any"; field: FieldRef; matches: ValueMatch[] }
  | { kind: "compare"; field: FieldRef; operator: Comparison; value: number }
  /** Both ends included. */
  | { kind: "range"; field: FieldRef; from: number; to: number };

export type Comparison = ">" | ">=" | "<" | "<=";

export interface ValueMatch {
  operator: MatchOperator;
  value: string;
}

type MatchOperator = "is" | "starts_with" | "ends_with" | "contains" | "in_network";

export const EMPTY_FILTER: EventFilter = { clauses: [] };

export const MAX_QUERY_LENGTH = 2_000;
export const MAX_CLAUSES = 50;

/** UTF-16 offsets into the query text, end excluded. */
export interface Span {
  start: number;
  end: number;
}

export type DiagnosticCode =
  | "too_long"
  | "too_many_clauses"
  | "bad_character"
  | "unknown_field"
  | "missing_key"
  | "missing_value"
  | "empty_text"
  | "unclosed_quote"
  | "unclosed_group"
  | "stray_quote"
  | "stray_parenthesis"
  | "cross_field_or"
  | "missing_or"
  | "stray_keyword"
  | "stray_negation"
  | "only_wildcard"
  | "not_a_number"
  | "not_a_network"
  | "wrong_operator"
  | "reversed_range"
  | "hidden_field";

export interface Diagnostic {
  code: DiagnosticCode;
  /** A sentence or two; fields and operators in backticks. */
  message: string;
  span: Span;
  /** Text to put in place of the span, where one is obvious. */
  suggestion: string | null;
}

/** One line for an error state: nothing was searched, and why. */
export function describeDiagnostics(diagnostics: readonly Diagnostic[]): string {
  return `Query not run: ${diagnostics.map((diagnostic) => diagnostic.message).join(" ")}`;
}
