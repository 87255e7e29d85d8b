import { expect, test } from "vitest";
import { SeenRows } from "./seen-rows";

test("each number is new once, next to each other and far apart", () => {
  const seen = new SeenRows();
  const numbers = [0, 1, 7, 8, 65_535, 65_536, 4_294_967_296, 2 ** 52];
  expect(numbers.map((seq) => seen.add(seq))).toEqual(numbers.map(() => true));
  expect(numbers.map((seq) => seen.add(seq))).toEqual(numbers.map(() => false));
  expect(seen.add(2)).toBe(true);
});
