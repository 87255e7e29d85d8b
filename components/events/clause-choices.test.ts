import fc from "fast-check";
import { expect, test } from "vitest";
import { fields, isKeyed } from "@/lib/events/fields";
import { EMPTY_FILTER } from "@/lib/events/filter/ast";
import { fieldRef } from "@/lib/events/filter/edit";
import { parseFilter } from "@/lib/events/filter/parse";
import { choicesOf, withClause } from "./clause-choices";

const seed = Number(process.env.TEST_SEED ?? Date.now());

test("a clause chosen in the form means the same once it stands in the URL", () => {
  console.info(`seed ${seed}`);
  const choice = fc
    .constantFrom(...fields)
    .chain((field) =>
      fc.record({ field: fc.constant(field), choice: fc.constantFrom(...choicesOf(field)) }),
    );
  const value = fc.oneof(
    fc.string({ minLength: 1 }),
    fc.integer().map(String),
    fc.ipV4().map((address) => `${address}/24`),
    fc.constantFrom('say "hi"', "*", "a*", "(x)", "a OR b", "-", ">5", "1..2", "\\"),
  );
  let understood = 0;
  fc.assert(
    fc.property(choice, value, fc.string({ minLength: 1 }), ({ field, choice }, text, key) => {
      const ref = fieldRef(field.id, ...(isKeyed(field) ? [key] : []));
      const built = withClause(EMPTY_FILTER, ref, choice, text);
      if (!built.ok) return;
      understood += 1;
      const parsed = parseFilter(built.q);
      const [clause] = parsed.ok ? parsed.filter.clauses : [];
      expect(clause).toEqual({
        negated: choice.negated,
        condition: choice.condition(ref, text),
      });
    }),
    { seed, numRuns: 2000 },
  );
  expect(understood).toBeGreaterThan(500);
});

test("every field offers to include and to exclude a value", () => {
  for (const field of fields) {
    const labels = choicesOf(field).map(({ label }) => label);
    expect(labels, field.id).toEqual(expect.arrayContaining(["is", "is not", "is absent"]));
    expect(new Set(labels).size, field.id).toBe(labels.length);
  }
});
