import type { Clause, Condition, FieldRef, ValueMatch } from "@/lib/events/filter/ast";
import { serializeField } from "@/lib/events/filter/serialize";

export interface ClauseWords {
  /** Empty for free text. */
  field: string;
  operator: string;
  value: string;
}

const MATCH_WORDS: Record<ValueMatch["operator"], [plain: string, negated: string]> = {
  is: ["is", "is not"],
  starts_with: ["starts with", "does not start with"],
  ends_with: ["ends with", "does not end with"],
  contains: ["contains", "does not contain"],
  in_network: ["in", "not in"],
};

function anyWords(field: FieldRef, matches: ValueMatch[], negated: boolean): ClauseWords {
  const operators = new Set(matches.map((match) => match.operator));
  const [only] = operators.size === 1 ? operators : [];
  const words = only ? MATCH_WORDS[only][negated ? 1 : 0] : negated ? "matches none of" : "matches";
  const several =
    matches.length > 1 && only === "is" ? (negated ? "is none of" : "is any of") : words;
  const value = matches
    .map((match) => (only ? match.value : `${MATCH_WORDS[match.operator][0]} ${match.value}`))
    .join(", ");
  return { field: serializeField(field), operator: several, value };
}

/** A clause as a chip says it. */
export function describeClause({ negated, condition }: Clause): ClauseWords {
  return describeCondition(condition, negated);
}

function describeCondition(condition: Condition, negated: boolean): ClauseWords {
  switch (condition.kind) {
    case "text":
      return { field: "", operator: negated ? "without" : "text", value: condition.value };
    case "has":
      return {
        field: serializeField(condition.field),
        operator: negated ? "is absent" : "is present",
        value: "",
      };
    case "any":
      return anyWords(condition.field, condition.matches, negated);
    case "compare":
      return {
        field: serializeField(condition.field),
        operator: negated ? `not ${condition.operator}` : condition.operator,
        value: String(condition.value),
      };
    case "range":
      return {
        field: serializeField(condition.field),
        operator: negated ? "not from" : "from",
        value: `${condition.from} to ${condition.to}`,
      };
  }
}
