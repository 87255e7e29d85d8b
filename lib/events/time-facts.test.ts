import { expect, test } from "vitest";
import { relativeWords, skewWords } from "./time-facts";

const at = Date.parse("2026-08-01T12:00:00.000Z");

test("a distance from now is told in the largest whole unit, both ways", () => {
  expect(relativeWords(at, at)).toBe("now");
  expect(relativeWords(at - 59_999, at)).toBe("59 seconds ago");
  expect(relativeWords(at - 3_599_999, at)).toBe("59 minutes ago");
  expect(relativeWords(at - 86_400_000, at)).toBe("yesterday");
  expect(relativeWords(at + 3 * 86_400_000, at)).toBe("in 3 days");
});

test("skew says which of the two came first, exactly while it is short", () => {
  expect(skewWords(at, at)).toBe("at the same millisecond");
  expect(skewWords(at, at + 1_204)).toBe("1.204 s later");
  expect(skewWords(at, at - 7)).toBe("0.007 s before it occurred");
  expect(skewWords(at, at + 119_999)).toBe("119.999 s later");
  expect(skewWords(at, at + 400 * 86_400_000)).toBe("400 days later");
});
