import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fields, isKeyed } from "../fields";
import { commitDraft, completionAt, diagnoseDraft, writeValue } from "./complete";
import { parseFilter } from "./parse";

/** The caret stands at `|`. */
function at(marked: string) {
  const caret = marked.indexOf("|");
  return completionAt(marked.replace("|", ""), caret);
}

function filterOf(q: string) {
  const parsed = parseFilter(q);
  if (!parsed.ok) throw new Error(q);
  return parsed.filter;
}

describe("what can stand at the caret", () => {
  const value = (id: string, prefix: string, path: string[] = []) => ({
    kind: "value",
    prefix,
    field: { id, path },
  });
  test.each([
    ["|", { kind: "field", prefix: "", isHas: false, isNegated: false }],
    ["act|", { kind: "field", prefix: "act" }],
    ["action:a -act|", { kind: "field", prefix: "act", isNegated: true, from: 10, to: 13 }],
    ["ac|tion", { kind: "field", prefix: "ac", from: 0, to: 6 }],
    ["has:ac|", { kind: "field", prefix: "ac", isHas: true, from: 4 }],
    ["metadata.re|", { kind: "key", prefix: "re", field: "metadata", from: 0 }],
    ["-has:actor.metadata.re|", { kind: "key", prefix: "re", field: "actor.metadata", from: 5 }],
    ["action:|", value("action", "")],
    ["-actor.id:us|r", { ...value("actor", "us"), from: 10, to: 13 }],
    ["metadata.k:x|", value("metadata", "x", ["k"])],
    ['metadata."a b".c:x|', value("metadata", "x", ["a b", "c"])],
    ['actor.name:"Mei T|anaka" x', { ...value("actor.name", "Mei T"), from: 11, to: 23 }],
    ['actor.name:"say \\"h|', value("actor.name", 'say "h')],
    ["action:(a OR b|)", { ...value("action", "b"), from: 13, to: 14 }],
    ["action:(a|", { ...value("action", "a"), from: 8 }],
    ['action:("a OR b" OR c|', { ...value("action", "c"), from: 20 }],
    ["action:*a|", value("action", "a")],
    ["nonsense:x|", null],
    ["metadata:x|", null],
    ["version:>1|", null],
    ['"quoted te|', null],
  ])("%s", (marked, expected) => {
    if (expected) expect(at(marked)).toMatchObject(expected);
    else expect(at(marked)).toBeNull();
  });

  test("a value of any field, once taken, means exactly that value", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...fields.filter(({ kind }) => kind !== "number")),
        fc
          .string({ minLength: 1 })
          .filter((text) => parseFilter(`"${text.replace(/["\\]/g, "\\$&")}"`).ok),
        (field, text) => {
          const ref = { id: field.id, path: isKeyed(field) ? ["a key"] : [] };
          const name = isKeyed(field) ? `${field.id}."a key"` : field.id;
          expect(filterOf(`${name}:${writeValue(ref, text)}`).clauses).toEqual([
            {
              negated: false,
              condition: { kind: "any", field: ref, matches: [{ operator: "is", value: text }] },
            },
          ]);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("committing a draft", () => {
  const filter = filterOf("action:a actor:b ip:10.0.0.1");
  test("without a clause of its own it stands behind the others", () => {
    expect(commitDraft(filter, null, "target:x y")).toEqual({
      ok: true,
      q: "action:a actor:b ip:10.0.0.1 target:x y",
      filter: filterOf("action:a actor:b ip:10.0.0.1 target:x y"),
    });
  });
  test("an edited clause keeps its place; empty, it goes", () => {
    expect(commitDraft(filter, 1, "-actor:c")).toEqual({
      ok: true,
      q: "action:a -actor:c ip:10.0.0.1",
      filter: filterOf("action:a -actor:c ip:10.0.0.1"),
    });
    expect(commitDraft(filter, 1, "")).toEqual({
      ok: true,
      q: "action:a ip:10.0.0.1",
      filter: filterOf("action:a ip:10.0.0.1"),
    });
  });
  test("what cannot be understood comes back with where it is wrong", () => {
    expect(commitDraft(filter, null, "actr:x")).toMatchObject({
      ok: false,
      diagnostics: [{ code: "unknown_field", suggestion: "actor", span: { start: 0, end: 4 } }],
    });
  });
});

test("while one types, only what typing on cannot mend is said to be wrong", () => {
  const codes = (text: string) => diagnoseDraft(text, text.length).map(({ code }) => code);
  for (const text of ["actio", "action:", 'actor.name:"Me', "action:(a OR", "-", "has:"])
    expect(codes(text)).toEqual([]);
  expect(codes("actr:x")).toEqual(["unknown_field"]);
  expect(codes("action: ")).toEqual(["missing_value"]);
  expect(diagnoseDraft("metadta.k:x", 11)[0]?.suggestion).toBe("metadata.k");
});
