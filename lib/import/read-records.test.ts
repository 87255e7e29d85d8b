import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRecords, type RecordFormat } from "./read-records";

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-records-"));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

function write(name: string, content: string | Buffer): string {
  const file = path.join(directory, name);
  writeFileSync(file, content);
  return file;
}

async function read(file: string, format: RecordFormat = "ndjson") {
  const { records, bytesRead } = openRecords(file, format);
  const found = [];
  for await (const record of records) found.push(record);
  return { found, bytes: bytesRead() };
}

describe("NDJSON", () => {
  test("a line ends at a line feed and nowhere else: not at U+2028, not at a carriage return", async () => {
    const text = '\ufeff{"a":"x\u2028y"}\r\n\n  {"b":\r1}\n{"c":2}';
    const { found, bytes } = await read(write("lines.ndjson", text));
    expect(found.map(({ number, value }) => [number, value])).toEqual([
      [1, { a: "x\u2028y" }],
      [3, { b: 1 }],
      [4, { c: 2 }],
    ]);
    expect(bytes).toBe(Buffer.byteLength(text));
  });

  test("lines that span many reads come out whole", async () => {
    const lines = Array.from({ length: 50 }, (_, at) => ({ at, text: "é".repeat(at * 500) }));
    const text = lines.map((line) => JSON.stringify(line)).join("\n");
    for (const file of [write("long.ndjson", text), write("long.ndjson.gz", gzipSync(text))]) {
      expect((await read(file)).found.map(({ value }) => value)).toEqual(lines);
    }
  });

  test("bytes that are not UTF-8 are named, not replaced; the lines around them are read", async () => {
    const bytes = Buffer.concat([
      Buffer.from('{"a":1}\n{"b":"'),
      Buffer.from([0xe9]),
      Buffer.from('"}\n{"c":3}\n'),
    ]);
    const { found } = await read(write("latin.ndjson", bytes));
    expect(found.map(({ problem }) => problem)).toEqual([null, "not valid UTF-8", null]);
  });

  test("a line that is no event by its length alone is passed over without holding it", async () => {
    const { found } = await read(write("huge.ndjson", `${"x".repeat(3_000_000)}\n{"a":1}\n`));
    expect(found).toMatchObject([
      { number: 1, problem: expect.stringContaining("longer than") },
      { number: 2, value: { a: 1 }, problem: null },
    ]);
  });
});

test("reading ends with the signal's reason, and a time limit says what is wrong with the file", async () => {
  const file = write("endless.ndjson", "\n".repeat(1_000_000));
  const readUntil = async (signal: AbortSignal) => {
    for await (const record of openRecords(file, "ndjson", signal).records) return record;
  };
  const stopped = new Error("stopped");
  await expect(readUntil(AbortSignal.abort(stopped))).rejects.toBe(stopped);
  const late = new DOMException("late", "TimeoutError");
  await expect(readUntil(AbortSignal.abort(late))).rejects.toThrow(
    /endless.*remove the empty lines/,
  );
});

describe("files that cannot be read", () => {
  const packed = gzipSync('{"Records":[]}\n'.repeat(1_000));
  const formats: RecordFormat[] = ["ndjson", "cloudtrail"];

  test.each(formats)("%s: a cut archive ends with an error that names the file", async (format) => {
    const file = write(`cut-${format}.gz`, packed.subarray(0, packed.length - 12));
    await expect(read(file, format)).rejects.toThrow(/cut-.*\.gz cannot be read/);
  });

  test.each(formats)(
    "%s: a file that is gone ends with an error, packed or not",
    async (format) => {
      for (const name of ["gone.gz", "gone"]) {
        await expect(read(path.join(directory, name), format)).rejects.toThrow(
          /cannot be read.*ENOENT/,
        );
      }
    },
  );

  test("a CloudTrail file that unpacks to more than memory is for is refused with what to do", async () => {
    const start = gzipSync('{"Records":[');
    // Members of an archive follow one another: spaces that pack well, again and again.
    const spaces = gzipSync(" ".repeat(16_777_216));
    const file = write("bomb.json.gz", Buffer.concat([start, ...Array(9).fill(spaces)]));
    const { found } = await read(file, "cloudtrail");
    expect(found).toMatchObject([{ number: 0, problem: expect.stringContaining("64 MiB") }]);
  });

  test("a CloudTrail file of more values than memory is for is refused, however small it is packed", async () => {
    const packed = gzipSync(`{"Records":[${"{},".repeat(4_000_000)}{}]}`);
    const { found } = await read(write("values.json.gz", packed), "cloudtrail");
    expect(found).toMatchObject([
      { number: 0, problem: expect.stringContaining("6000000 values") },
    ]);
  });

  test("a CloudTrail file that is not UTF-8 is refused whole", async () => {
    const file = write("latin.json", Buffer.from([0x7b, 0x22, 0xe9, 0x22, 0x7d]));
    const { found } = await read(file, "cloudtrail");
    expect(found).toMatchObject([{ number: 0, problem: expect.stringContaining("not JSON") }]);
  });
});
