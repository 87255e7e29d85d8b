import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { Prisma } from "@/lib/generated/prisma/client";
import { NASTY, testSeed } from "../filter/test-arbitraries";
import { copySql } from "./copy-sql";

const seed = testSeed();
const HOSTILE = [
  ...NASTY,
  "'",
  "\\'",
  "'; DROP TABLE events; --",
  "$$",
  "E'\\''",
  "\\x41",
  "\u0001",
  "\r\n",
  "{a,b}",
  '{"a"}',
  "NULL",
  "null",
  "",
  "?",
  "$1",
  "/*",
  "*/",
];
const text = fc
  .oneof(
    fc.constantFrom(...HOSTILE),
    fc.array(fc.constantFrom(...HOSTILE), { maxLength: 4 }).map((parts) => parts.join("")),
    fc.string({ unit: "binary", maxLength: 12 }),
  )
  .filter((value) => !value.includes("\0") && value.isWellFormed());

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});

afterAll(() => db.close());

describe("copySql", () => {
  test("hostile values come back from the database as they went in", async () => {
    const values = fc.record({
      text: fc.option(text),
      texts: fc.array(fc.option(text), { maxLength: 4 }),
      number: fc.double({ noNaN: true, noDefaultInfinity: true }),
      integer: fc.maxSafeInteger(),
      flag: fc.boolean(),
      time: fc.date({
        noInvalidDate: true,
        min: new Date("0001-01-01"),
        max: new Date("9999-12-31"),
      }),
      bytes: fc.uint8Array({ maxLength: 8 }),
    });
    await fc.assert(
      fc.asyncProperty(values, fc.boolean(), async (given, isStandard) => {
        const sql = Prisma.sql`SELECT ${given.text}::text AS text, ${given.texts}::text[] AS texts,
          ${given.number}::float8 AS number, ${given.integer}::bigint AS integer, ${given.flag}::boolean AS flag,
          ${given.time}::timestamptz AS time, ${given.bytes}::bytea AS bytes`;
        const client = await db.app.connect();
        try {
          await client.query(`SET standard_conforming_strings = ${isStandard ? "on" : "off"}`);
          const { rows } = await client.query(copySql(sql));
          expect(rows).toEqual([
            {
              ...given,
              number: given.number === 0 ? expect.closeTo(0) : given.number,
              bytes: Buffer.from(given.bytes),
            },
          ]);
        } finally {
          await client.query("SET standard_conforming_strings = on");
          client.release();
        }
      }),
      { seed, numRuns: 1_500 },
    );
  });

  test.each([["a\0b"], ["\ud800"], [["\0"]]])("%j is refused, not altered", (value) => {
    expect(() => copySql(Prisma.sql`SELECT ${value}`)).toThrow(RangeError);
  });

  test.each([[{}], [undefined], [() => 1]])("%s has no literal", (value) => {
    expect(() => copySql(Prisma.sql`SELECT ${value as never}`)).toThrow(TypeError);
  });
});
