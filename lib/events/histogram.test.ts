import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testSeed } from "./filter/test-arbitraries";
import { HOUR_MS, histogramBounds, MAX_BUCKETS } from "./histogram";
import { isTimeZone, momentOf, zoneOffsetMs } from "./zoned-time";

const ms = (iso: string) => Date.parse(iso);
const ZONES = [
  "UTC",
  "Europe/Oslo",
  "America/New_York",
  "Asia/Kolkata",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "America/St_Johns",
];

describe("histogram bounds", () => {
  test("cover the span in rising steps, never more than can be drawn", () => {
    const seed = testSeed();
    fc.assert(
      fc.property(
        fc.integer({ min: ms("1950-01-01T00:00:00Z"), max: ms("2100-01-01T00:00:00Z") }),
        fc.oneof(
          fc.integer({ min: 1, max: 10_000 }),
          fc.integer({ min: 1, max: 60 * 86_400 * 366 }),
        ),
        fc.constantFrom(...ZONES),
        (fromMs, seconds, zone) => {
          const toMs = fromMs + seconds * 1000;
          const bounds = histogramBounds(fromMs, toMs, zone);
          expect(bounds[0]).toBeLessThanOrEqual(fromMs);
          expect(bounds[1]).toBeGreaterThan(fromMs);
          expect(bounds.at(-1)).toBeGreaterThanOrEqual(toMs);
          expect(bounds.at(-2)).toBeLessThan(toMs);
          expect(bounds.length - 1).toBeLessThanOrEqual(MAX_BUCKETS);
          for (const [index, bound] of bounds.entries())
            if (index > 0) expect(bound).toBeGreaterThan(bounds[index - 1] as number);
        },
      ),
      { seed, numRuns: 1_000 },
    );
  });

  test("days begin at the zone's midnight, also on the days of 23 and 25 hours", () => {
    const spring = histogramBounds(
      ms("2026-03-01T00:00:00Z"),
      ms("2026-05-15T00:00:00Z"),
      "Europe/Oslo",
    );
    const lengths = spring
      .slice(1)
      .map((bound, index) => (bound - (spring[index] as number)) / HOUR_MS);
    expect(lengths.filter((hours) => hours === 23)).toHaveLength(1);
    expect(new Set(lengths)).toEqual(new Set([24, 23]));
    for (const bound of spring)
      expect((bound + zoneOffsetMs("Europe/Oslo", bound)) % (24 * HOUR_MS)).toBe(0);
  });

  test("an hour step serves a day, fifteen minutes would too: the smallest that fits is taken", () => {
    const day = histogramBounds(ms("2026-01-01T00:00:00Z"), ms("2026-01-02T00:00:00Z"), "UTC");
    expect((day[1] as number) - (day[0] as number)).toBe(HOUR_MS / 4);
    const least = histogramBounds(
      ms("2026-01-01T00:00:00Z"),
      ms("2026-01-02T00:00:00Z"),
      "UTC",
      HOUR_MS,
    );
    expect(least).toHaveLength(25);
  });

  test("weeks begin on Monday", () => {
    const weeks = histogramBounds(ms("2024-01-03T00:00:00Z"), ms("2026-01-03T00:00:00Z"), "UTC");
    expect(new Date(weeks[0] as number).toISOString()).toBe("2024-01-01T00:00:00.000Z");
    expect(new Date(weeks[1] as number).getUTCDay()).toBe(1);
  });
});

describe("zoned time", () => {
  test.each([
    ["Europe/Oslo", "2026-03-29T02:30:00Z", "2026-03-29T01:30:00Z"],
    ["Europe/Oslo", "2026-10-25T02:30:00Z", "2026-10-25T00:30:00Z"],
    ["Asia/Kolkata", "2026-10-25T02:30:00Z", "2026-10-24T21:00:00Z"],
    ["UTC", "2026-10-25T02:30:00Z", "2026-10-25T02:30:00Z"],
  ])("%s shows %s at %s: skipped times move on, doubled ones come first", (zone, wall, moment) => {
    expect(new Date(momentOf(zone, ms(wall))).toISOString()).toBe(moment.replace("Z", ".000Z"));
  });

  test("a zone that nobody knows is refused", () => {
    expect(isTimeZone("Europe/Oslo")).toBe(true);
    expect(isTimeZone("Mars/Olympus")).toBe(false);
  });
});
