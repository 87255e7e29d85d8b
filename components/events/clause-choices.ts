import { type Field, operatorsOf } from "@/lib/events/fields";
import type { Condition, EventFilter, FieldRef } from "@/lib/events/filter/ast";
import { addClause, excludeValue, includeValue } from "@/lib/events/filter/edit";
import { parseFilter } from "@/lib/events/filter/parse";
import { serializeFilter } from "@/lib/events/filter/serialize";
import type { EventRow } from "@/lib/events/schema";

/** What a form offers to say about a field; the typed grammar knows more. */
export interface Choice {
  label: string;
  negated: boolean;
  needsValue: boolean;
  /** @returns null where the value cannot stand with this operator. */
  condition(field: FieldRef, value: string): Condition | null;
}

const matching =
  (operator: "is" | "starts_with" | "ends_with" | "contains" | "in_network") =>
  (field: FieldRef, value: string): Condition => ({
    kind: "any",
    field,
    matches: [{ operator, value }],
  });

const comparing =
  (operator: ">=" | "<=") =>
  (field: FieldRef, value: string): Condition | null => {
    const number = Number(value);
    return value.trim() === "" || !Number.isFinite(number)
      ? null
      : { kind: "compare", field, operator, value: number };
  };

const present = (field: FieldRef): Condition => ({ kind: "has", field });

const CHOICES = {
  is: [
    { label: "is", negated: false, needsValue: true, condition: matching("is") },
    { label: "is not", negated: true, needsValue: true, condition: matching("is") },
  ],
  contains: [
    { label: "contains", negated: false, needsValue: true, condition: matching("contains") },
    { label: "does not contain", negated: true, needsValue: true, condition: matching("contains") },
  ],
  starts_with: [
    { label: "starts with", negated: false, needsValue: true, condition: matching("starts_with") },
    {
      label: "does not start with",
      negated: true,
      needsValue: true,
      condition: matching("starts_with"),
    },
  ],
  ends_with: [
    { label: "ends with", negated: false, needsValue: true, condition: matching("ends_with") },
  ],
  in_network: [
    { label: "in network", negated: false, needsValue: true, condition: matching("in_network") },
    { label: "not in network", negated: true, needsValue: true, condition: matching("in_network") },
  ],
  compare: [
    { label: "at least", negated: false, needsValue: true, condition: comparing(">=") },
    { label: "at most", negated: false, needsValue: true, condition: comparing("<=") },
  ],
  has: [
    { label: "is present", negated: false, needsValue: false, condition: present },
    { label: "is absent", negated: true, needsValue: false, condition: present },
  ],
} satisfies Record<string, Choice[]>;

export function choicesOf(field: Field): Choice[] {
  return operatorsOf(field).flatMap((operator): Choice[] => CHOICES[operator]);
}

/** The query text with one clause more; an exact value joins those already asked for. */
export function withClause(
  filter: EventFilter,
  field: FieldRef,
  choice: Choice,
  value: string,
): { ok: true; q: string } | { ok: false; problem: string } {
  const condition = choice.condition(field, value);
  if (!condition) return { ok: false, problem: "Give a number." };
  const isExact = condition.kind === "any" && condition.matches[0]?.operator === "is";
  const changed = isExact
    ? (choice.negated ? excludeValue : includeValue)(filter, field, value)
    : addClause(filter, { negated: choice.negated, condition });
  const q = serializeFilter(changed);
  const parsed = parseFilter(q);
  if (!parsed.ok) {
    const messages = parsed.diagnostics.map(({ message }) => message.replaceAll("`", ""));
    return { ok: false, problem: messages.join(" ") };
  }
  // What is written must mean what was chosen: `in network` of a word would become `is`.
  return JSON.stringify(parsed.filter) === JSON.stringify(changed)
    ? { ok: true, q }
    : { ok: false, problem: `This value cannot stand with “${choice.label}”.` };
}

const MAX_SUGGESTIONS = 50;

/** Values of a field among these events, in their order. */
export function valuesSeen(field: Field, rows: readonly EventRow[]): string[] {
  const values = rows.flatMap((row) => {
    const { source } = field;
    if (source.from === "targets") return row.targets.map((target) => target[source.key]);
    if (source.from === "document") return [];
    const event = { ...row, context: { location: row.location } };
    return [
      source.path.reduce<unknown>((at, key) => (at as Record<string, unknown>)?.[key], event),
    ];
  });
  const texts = values.filter((value) => value !== undefined && value !== null).map(String);
  return [...new Set(texts)].slice(0, MAX_SUGGESTIONS);
}
