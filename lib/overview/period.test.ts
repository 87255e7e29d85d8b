import { describe, expect, test } from "vitest";
import { overviewHref } from "./links";
import { type Period, parsePeriod, periodEndingAt } from "./period";

const NOW = Date.parse("2026-11-23T17:30:00Z");

function period(params: Record<string, string>): Period {
  const parsed = parsePeriod(params, NOW);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.period;
}

describe("parsePeriod", () => {
  test("a range is as many whole UTC days up to the end of today, and as many before", () => {
    expect(period({})).toEqual({
      range: "30d",
      days: 30,
      before: "2026-09-25T00:00:00.000Z",
      from: "2026-10-25T00:00:00.000Z",
      to: "2026-11-24T00:00:00.000Z",
    });
    expect(period({ range: "7d" })).toMatchObject({ days: 7, from: "2026-11-17T00:00:00.000Z" });
    expect(period({ range: "90d" })).toMatchObject({ days: 90, range: "90d" });
  });

  test("from and to widen to whole days", () => {
    expect(period({ from: "2023-07-01T10:00:00+02:00", to: "2023-07-03T00:00:01Z" })).toEqual({
      range: null,
      days: 3,
      before: "2023-06-28T00:00:00.000Z",
      from: "2023-07-01T00:00:00.000Z",
      to: "2023-07-04T00:00:00.000Z",
    });
  });

  test.each([
    [{ range: "24h" }, "ranges are"],
    [{ range: "x" }, "A range is"],
    [{ from: "2023-07-01" }, "both"],
    [{ from: "2020-01-01", to: "2023-01-01" }, "at most 366 days"],
    [{ from: "2023-02-30", to: "2023-03-01" }, "no such date"],
    [{ from: "0001-01-02", to: "0001-01-05" }, "no days before"],
    [{ range: "7d", from: "2023-01-01", to: "2023-01-02" }, "either"],
  ])("%o is refused and says why", (params, message) => {
    const parsed = parsePeriod(params, NOW);
    expect(parsed.ok ? "" : parsed.message).toContain(message);
  });

  test("the link to a period names exactly that period", () => {
    for (const named of [period({ range: "7d" }), periodEndingAt("2023-07-10T12:37:50.000Z", 30)]) {
      const href = overviewHref("org_1", named.range ?? named);
      const params = Object.fromEntries(new URL(href, "http://localhost").searchParams);
      expect(period(params)).toEqual(named);
    }
  });
});
