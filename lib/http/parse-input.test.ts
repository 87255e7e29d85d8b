import { expect, test } from "vitest";
import { z } from "zod";
import { parseInput, storableText } from "./parse-input";

test("text that no database column can hold is refused before it is asked for, by the field's name", () => {
  const schema = z.object({ search: storableText(3) });
  expect(parseInput(schema, { search: "é%_" })).toEqual({ search: "é%_" });
  expect(() => parseInput(schema, { search: "a\0" })).toThrow("search must not contain NUL.");
  expect(() => parseInput(schema, { search: "abcd" })).toThrow(/^search /);
});
