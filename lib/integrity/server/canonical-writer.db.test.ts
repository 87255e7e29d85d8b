import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { canonicalize } from "@/lib/chain/canonical";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { isHeld, units, written } from "./test-jsonb";

const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);
const VALUES = 2_000;

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

test(`what PostgreSQL holds is written in its canonical form, or refused (TEST_SEED=${seed})`, async () => {
  const values = fc.sample(units.filter(isHeld), { seed, numRuns: VALUES });
  const { rows } = await db.app.query<{ text: string }>(
    "SELECT value::jsonb::text AS text FROM unnest($1::text[]) WITH ORDINALITY u (value, at) ORDER BY at",
    [values.map((value) => JSON.stringify(value))],
  );
  const found = rows.map(({ text }) => written(text));
  const isWritten = found.map((text) => text !== null);
  expect(isWritten.filter(Boolean).length).toBeGreaterThan(VALUES / 2);
  expect(found.filter((text) => text !== null)).toEqual(
    values.filter((_, at) => isWritten[at]).map((value) => canonicalize(value)),
  );
});
