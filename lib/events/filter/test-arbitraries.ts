import fc from "fast-check";
import { type Field, fields, isKeyed, operatorsOf } from "../fields";
import type { Clause, Condition, EventFilter, FieldRef, ValueMatch } from "./ast";

/** Random filters for property tests, over values that tests choose so that some of them match. */

export const NASTY = [
  "*",
  "**",
  "*a*",
  "\\",
  "\\*",
  '"',
  '\\"',
  "'",
  "''; --",
  "%",
  "_",
  "a_b%c",
  "OR",
  "AND",
  "NOT",
  "-x",
  "=x",
  ">1",
  "..",
  "1..2",
  "a b",
  " ",
  "\t",
  "a:b",
  "actor:x",
  "has:x",
  "(",
  "a)b",
  "日本語",
  "Zoë",
  "ZOË",
  "ſ",
  "😀",
  "$1",
  "10.0.0.0/8",
  "-",
  ".",
];

export interface Vocabulary {
  values: readonly string[];
  numbers: readonly number[];
  networks: readonly string[];
  paths: readonly (readonly string[])[];
}

export const PLAIN_VOCABULARY: Vocabulary = {
  values: ["user.created", "usr_1", "Priya Raman", "10.0.0.1", "::1", ...NASTY],
  numbers: [0, 1, -1, 2.5, 1e21, 1e-7, 9007199254740991],
  networks: ["10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "10.1.2.3/16"],
  paths: [["key"], ["a", "b"], ["odd key"], ["a.b"], ['"'], ["\\"], ["0"], [""], ["ключ"]],
};

export function filterArbitrary(words: Vocabulary, maxClauses = 4): fc.Arbitrary<EventFilter> {
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...words.values) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom(...words.values), fc.nat(6), fc.nat(6))
        .map(([text, start, length]) => [...text].slice(start, start + length).join("") || text),
    },
    {
      weight: 1,
      arbitrary: fc
        .string({ unit: "grapheme", maxLength: 4 })
        .filter((text) => !text.includes("\0")),
    },
  );
  const ref = (field: Field): fc.Arbitrary<FieldRef> =>
    isKeyed(field)
      ? fc.constantFrom(...words.paths).map((path) => ({ id: field.id, path }))
      : fc.constant({ id: field.id, path: [] });
  const condition = fc.constantFrom(...fields).chain((field): fc.Arbitrary<Condition> => {
    const operators = operatorsOf(field);
    const match: fc.Arbitrary<ValueMatch> =
      field.kind === "number"
        ? fc
            .constantFrom(...words.numbers)
            .map((number) => ({ operator: "is", value: String(number) }))
        : fc.oneof(
            value.map((text): ValueMatch => ({ operator: "is", value: text })),
            fc
              .tuple(fc.constantFrom("starts_with", "ends_with", "contains"), value)
              .filter(([, text]) => text !== "")
              .map(([operator, text]): ValueMatch => ({ operator, value: text })),
            ...(field.kind === "ip"
              ? [
                  fc
                    .constantFrom(...words.networks)
                    .map((network): ValueMatch => ({ operator: "in_network", value: network })),
                ]
              : []),
          );
    const conditions: fc.Arbitrary<Condition>[] = [
      ref(field).map((of) => ({ kind: "has", field: of })),
      fc
        .tuple(ref(field), fc.array(match, { minLength: 1, maxLength: 3 }))
        .map(([of, matches]) => ({ kind: "any", field: of, matches })),
    ];
    if (operators.includes("compare")) {
      const number = fc.constantFrom(...words.numbers);
      conditions.push(
        fc
          .tuple(ref(field), fc.constantFrom(">", ">=", "<", "<="), number)
          .map(([of, operator, limit]) => ({ kind: "compare", field: of, operator, value: limit })),
        fc.tuple(ref(field), number, number).map(([of, one, other]) => ({
          kind: "range",
          field: of,
          from: Math.min(one, other),
          to: Math.max(one, other),
        })),
      );
    }
    return fc.oneof(...conditions);
  });
  const text = value
    .filter((needle) => needle !== "")
    .map((needle): Condition => ({ kind: "text", value: needle }));
  const clause: fc.Arbitrary<Clause> = fc.record({
    negated: fc.boolean(),
    condition: fc.oneof({ weight: 1, arbitrary: text }, { weight: 5, arbitrary: condition }),
  });
  return fc.array(clause, { minLength: 0, maxLength: maxClauses }).map((clauses) => ({ clauses }));
}

export function testSeed(): number {
  const seed = process.env.TEST_SEED ? Number(process.env.TEST_SEED) : Date.now();
  console.info(`TEST_SEED=${seed}`);
  return seed;
}
