import { describe, expect, it } from "vitest";
import { nextPace, type Pace } from "./pace";

const paceAfter = (samples: [atMs: number, events: number][]) =>
  samples.reduce<Pace | undefined>(
    (before, [atMs, events]) => nextPace(before, { atMs, events }),
    undefined,
  )?.eventsPerS;

describe("nextPace", () => {
  it("says nothing after one look", () => {
    expect(paceAfter([[5_000, 1_000]])).toBe(null);
  });

  it("is what was added between the looks", () => {
    expect(
      paceAfter([
        [0, 1_000],
        [1_000, 3_000],
        [4_000, 9_000],
      ]),
    ).toBe(2_000);
  });

  it("forgets what was long ago, so that a stand shows", () => {
    expect(
      paceAfter([
        [0, 0],
        [10_000, 50_000],
        [20_000, 50_000],
        [30_000, 50_000],
      ]),
    ).toBe(0);
  });

  it("begins anew with an export that does", () => {
    expect(
      paceAfter([
        [0, 9_000],
        [1_000, 0],
      ]),
    ).toBe(null);
    expect(
      paceAfter([
        [0, 9_000],
        [1_000, 0],
        [2_000, 500],
      ]),
    ).toBe(500);
  });
});
