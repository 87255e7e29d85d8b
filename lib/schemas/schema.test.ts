import { describe, expect, test } from "vitest";
import { parseFields } from "@/lib/http/parse-input";
import { actionNameSchema, newActionSchemaSchema } from "./schema";

const problemsOf = (metadata: unknown) => {
  const parsed = newActionSchemaSchema.safeParse({ targets: [{ type: "doc" }], metadata });
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join("."));
};

describe("a schema of an action", () => {
  test("may say what clients can express, and what people write by hand", () => {
    expect(
      problemsOf({
        type: "object",
        properties: {
          total: { type: "number", minimum: 0 },
          plan: { enum: ["free", "paid"] },
          code: { type: "string", pattern: "^[A-Z]{2}-\\d+$", maxLength: 20 },
        },
        required: ["total"],
        additionalProperties: false,
      }),
    ).toEqual([]);
  });

  test("cannot make the server fetch, recurse or hang", () => {
    expect(problemsOf({ $ref: "https://example.com/schema" })).toEqual(["metadata"]);
    expect(problemsOf({ properties: { a: { $ref: "#" } } })).toEqual(["metadata.properties.a"]);
    for (const pattern of [
      "(a+)+$",
      "(a|aa)*b",
      "(?:a|aa){1,99}b",
      "(?=a*)b",
      "(a*)\\1",
      "(",
      "a*a*a*a*b",
      "x".repeat(201),
    ])
      expect(problemsOf({ properties: { a: { pattern } } })).toEqual([
        "metadata.properties.a.pattern",
      ]);
    let deep: object = { type: "string" };
    for (let level = 0; level < 7; level += 1) deep = { properties: { a: deep } };
    expect(problemsOf(deep)).not.toEqual([]);
    expect(problemsOf({ description: "x".repeat(40_000) })).toEqual([""]);
  });

  test("is one that events can be held against: known types, nothing named twice", () => {
    for (const wrong of [
      { type: "strng" },
      { type: [] },
      { type: ["null", "null"] },
      { required: ["a", "a"] },
      {
        enum: [
          { a: 1, b: 2 },
          { b: 2, a: 1 },
        ],
      },
    ])
      expect(problemsOf({ properties: { a: wrong } })).toEqual([
        `metadata.properties.a.${Object.keys(wrong)}`,
      ]);
    expect(problemsOf({ type: ["string", "null"], required: ["a", "b"], enum: [1, "1"] })).toEqual(
      [],
    );
  });

  test("holds no text that the database cannot", () => {
    for (const text of ["a\0", "\ud800"]) {
      expect(problemsOf({ description: text })).toEqual([""]);
      expect(problemsOf({ properties: { [text]: {} } })).toEqual([""]);
    }
    expect(problemsOf({ description: "\\u0000" })).toEqual([]);
  });

  test("names at least one target, and an action whose name fits a path", () => {
    expect(newActionSchemaSchema.safeParse({ targets: [] }).success).toBe(false);
    expect(parseFields(actionNameSchema, "invoice voided:now")).toBe("invoice voided:now");
    for (const name of ["a/b", "", "trailseal.erase", "é".repeat(128)])
      expect(() => parseFields(actionNameSchema, name)).toThrow("Validation failed.");
  });
});
