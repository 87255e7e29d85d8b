import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DelimiterName } from "./delimiters";
import { openCsv } from "./read-csv";

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-csv-"));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function read(content: string | Buffer, name = "file.csv", delimiter?: DelimiterName) {
  const file = path.join(directory, name);
  writeFileSync(file, content);
  const { header, rows } = await openCsv(file, delimiter);
  const found = [];
  for await (const row of rows) found.push(row);
  return { header, found };
}

const cellsOf = async (content: string | Buffer, name?: string) =>
  (await read(content, name)).found.map(({ cells }) => cells);

describe("RFC 4180", () => {
  test("quotes, commas, line ends and emoji in cells; an unquoted empty cell is null, a quoted one is not", async () => {
    expect(await cellsOf('a,b\r\n"x ""y"", z","1\r\n2\n3"\r\n,""\r\n😀,\ufeffé\r\n')).toEqual([
      ['x "y", z', "1\r\n2\n3"],
      [null, ""],
      ["😀", "\ufeffé"],
    ]);
  });

  test.each([
    ["comma", "a,b;x\n1,2;3\n"],
    ["semicolon", "a;b\n1;2\n"],
    ["tab", "a\tb\n1\t2\n"],
  ])("a %s is found as the separator", async (_, content) => {
    expect((await read(content)).header).toHaveLength(2);
  });

  test("a separator that is given is taken", async () => {
    expect((await read("a,b;c,d\n", "given.csv", "semicolon")).header).toEqual(["a,b", "c,d"]);
  });

  test("a byte order mark is no part of the first name; a packed file reads like a plain one", async () => {
    const content = "\ufeffa,b\n1,2\n";
    for (const [name, bytes] of [
      ["mark.csv", Buffer.from(content)],
      ["mark.csv.gz", gzipSync(content)],
    ] as const)
      expect(await read(bytes, name)).toMatchObject({
        header: ["a", "b"],
        found: [{ cells: ["1", "2"] }],
      });
  });

  test("a row is told by the line it begins at, whatever line ends and empty lines came before", async () => {
    const { found } = await read('a\r\n1\r\n\r\n"x\r\ny\nz"\r\n4\r\n');
    expect(found.map(({ number }) => number)).toEqual([2, 4, 7]);
  });
});

describe("malformed files", () => {
  test.each([
    ["an unclosed quote", 'a,b\n1,2\n"open,3\n4,5\n', 3, "never closed"],
    ["text behind a quote", 'a,b\n1,2\n"x"y,3\n4,5\n', 3, "has to be doubled"],
    ["a bare quote", 'a,b\n1,2\nx"y,3\n4,5\n', 3, "quote the cell"],
    ["a cell of 10 MB", `a,b\n1,2\n${"x".repeat(10_000_000)},3\n4,5\n`, 3, "longer than"],
    ["a row of a million cells", `a,b\n1,2\n${",".repeat(1_000_000)}\n4,5\n`, 3, "1000 cells"],
    ["a quoted cell of 10 MB", `a,b\n1,2\n"${"x\n".repeat(5_000_000)}",3\n4,5\n`, 3, "longer than"],
  ])(
    "%s: rows before it are given, the row is named, and that nothing after it was read",
    async (_, content, line, words) => {
      const { found } = await read(content);
      expect(found).toEqual([
        { number: 2, cells: ["1", "2"], problem: null },
        { number: line, cells: [], problem: expect.stringContaining(words) },
      ]);
      expect(found[1]?.problem).toContain("Rows after it were not read");
    },
  );

  test("ragged rows and rows in another encoding are rejected alone", async () => {
    const latin = Buffer.from("a,b\n1,2\n1\n1,2,3\nJos\xe9,2\n3,4\n", "latin1");
    expect((await read(latin)).found.map(({ problem }) => problem)).toEqual([
      null,
      expect.stringContaining("1 cells where the first row names 2 columns"),
      expect.stringContaining("3 cells"),
      expect.stringContaining("not valid UTF-8"),
      null,
    ]);
  });

  test.each([
    ["an empty file", "", "it is empty"],
    ["one of empty lines", "\n\r\n", "it is empty"],
    ["UTF-16", Buffer.from("\ufeffa,b\n", "utf16le"), "UTF-16: save it as UTF-8"],
    ["a header with an unclosed quote", '"a,b\n1,2\n', "never closed"],
    ["a nameless column", "a,,b\n1,2,3\n", "column 2 has no name"],
    ["a name twice", "a,b,a\n", "two columns are named “a”"],
    [
      "a header of more columns than any event takes",
      Array.from({ length: 150_000 }, (_, at) => at.toString(36)).join(","),
      "has more than 1000 cells",
    ],
  ])("%s is refused with words", async (_, content, words) => {
    await expect(read(content)).rejects.toThrow(words);
  });

  test("a header alone is a file without rows", async () => {
    expect((await read("a,b\n")).found).toEqual([]);
    expect((await read("a,b")).found).toEqual([]);
  });

  test("a file that is gone is named", async () => {
    await expect(openCsv(path.join(directory, "gone.csv"))).rejects.toThrow(/gone\.csv.*ENOENT/);
  });
});
