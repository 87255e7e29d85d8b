import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Change, compare, compareWords, findChanges } from "./changes";
import { fieldAt } from "./filter/field-at";
import { testSeed } from "./filter/test-arbitraries";

describe("changes of an event", () => {
  test.each([
    [
      { before: { role: "member" }, after: { role: "admin" } },
      [{ path: ["role"], kind: "changed", before: "member", after: "admin" }],
    ],
    [
      { mfa: { old_value: false, new_value: true } },
      [{ path: ["mfa"], kind: "changed", before: false, after: true }],
    ],
    [
      { changes: { plan: ["free", "team"], seats: { from: 3, to: 5 } } },
      [
        { path: ["changes", "plan"], kind: "changed", before: "free", after: "team" },
        { path: ["changes", "seats"], kind: "changed", before: 3, after: 5 },
      ],
    ],
    [
      {
        changes: [
          { field: "name", old: "A", new: "B" },
          { key: "tag", before: null, after: "x" },
        ],
      },
      [
        { path: ["changes", "name"], kind: "changed", before: "A", after: "B" },
        { path: ["changes", "tag"], kind: "added", after: "x" },
      ],
    ],
    [
      { policy: { previous: '{"Allow":["read","list"]}', current: '{"Allow":["read","write"]}' } },
      [
        { path: ["policy", "Allow", 1], kind: "removed", before: "list" },
        { path: ["policy", "Allow", 1], kind: "added", after: "write" },
      ],
    ],
    [
      { deep: { er: { previous: { a: 1 }, current: { a: 1, b: 2 } } } },
      [{ path: ["deep", "er", "b"], kind: "added", after: 2 }],
    ],
    [{ before: "same", after: "same" }, []],
    // A journey is no change, nor is one side alone.
    [{ from: "OSL", to: "BGO" }, []],
    [{ before: "x" }, []],
    [null, []],
  ] as [unknown, Change[]][])("%j", (metadata, expected) => {
    expect(findChanges(metadata)).toEqual(expected);
  });

  test("what stays and goes is the old text, what stays and comes is the new one", () => {
    const seed = testSeed();
    const text = fc
      .array(fc.constantFrom("role", "admin", " ", ":", "é", "x1", "\n", "😀"), { maxLength: 30 })
      .map((all) => all.join(""));
    fc.assert(
      fc.property(text, text, (before, after) => {
        const parts = compareWords(before, after);
        const of = (kind: string) =>
          parts
            .filter((part) => part.kind !== kind)
            .map((part) => part.text)
            .join("");
        expect(of("added")).toBe(before);
        expect(of("removed")).toBe(after);
      }),
      { seed, numRuns: 1_000 },
    );
  });

  test("applied to the old object, the changes give the new one", () => {
    const seed = testSeed();
    const scalar = fc.oneof(fc.integer(), fc.boolean(), fc.constantFrom("a", "b"));
    const tree = fc.dictionary(
      fc.constantFrom("a", "b", "c"),
      fc.oneof(scalar, fc.dictionary(fc.constantFrom("x", "y"), scalar)),
    );
    fc.assert(
      fc.property(tree, tree, (before, after) => {
        const result = structuredClone(before) as Record<string, unknown>;
        for (const { path, kind, after: value } of compare(before, after)) {
          const last = path.at(-1) as string;
          const holder = path
            .slice(0, -1)
            .reduce<Record<string, unknown>>(
              (at, key) => at[key] as Record<string, unknown>,
              result,
            );
          if (kind === "removed") delete holder[last];
          else holder[last] = value;
        }
        expect(result).toEqual(after);
      }),
      { seed, numRuns: 1_000 },
    );
  });

  test("texts and lists too long to compare are told whole, at once", () => {
    const long = "word ".repeat(100_000);
    expect(compareWords(long, `${long}x`).map(({ kind }) => kind)).toEqual(["removed", "added"]);
    const list = Array.from({ length: 5_000 }, (_, index) => index);
    expect(compare(list, [...list, 1])).toHaveLength(1);
  });
});

describe("the field at a place of an event", () => {
  test.each([
    [["action"], "action", []],
    [["actor", "id"], "actor", []],
    [["targets", 3, "type"], "target.type", []],
    [["context", "location"], "ip", []],
    [["context", "user_agent"], "agent", []],
    [["metadata", "a", 0, "b c"], "metadata", ["a", "0", "b c"]],
    [["actor", "metadata", "role"], "actor.metadata", ["role"]],
  ])("%j", (path, id, rest) => {
    expect(fieldAt(path)).toEqual({ id, path: rest });
  });

  test.each([
    [["organization_id"]],
    [["targets", 0, "metadata", "x"]],
    [["metadata"]],
    [["context", "city"]],
  ])("%j has none", (path) => {
    expect(fieldAt(path)).toBeNull();
  });
});
