import { afterAll, beforeAll, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { copySql } from "./copy-sql";
import { candidates, choosePlan, rangeOf } from "./plan";
import { appendEvents, createTestLog, newEvent } from "./test-log";

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

/** A planner that takes a piece for a quarter of the log reads and sorts all of it for each: a file of a million took six times as long. */
test.each(["older", "newer"] as const)(
  "the planner knows how little lies between two places of a walk to what is %s",
  async (direction) => {
    const log = await createTestLog(db);
    const at = (n: number) => Date.UTC(2026, 3, 1) + n * 1_000;
    const events = Array.from({ length: 4_000 }, (_, n) =>
      newEvent({ occurredAt: new Date(at(n)).toISOString() }),
    );
    await appendEvents(log, events);
    await db.owner.query("ANALYZE events");
    const range = rangeOf(systemScope("cli", log), {});
    const { driver } = await choosePlan(range, { clauses: [] });
    const [first, last] = [
      { occurredAtMs: at(2_000), seq: 2_000 },
      { occurredAtMs: at(2_099), seq: 2_099 },
    ];
    const walk =
      direction === "older"
        ? { ...range, direction, position: last, until: first }
        : { ...range, direction, position: first, until: last };
    const sql = `SELECT * FROM (${copySql(candidates(driver, walk, null))}) e`;
    const { rows } = await db.owner.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`);
    const { Plan: plan } = rows[0]["QUERY PLAN"][0];
    expect(plan["Actual Rows"]).toBe(99);
    expect(plan["Plan Rows"]).toBeLessThan(300);
  },
);
