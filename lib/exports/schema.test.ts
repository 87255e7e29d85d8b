import { describe, expect, test } from "vitest";
import type { AppError } from "@/lib/errors";
import { exportFilter, parseExportInput, parseExportRequest } from "./schema";

const body = {
  organization_id: "org_1",
  range_start: "2026-01-01T00:00:00Z",
  range_end: "2026-02-01T00:00:00+01:00",
};

const failure = (change: object) => {
  try {
    return parseExportRequest({ ...body, ...change });
  } catch (error) {
    return error as AppError;
  }
};

describe("parseExportRequest", () => {
  test("reads times in UTC, with or without an offset, and absent, null and empty lists alike", () => {
    expect(parseExportRequest({ ...body, actions: null, targets: [], extra: 1 })).toEqual({
      organizationId: "org_1",
      format: "csv",
      search: {
        q: "",
        range_start: "2026-01-01T00:00:00.000Z",
        range_end: "2026-01-31T23:00:00.000Z",
        actions: [],
        actor_names: [],
        actor_ids: [],
        targets: [],
      },
      options: { columns: null, raw: false, proof: false },
    });
    const naive = { ...body, range_start: "2026-01-01T00:00:00.123456" };
    expect(parseExportRequest(naive).search.range_start).toBe("2026-01-01T00:00:00.123Z");
  });

  test("takes the deprecated actors for names of actors, together with these", () => {
    const parsed = parseExportRequest({
      ...body,
      actors: ["Ann", "Bo"],
      actor_names: ["Bo", "Cy"],
    }).search;
    expect(parsed.actor_names).toEqual(["Bo", "Cy", "Ann"]);
    expect(parsed.actor_ids).toEqual([]);
  });

  test.each([
    [{ organization_id: undefined }, [{ field: "organization_id", code: "required" }]],
    [{ range_end: undefined }, [{ field: "range_end", code: "required" }]],
    [
      { range_start: "soon" },
      [
        {
          field: "range_start",
          code: 'range_start "soon" is not an RFC 3339 timestamp such as 2026-01-02T03:04:05.678Z',
        },
      ],
    ],
    [{ actions: "a" }, [{ field: "actions", code: "actions must be a list of strings" }]],
    [{ targets: ["a\0"] }, [{ field: "targets.0", code: "targets.0 must not contain NUL" }]],
    [
      { actor_ids: ["\ud800"] },
      [{ field: "actor_ids.0", code: "actor_ids.0 must be valid Unicode" }],
    ],
    [
      { actor_names: Array(101).fill("a") },
      [{ field: "actor_names", code: "actor_names must name at most 100" }],
    ],
    [{ format: "xml" }, [{ field: "format", code: expect.stringContaining("format") }]],
    [{ filter: "colour:red" }, [{ field: "filter", code: expect.stringContaining("colour") }]],
  ])("says what is wrong, by field: %j", (change, errors) => {
    expect(failure(change)).toMatchObject({ code: "validation_failed", errors });
  });

  test.each(["2026-01-01T00:00:00Z", "2025-12-31T00:00:00Z"])(
    "a range that ends at %s has the contract's own code",
    (range_end) => {
      expect(failure({ range_end })).toMatchObject({
        code: "invalid_request",
        message: "Invalid date range",
        errors: [{ field: "range_end", code: "range_end must be after range_start" }],
        details: { code: "invalid_audit_log_export_range_date" },
      });
    },
  );
});

test("a bundle takes no filter: it proves a log from its beginning to its end", () => {
  expect(failure({ format: "bundle", actions: ["a"] })).toMatchObject({ code: "invalid_request" });
  expect(failure({ format: "bundle" })).toMatchObject({ code: "invalid_request" });
  const whole = { ...body, range_start: null, range_end: null, format: "bundle" };
  expect(parseExportRequest(whole).format).toBe("bundle");
  expect(failure({ range_start: null })).toMatchObject({ code: "invalid_request" });
});

describe("parseExportInput", () => {
  const input = { format: "csv", q: "action:doc.*", from: null, to: null, options: {} };

  test("takes the explorer's search, its columns for CSV alone", () => {
    const columns = ["time", "metadata.request_id"];
    const csv = parseExportInput({ ...input, options: { columns } });
    expect(csv).toMatchObject({
      search: { q: "action:doc.*", range_start: null },
      options: { columns },
    });
    expect(parseExportInput({ ...input, format: "ndjson", options: { columns } }).options).toEqual({
      columns: null,
      raw: false,
      proof: false,
    });
    expect(() => parseExportInput({ ...input, format: "bundle" })).toThrow("whole log");
    expect(parseExportInput({ ...input, q: "", format: "bundle" }).format).toBe("bundle");
  });

  test.each([
    { q: "colour:red" },
    { options: { columns: ["no such column"] } },
    { options: { columns: [] } },
    { from: "2026-01-02T00:00:00Z", to: "2026-01-01T00:00:00Z" },
  ])("refuses what it cannot honour: %j", (change) => {
    expect(() => parseExportInput({ ...input, ...change })).toThrow();
  });
});

test("a list is one clause of exact alternatives; a list without values is none", () => {
  const { search } = parseExportRequest({ ...body, actions: ["a", "b*"], targets: ["team"] });
  expect(exportFilter(search).clauses).toEqual([
    {
      negated: false,
      condition: {
        kind: "any",
        field: { id: "action", path: [] },
        matches: [
          { operator: "is", value: "a" },
          { operator: "is", value: "b*" },
        ],
      },
    },
    {
      negated: false,
      condition: {
        kind: "any",
        field: { id: "target.type", path: [] },
        matches: [{ operator: "is", value: "team" }],
      },
    },
  ]);
});
