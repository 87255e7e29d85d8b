import { describe, expect, test } from "vitest";
import { fieldRef, includeValue } from "./edit";
import { parseEventSearch } from "./parse-url";
import { timeBounds, toSearchParams, withFilter } from "./url";

const ID = "audit_event_01ARZ3NDEKTSV4RRFFQ69G5FAV";

function search(query: string) {
  const parsed = parseEventSearch(new URLSearchParams(query));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.search;
}

function problems(query: string) {
  const parsed = parseEventSearch(new URLSearchParams(query));
  return parsed.ok ? [] : parsed.problems.map((problem) => problem.param);
}

describe("the event list's URL", () => {
  test("no parameters: everything, newest first, no range", () => {
    expect(search("")).toEqual({
      q: "",
      filter: { clauses: [] },
      spans: [],
      time: { kind: "all" },
      event: null,
      after: null,
      before: null,
    });
  });

  test.each([
    `q=actor%3Ausr_7&range=24h&event=${ID}&after=abc`,
    "from=2026-08-01T00%3A00%3A00.000Z&to=2026-08-02T00%3A00%3A00.000Z&before=x-_1",
  ])("what is read is written back: %s", (query) => {
    expect(toSearchParams(search(query)).toString()).toBe(query);
  });

  test("times are normalised to UTC milliseconds", () => {
    expect(search("from=2026-08-01&to=2026-08-01T12:00:00%2B02:00").time).toEqual({
      kind: "absolute",
      from: "2026-08-01T00:00:00.000Z",
      to: "2026-08-01T10:00:00.000Z",
    });
  });

  test.each([
    ["q=actr:x", ["q"]],
    ["q=a&q=b", ["q"]],
    ["range=24", ["range"]],
    ["range=0h", ["range"]],
    ["range=1h&from=2026-08-01", ["range"]],
    ["from=yesterday", ["from"]],
    ["from=2026-02-30", ["from"]],
    ["from=2026-02-03T10:00:00", ["from"]],
    ["from=0000-01-01", ["from"]],
    ["from=2026-08-02&to=2026-08-01", ["to"]],
    ["event=1", ["event"]],
    ["after=a&before=b", ["before"]],
    ["after=a+b", ["after"]],
    ["q=actr:x&range=z", ["q", "range"]],
  ])("%s is an error that names the parameter", (query, params) => {
    expect(problems(query)).toEqual(params);
  });

  test("a query that does not parse keeps its text for the filter bar", () => {
    expect(parseEventSearch({ q: "actr:x" })).toMatchObject({
      ok: false,
      q: "actr:x",
      diagnostics: [{ code: "unknown_field" }],
    });
  });

  test("another filter starts at the first page", () => {
    const before = search(`q=x&range=7d&event=${ID}&after=abc`);
    const filter = includeValue(before.filter, fieldRef("actor"), "a");
    expect(withFilter(before, filter).toString()).toBe("q=x+actor%3Aa&range=7d");
  });

  test("a relative range ends now", () => {
    const now = Date.parse("2026-08-02T00:00:00Z");
    expect(timeBounds({ kind: "relative", range: "24h" }, now)).toEqual({
      from: "2026-08-01T00:00:00.000Z",
      to: null,
    });
    expect(timeBounds({ kind: "relative", range: "9999y" }, now).from).toBe(
      "0001-01-01T00:00:00.000Z",
    );
  });
});
