import { describe, expect, test } from "vitest";
import type { DamageKind, Verdict } from "@/lib/integrity/schema";
import { cellsOf, STRIP_CELLS, stretchesOf, zoomed } from "./stretches";

function verdict(last: number | null, bad: number[] = []): Verdict {
  return {
    first_seq: 0,
    last_seq: last,
    first_bad_seq: bad[0] ?? null,
    findings: bad.map((seq) => ({ kind: "edited_content" as DamageKind, seq, detail: "" })),
  } as Verdict;
}

const words = (...args: Parameters<typeof stretchesOf>) =>
  stretchesOf(...args).map(({ from, to, state }) => `${from}-${to} ${state}`);

describe("stretches of a log", () => {
  test("cover it without gaps, each with one state", () => {
    expect(words(verdict(99), 100)).toEqual(["0-100 verified"]);
    expect(words(verdict(99), 120)).toEqual(["0-100 verified", "100-120 uncovered"]);
    expect(words(verdict(99, [7, 8, 50]), 110)).toEqual([
      "0-7 verified",
      "7-8 failed",
      "8-9 failed",
      "9-50 joined",
      "50-51 failed",
      "51-100 joined",
      "100-110 uncovered",
    ]);
    expect(words(verdict(99, [100]), 100)).toEqual(["0-100 verified", "100-101 failed"]);
    expect(words(verdict(null), 0)).toEqual(["0-1 uncovered"]);
  });

  test("one failed event of a million shows in its cell, at every zoom", () => {
    const stretches = stretchesOf(verdict(999_999, [31_407]), 1_000_000);
    const whole = { from: 0, to: 1_000_000 };
    let range = whole;
    for (let step = 0; step < 8; step += 1) {
      const cells = cellsOf(stretches, range);
      expect(cells.length).toBeLessThanOrEqual(STRIP_CELLS);
      const failed = cells.filter(({ state }) => state === "failed");
      expect(failed).toHaveLength(1);
      expect(failed[0]?.from).toBeLessThanOrEqual(31_407);
      range = zoomed(range, whole, 31_407, 1);
    }
    expect(range.to - range.from).toBe(20);
    for (let step = 0; step < 8; step += 1) range = zoomed(range, whole, 31_407, -1);
    expect(range).toEqual(whole);
  });

  test("a zoom stays within the log at its ends", () => {
    const whole = { from: 100, to: 1_100 };
    expect(zoomed(whole, whole, 100, 1)).toEqual({ from: 100, to: 225 });
    expect(zoomed(whole, whole, 1_099, 1)).toEqual({ from: 975, to: 1_100 });
  });
});
