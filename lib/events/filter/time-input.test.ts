import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { zoneOffsetMs } from "../zoned-time";
import { stepTime } from "./step-time";
import { parseTimeInput } from "./time-input";
import { timeBounds } from "./url";

// A Wednesday, 14:30 in Oslo.
const NOW_MS = Date.parse("2026-08-12T12:30:00Z");
const OSLO = "Europe/Oslo";

function read(text: string, zone = "UTC") {
  const parsed = parseTimeInput(text, zone, NOW_MS);
  if (!parsed.ok) throw new Error(parsed.message);
  const { time } = parsed;
  return time.kind === "absolute"
    ? [time.from, time.to].map((iso) => iso?.replace(":00.000Z", "") ?? null)
    : time.kind === "relative"
      ? time.range
      : "all";
}

describe("a typed time", () => {
  test.each([
    ["", "all"],
    ["All time", "all"],
    ["15m", "15m"],
    ["4h", "4h"],
    ["last 24 hours", "24h"],
    ["2w", "2w"],
    ["3mo", "3mo"],
    ["3 months", "3mo"],
    ["1y", "1y"],
    ["today", ["2026-08-12T00:00", "2026-08-13T00:00"]],
    ["yesterday", ["2026-08-11T00:00", "2026-08-12T00:00"]],
    ["this week", ["2026-08-10T00:00", "2026-08-17T00:00"]],
    ["last week", ["2026-08-03T00:00", "2026-08-10T00:00"]],
    ["last month", ["2026-07-01T00:00", "2026-08-01T00:00"]],
    ["last year", ["2025-01-01T00:00", "2026-01-01T00:00"]],
    ["2026", ["2026-01-01T00:00", "2027-01-01T00:00"]],
    ["2026-02", ["2026-02-01T00:00", "2026-03-01T00:00"]],
    ["2026-08-01", ["2026-08-01T00:00", "2026-08-02T00:00"]],
    ["2026-08-01..03", ["2026-08-01T00:00", "2026-08-04T00:00"]],
    ["2026-08-30..09-02", ["2026-08-30T00:00", "2026-09-03T00:00"]],
    ["2026-08-01..2026-08-15", ["2026-08-01T00:00", "2026-08-16T00:00"]],
    ["2026-08-01 to 2026-08-15", ["2026-08-01T00:00", "2026-08-16T00:00"]],
    ["2026-01..03", ["2026-01-01T00:00", "2026-04-01T00:00"]],
    ["2026-08-01 14:00..16:30", ["2026-08-01T14:00", "2026-08-01T16:30"]],
    ["2026-08-01T14:00..2026-08-02T09:15", ["2026-08-01T14:00", "2026-08-02T09:15"]],
    ["14:00..16:30", ["2026-08-12T14:00", "2026-08-12T16:30"]],
    ["2026-08-01 14:05", ["2026-08-01T14:05", "2026-08-01T14:06"]],
    ["since 2026-08-01", ["2026-08-01T00:00", null]],
    ["2026-08-01..", ["2026-08-01T00:00", null]],
    ["since yesterday", ["2026-08-11T00:00", null]],
    ["after 2026-08-01", ["2026-08-02T00:00", null]],
    ["before 2026-08-01", [null, "2026-08-01T00:00"]],
    ["..2026-08-01", [null, "2026-08-02T00:00"]],
    ["yesterday..now", ["2026-08-11T00:00", "2026-08-12T12:30"]],
  ])("`%s` is understood", (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  test.each([
    ["soon", "not understood"],
    ["2026-02-30", "There is no 2026-02-30"],
    ["2026-13-01", "There is no"],
    ["2026-08-01 25:00", "There is no"],
    ["08-01", "lacks a year"],
    ["2026-08 14:00", "lacks a day"],
    ["2026-08-03..01", "later than the start"],
    ["0000-01-01", "1 to 9999"],
    ["since", "not understood"],
    ["..", "Write it like"],
    ["0h", "not understood"],
    ["99999d", "not understood"],
  ])("`%s` is refused with what is wrong", (text, message) => {
    const parsed = parseTimeInput(text, "UTC", NOW_MS);
    expect(parsed).toMatchObject({ ok: false, message: expect.stringContaining(message) });
  });

  test("a day is as long as the zone's clocks make it, and begins at its midnight", () => {
    expect(read("2026-03-29", OSLO)).toEqual(["2026-03-28T23:00", "2026-03-29T22:00"]);
    expect(read("2026-10-25", OSLO)).toEqual(["2026-10-24T22:00", "2026-10-25T23:00"]);
    expect(read("today", "Asia/Kathmandu")).toEqual(["2026-08-11T18:15", "2026-08-12T18:15"]);
    // Where midnight itself is skipped, the day begins when the clocks go on.
    expect(read("2018-11-04", "America/Sao_Paulo")).toEqual([
      "2018-11-04T03:00",
      "2018-11-05T02:00",
    ]);
  });

  const zones = fc.constantFrom("UTC", OSLO, "America/New_York", "Asia/Kathmandu", "Pacific/Apia");
  const days = fc.date({
    min: new Date("1990-01-01T00:00:00Z"),
    max: new Date("2099-12-30T00:00:00Z"),
    noInvalidDate: true,
  });

  test("whatever range of days is written, both ends are the zone's midnights", () => {
    fc.assert(
      fc.property(zones, days, fc.integer({ min: 0, max: 400 }), (zone, date, length) => {
        const [first, last] = [date, new Date(date.getTime() + length * 86_400_000)].map((at) =>
          at.toISOString().slice(0, 10),
        );
        const parsed = parseTimeInput(`${first}..${last}`, zone, NOW_MS);
        // Apia went without the 30th of December 2011.
        if (!parsed.ok) {
          expect([zone, parsed.message]).toEqual(["Pacific/Apia", expect.stringContaining("skip")]);
          return;
        }
        if (parsed.time.kind !== "absolute") throw new Error("not absolute");
        const wall = (iso: string | null, byMs = 0) => {
          const ms = Date.parse(iso as string) + byMs;
          return new Date(ms + zoneOffsetMs(zone, ms)).toISOString().slice(0, 10);
        };
        if (zone === "Pacific/Apia") return;
        expect(wall(parsed.time.from)).toBe(first);
        expect(wall(parsed.time.from, -1) < (first as string)).toBe(true);
        expect(wall(parsed.time.to, -1)).toBe(last);
        expect(wall(parsed.time.to) > (last as string)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("any text is understood or refused, never thrown over", () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9a-z:. -]{0,24}$/));
    fc.assert(
      fc.property(text, zones, (input, zone) => {
        const parsed = parseTimeInput(input, zone, NOW_MS);
        if (!parsed.ok) {
          expect(parsed.message).not.toBe("");
          return;
        }
        const { from, to } = timeBounds(parsed.time, NOW_MS);
        if (from && to) expect(from < to).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

test("the range beside another one meets it and is as long", () => {
  const time = {
    kind: "absolute",
    from: "2026-08-01T00:00:00.000Z",
    to: "2026-08-03T00:00:00.000Z",
  } as const;
  expect(stepTime(time, NOW_MS, 1)).toMatchObject({
    from: time.to,
    to: "2026-08-05T00:00:00.000Z",
  });
  expect(stepTime(time, NOW_MS, -1)).toMatchObject({
    from: "2026-07-30T00:00:00.000Z",
    to: time.from,
  });
  expect(stepTime({ kind: "relative", range: "24h" }, NOW_MS, -1)).toEqual({
    kind: "absolute",
    from: "2026-08-10T12:30:00.000Z",
    to: "2026-08-11T12:30:00.000Z",
  });
  expect(stepTime({ kind: "all" }, NOW_MS, 1)).toBeNull();
  expect(stepTime({ ...time, to: null }, NOW_MS, 1)).toBeNull();
});
