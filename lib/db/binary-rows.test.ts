import fc from "fast-check";
import { expect, test } from "vitest";
import { BinaryRows } from "./binary-rows";

const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);
console.info(`binary rows properties: TEST_SEED=${seed}`);

const HEADER = Buffer.from("PGCOPY\n\u00ff\r\n\u0000\0\0\0\0\0\0\0\0", "latin1");
const END = Buffer.from([0xff, 0xff]);

function int(bytes: 2 | 4, value: number): Buffer {
  const out = Buffer.alloc(bytes);
  out.writeIntBE(value, 0, bytes);
  return out;
}

const row = (fields: (Buffer | null)[]) =>
  Buffer.concat([
    int(2, fields.length),
    ...fields.flatMap((field) => [int(4, field?.length ?? -1), field ?? Buffer.alloc(0)]),
  ]);

/** The rows of data that comes cut at these places. */
function read(data: Buffer, cuts: number[], fields: number): (string | null)[][] {
  const rows = new BinaryRows(fields);
  const found: (string | null)[][] = [];
  const places = [0, ...cuts.map((cut) => cut % data.length).sort((a, b) => a - b), data.length];
  for (let at = 1; at < places.length; at += 1)
    rows.take(data.subarray(places[at - 1], places[at]), () =>
      found.push(
        Array.from({ length: fields }, (_, field) =>
          rows.isNull(field) ? null : rows.text(field),
        ),
      ),
    );
  return found;
}

test("rows are the same wherever their bytes are cut", () => {
  const field = fc.option(fc.oneof(fc.string({ unit: "grapheme" }), fc.constant("x".repeat(300))));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(field, field, field), { maxLength: 8 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      (rows, cuts) => {
        const sent = rows.map((fields) =>
          row(fields.map((text) => (text === null ? null : Buffer.from(text)))),
        );
        const data = Buffer.concat([HEADER, ...sent, END]);
        expect(read(data, cuts, 3)).toEqual(rows);
      },
    ),
    { seed, numRuns: 500 },
  );
});

test("rows come byte by byte", () => {
  const data = Buffer.concat([
    HEADER,
    row([Buffer.from("a"), null]),
    row([null, Buffer.alloc(0)]),
    END,
  ]);
  const cuts = Array.from({ length: data.length - 1 }, (_, at) => at + 1);
  expect(read(data, cuts, 2)).toEqual([
    ["a", null],
    [null, ""],
  ]);
});

test("a row that is not whole is no row, and one with other fields ends the reading", () => {
  const whole = row([Buffer.from("a")]);
  expect(read(Buffer.concat([HEADER, whole, whole.subarray(0, -1)]), [], 1)).toEqual([["a"]]);
  expect(read(Buffer.concat([HEADER, whole, row([null, null]), whole]), [], 1)).toEqual([["a"]]);
});

test("numbers and times are what PostgreSQL sent", () => {
  const rows = new BinaryRows(4);
  const int8 = (value: bigint) => {
    const out = Buffer.alloc(8);
    out.writeBigInt64BE(value);
    return out;
  };
  const times: [bigint, string | null][] = [
    [0n, "2000-01-01T00:00:00.000Z"],
    [-1_000n, "1999-12-31T23:59:59.999Z"],
    [820_540_800_123_000n, "2026-01-01T00:00:00.123Z"],
    // Finer than the log keeps, beyond the years it keeps, and infinity.
    [1n, null],
    [-(10n ** 18n), null],
    [2n ** 63n - 1n, null],
    [-(2n ** 63n), null],
  ];
  let found: unknown[] = [];
  rows.take(HEADER, () => undefined);
  for (const [time, text] of times) {
    const data = row([int8(4_294_967_296n * 3n + 5n), int8(-7n), int(4, -2), int8(time)]);
    rows.take(data, () => {
      found = [rows.int8(0), rows.int8(1), rows.int4(2), rows.time(3)];
    });
    expect(found).toEqual([12_884_901_893, -7, -2, text]);
  }
});

test("times are written as a Date writes them", () => {
  const rows = new BinaryRows(1);
  rows.take(HEADER, () => undefined);
  // Centuries from 2000 microseconds are no exact numbers.
  const [from, to] = [new Date("0001-01-01T00:00:00.000Z"), new Date("9999-12-31T23:59:59.999Z")];
  fc.assert(
    fc.property(fc.date({ min: from, max: to, noInvalidDate: true }), (date) => {
      const sent = Buffer.alloc(8);
      sent.writeBigInt64BE(BigInt(date.getTime() - Date.UTC(2000, 0)) * 1_000n);
      let found: string | null = null;
      rows.take(row([sent]), () => {
        found = rows.time(0);
      });
      expect(found).toBe(date.toISOString());
    }),
    { seed, numRuns: 1_000 },
  );
});
