import { expect, test } from "vitest";
import { ClockAlarms } from "./clock-watch";

const MINUTE = 60_000;

test("a log whose received time stands still is announced when that begins and when it is over", () => {
  const alarms = new ClockAlarms();
  expect(alarms.observe(new Map(), 0)).toEqual([]);
  expect(alarms.observe(new Map([["org_1", 90_400]]), 1)).toEqual([
    expect.stringContaining("recorded_at of org_1 lies 91 s ahead and stands still"),
  ]);
  expect(alarms.observe(new Map([["org_1", 80_000]]), 2)).toEqual([]);
  expect(alarms.observe(new Map(), 3)).toEqual([expect.stringContaining("org_1 moves again")]);
  expect(alarms.observe(new Map(), 4)).toEqual([]);
});

test("a clock that steps back again and again is announced at most once an hour for each log", () => {
  const alarms = new ClockAlarms();
  const ahead = new Map([["org_1", 5_000]]);
  expect(alarms.observe(ahead, 0)).toHaveLength(1);
  expect(alarms.observe(new Map(), MINUTE)).toHaveLength(1);
  expect(alarms.observe(ahead, 2 * MINUTE)).toEqual([]);
  expect(alarms.observe(new Map(), 3 * MINUTE)).toEqual([]);
  expect(alarms.observe(new Map([...ahead, ["org_2", 9_000]]), 4 * MINUTE)).toEqual([
    expect.stringContaining("org_2"),
  ]);
  expect(alarms.observe(ahead, 61 * MINUTE)).toEqual([
    expect.stringContaining("org_1 lies"),
    expect.stringContaining("org_2 moves again"),
  ]);
});
