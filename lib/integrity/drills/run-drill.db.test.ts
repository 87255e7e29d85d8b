import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { createTestLog } from "@/lib/events/server/test-log";
import { runDrill } from "./run-drill";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

test("every tamper case of the specification gets its verdict, alone and with evidence from elsewhere", async () => {
  const results = await runDrill(db.ownerUrl, 2_000, () => createTestLog(db));
  expect(results.filter(({ ok }) => !ok)).toEqual([]);
  expect(results).toHaveLength(61);
}, 120_000);
