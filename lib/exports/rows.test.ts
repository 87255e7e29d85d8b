import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareRows } from "./compare-rows";
import { leafOf, RowSplitter, rowHash } from "./rows";
import { csvRow } from "./verify-export";

function split(format: "csv" | "ndjson", bytes: Buffer, size: number): string[] {
  const rows: string[] = [];
  const splitter = new RowSplitter(format);
  for (let at = 0; at < bytes.length; at += size)
    splitter.add(bytes.subarray(at, at + size), (row) => rows.push(row.toString()));
  expect(splitter.unfinished).toBe(0);
  return rows;
}

test("rows are cut across chunks of any size; line ends within cells belong to them", () => {
  const cell = fc.string({ unit: fc.constantFrom("a", '"', "\n", "\r", ",", "é", "\u{1F512}") });
  const row = fc.array(cell, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.array(row), fc.integer({ min: 1, max: 9 }), (rows, size) => {
      const texts = rows.map(csvRow);
      expect(split("csv", Buffer.from(texts.join("")), size)).toEqual(texts);
    }),
  );
  expect(split("ndjson", Buffer.from('{"a":"\\""}\n{}\n'), 3)).toEqual(['{"a":"\\""}\n', "{}\n"]);
});

test("what stands behind the last line end is counted", () => {
  const splitter = new RowSplitter("ndjson");
  splitter.add(Buffer.from("{}\n{"), () => undefined);
  expect(splitter.unfinished).toBe(1);
});

test("a row's place in the log is its last two cells, or nothing", () => {
  const hex = "0f".repeat(32);
  const leaf = { seq: 12, hash: hex };
  expect(leafOf("csv", Buffer.from(`a,12,${hex}\n`))).toEqual(leaf);
  expect(leafOf("ndjson", Buffer.from(`{"id":"a","seq":12,"chain_hash":"${hex}"}\n`))).toEqual(
    leaf,
  );
  expect(leafOf("csv", Buffer.from(`12,${hex}\n`))).toEqual(leaf);
  expect(leafOf("csv", Buffer.from(`12,${hex.slice(1)}\n`))).toBeNull();
});

describe("compareRows", () => {
  const hashes = (rows: string[]) =>
    Buffer.from(rows.map((row) => rowHash(Buffer.from(row))).join(""), "hex");
  const compare = (given: string[], wanted: string[]) =>
    compareRows(hashes(given), hashes(wanted), 100);
  const rows = Array.from({ length: 50 }, (_, at) => `row ${at}`);

  test("finds nothing where nothing differs", () => {
    expect(compare(rows, rows)).toEqual([]);
  });

  test("tells removed, added and changed rows apart, several at once", () => {
    const changed = rows.toSpliced(40, 2).toSpliced(20, 0, "new").with(5, "other");
    expect(compare(changed, rows)).toEqual([
      { kind: "row_changed", row: 6 },
      { kind: "row_added", row: 21 },
      { kind: "row_removed", row: 42, count: 2 },
    ]);
  });

  test("names one difference where there is one, wherever it is", () => {
    fc.assert(
      fc.property(fc.nat(49), fc.constantFrom("removed", "added", "changed"), (at, what) => {
        const given = {
          removed: rows.toSpliced(at, 1),
          added: rows.toSpliced(at, 0, "new"),
          changed: rows.with(at, "new"),
        }[what];
        expect(compare(given, rows)).toMatchObject([{ kind: `row_${what}`, row: at + 1 }]);
      }),
    );
  });

  test("names no more than it is asked for", () => {
    expect(compareRows(hashes(rows.map((row) => `x${row}`)), hashes(rows), 3)).toHaveLength(3);
  });
});
