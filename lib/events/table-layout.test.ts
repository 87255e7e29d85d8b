import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testSeed } from "./filter/test-arbitraries";
import {
  addColumn,
  columnField,
  columnIdOf,
  DEFAULT_LAYOUT,
  MAX_COLUMNS,
  moveColumn,
  parseLayout,
  removeColumn,
  resizeColumn,
} from "./table-layout";

const ids = (layout = DEFAULT_LAYOUT) => layout.columns.map(({ id }) => id);

describe("table layout", () => {
  test("whatever is stored becomes a layout that shows the time and parses to itself", () => {
    const seed = testSeed();
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          fc.record({
            version: fc.constantFrom(1, 2),
            density: fc.constantFrom("compact", "relaxed", "__proto__"),
            columns: fc.array(
              fc.record(
                {
                  id: fc.oneof(
                    fc.constantFrom("time", "seq", "agent", "metadata.a b", 'metadata."a b"'),
                    fc.string(),
                  ),
                  widthPx: fc.oneof(fc.double(), fc.constant("5")),
                },
                { requiredKeys: ["id"] },
              ),
            ),
          }),
        ),
        (stored) => {
          const layout = parseLayout(stored);
          expect(ids(layout)).toContain("time");
          expect(parseLayout(JSON.parse(JSON.stringify(layout)))).toEqual(layout);
        },
      ),
      { seed, numRuns: 1_000 },
    );
  });

  test("a column of a metadata key is named as a filter names it", () => {
    const field = { id: "metadata", path: ["request id", "x"] } as const;
    expect(columnField(columnIdOf(field))).toEqual(field);
    expect(columnField("metadata")).toBeNull();
    expect(columnField("agent x")).toBeNull();
  });

  test("columns move within the ends, the time column cannot be removed", () => {
    expect(ids(moveColumn(DEFAULT_LAYOUT, "ip", -99))[0]).toBe("ip");
    expect(ids(moveColumn(DEFAULT_LAYOUT, "seq", 1)).slice(0, 2)).toEqual(["time", "seq"]);
    expect(ids(moveColumn(DEFAULT_LAYOUT, "seq", 99)).at(-1)).toBe("seq");
    expect(removeColumn(DEFAULT_LAYOUT, "time")).toEqual(DEFAULT_LAYOUT);
    expect(ids(removeColumn(DEFAULT_LAYOUT, "seq"))).not.toContain("seq");
  });

  test("a column is added once, and not beyond what a row can show", () => {
    expect(addColumn(DEFAULT_LAYOUT, "ip")).toEqual(DEFAULT_LAYOUT);
    let layout = DEFAULT_LAYOUT;
    for (let key = 0; key < 40; key += 1) layout = addColumn(layout, `metadata.k${key}`);
    expect(layout.columns).toHaveLength(MAX_COLUMNS);
  });

  test("a width stays within bounds and can be given back", () => {
    const wide = resizeColumn(DEFAULT_LAYOUT, "actor", 9_999);
    expect(wide.columns.find(({ id }) => id === "actor")?.widthPx).toBe(1_200);
    expect(resizeColumn(wide, "actor", null)).toEqual(DEFAULT_LAYOUT);
  });
});
