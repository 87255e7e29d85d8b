import { expect, test } from "vitest";
import { changeWords } from "./words";

test.each([
  [112, 100, "+12 %"],
  [92, 100, "−8 %"],
  [100, 100, "±0 %"],
  [1_001, 1_000, "<+1 %"],
  [999, 1_000, ">−1 %"],
  [3, 0, "new"],
  [0, 0, ""],
  [0, 8, "−100 %"],
  [40_000, 10, "+399,900 %"],
])("%i against %i is %s", (now, before, words) => {
  expect(changeWords(now, before)).toBe(words);
});
