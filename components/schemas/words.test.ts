import { expect, test } from "vitest";
import type { Trial } from "@/lib/schemas/schema";
import { trialSentence } from "./words";

const words = (trial: Partial<Trial>) =>
  trialSentence({
    checked: 0,
    rejected: 0,
    unchecked: 0,
    reach: "all",
    version: 1,
    examples: [],
    ...trial,
  });

test("the sentence about recent events claims no more than was checked", () => {
  expect(words({ checked: 1_000, rejected: 3, reach: "newest" })).toBe(
    "Would reject 3 of the last 1,000 events.",
  );
  expect(words({ checked: 42 })).toBe("Would reject none of the 42 events here.");
  expect(words({ checked: 42, rejected: 42 })).toBe("Would reject all the 42 events here.");
  expect(words({ checked: 1, rejected: 1 })).toBe("Would reject the only event here.");
  expect(words({})).toMatch(/^No event of this action in this organization yet/);
  expect(words({ checked: 400, reach: "time" })).toBe(
    "Would reject none of the last 400 events. The check stopped there, after a second.",
  );
  expect(words({ checked: 2, unchecked: 1 })).toBe(
    "Would reject none of the 2 events here. 1 more were left out: a text in them is too long to match here.",
  );
  expect(words({ unchecked: 3 })).toMatch(/^No event could be checked\. 3 more were left out/);
});
