import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { systemInstanceScope } from "@/lib/auth/server/system-scope";
import { ownerPool } from "@/lib/db/owner-pool";
import { retentionPool } from "@/lib/db/pool";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { createTestLog } from "@/lib/events/server/test-log";
import { verifyLog } from "@/lib/integrity/server/verify";
import { placeHold, releaseHold } from "./holds";
import { listRuns, readRetentionOverview } from "./overview";
import { DAY_MS, planRetention } from "./plan";
import { runRetention } from "./run";
import { retentionSuite } from "./test-retention";

let db: TestDatabase;
let login: pg.Pool;
beforeAll(async () => {
  db = await testDatabase();
  login = retentionPool() as pg.Pool;
});
afterEach(() => void vi.useRealTimers());
afterAll(() => db.close());

const {
  scopeOf,
  run,
  appendAgo,
  setPeriod,
  follow,
  verdictOf,
  good,
  count,
  kept,
  monthsOf,
  months,
} = retentionSuite(() => ({ db, login }));

describe("a year of three organizations", () => {
  test("loses what each period says and no more; months that nobody needs go whole; holds win", async () => {
    const periods = [30, 90, 180];
    const logs = await Promise.all(periods.map(() => createTestLog(db)));
    for (let days = 360; days >= 0; days -= 30)
      for (const log of logs) await appendAgo(log, days, 20);
    for (const [at, log] of logs.entries()) {
      await setPeriod(scopeOf(log), periods[at] as number);
      expect(await verdictOf(log)).toMatchObject(good);
    }
    const [, held] = logs as [string, string, string];
    const { id } = await placeHold(scopeOf(held), "case 4");

    const plans = await Promise.all(logs.map((log) => planRetention(scopeOf(log))));
    // Received 360, 330 … days ago; the grace is a week, and today's events are young.
    const due = periods.map(
      (days) =>
        20 * Array.from({ length: 13 }, (_, n) => n * 30).filter((age) => age > days + 7).length,
    );
    expect(plans.map(({ events }) => events)).toEqual(due);
    expect(plans.map(({ state }) => state)).toEqual(["due", "held", "due"]);

    const before = await months();
    const first = await run();
    expect(first.logs.map(({ removed }) => removed)).toEqual([due[0], 0, due[2]]);
    expect(await kept("events", held)).toBe(20 * 13 + 2);
    expect(await months()).toEqual(before);

    await releaseHold(scopeOf(held), id, "closed");
    const second = await run();
    expect(second.logs.map(({ removed, error }) => [removed, error])).toEqual([
      [0, null],
      [due[1], null],
      [0, null],
    ]);
    for (const [at, log] of logs.entries()) {
      const size = due[at] as number;
      expect(await verdictOf(log)).toMatchObject({ ...good, first_seq: size });
      expect(await kept("events", log, size)).toBe(0);
      expect(await kept("event_targets", log, size)).toBe(0);
      expect(await kept("idempotency_keys", log, size)).toBe(0);
      const { runs } = await listRuns(scopeOf(log));
      expect(runs).toMatchObject([
        { firstSeq: 0, size, deleted: size, startedBy: "worker", undelivered: [] },
      ]);
      expect(runs[0]?.finishedAt).not.toBeNull();
      expect(runs[0]?.bytes).toBeGreaterThan(size * 300);
    }
    // A month that ended and in which nobody has an event any more is gone; no other is.
    const needed = new Set(
      await monthsOf(
        "SELECT DISTINCT 'events_' || to_char(recorded_at, 'YYYY_MM') AS name FROM events",
      ),
    );
    const present = `events_${new Date(Date.now() - DAY_MS).toISOString().slice(0, 7).replace("-", "_")}`;
    const left = before.filter((name) => needed.has(name) || name >= present);
    expect(await months()).toEqual(left);
    expect(left.length).toBeLessThan(before.length - 4);
    expect(second.dropped.length).toBe(before.length - left.length);
    expect(second.dropped.every(({ bytes }) => bytes > 0)).toBe(true);
    expect(await count("SELECT count(*) FROM dropped_partitions WHERE bytes > 0")).toBe(
      second.dropped.length,
    );
    // Nothing is left to do, and said so.
    expect(
      (await run()).logs.every(({ state, removed }) => state === "nothing" && removed === 0),
    ).toBe(true);
    const told = await db.owner.query(
      `SELECT array_agg(action ORDER BY seq) AS actions FROM events WHERE organization_id = $1 AND action ~ '^trailseal'`,
      [held],
    );
    expect(told.rows[0].actions).toEqual([
      "trailseal.retention_changed",
      "trailseal.hold_placed",
      "trailseal.hold_released",
      "trailseal.pruned",
    ]);
  });
});

describe("a run that ends in the middle", () => {
  async function halfRemoved(): Promise<string> {
    const log = await createTestLog(db);
    await appendAgo(log, 60, 1_300);
    await appendAgo(log, 0, 30);
    await setPeriod(scopeOf(log), 30);
    await follow(log);
    const stop = new AbortController();
    const killed = run({
      organizationId: log,
      signal: stop.signal,
      onBatch: () => stop.abort(new Error("killed")),
    });
    await expect(killed).rejects.toThrow("killed");
    return log;
  }

  test("leaves a log that verifies, and the next one finishes it", async () => {
    const log = await halfRemoved();
    expect(await kept("events", log, 1_300)).toBe(800);
    const verdict = await verdictOf(log);
    expect(verdict).toMatchObject({ ...good, first_seq: 1_300 });
    expect(verdict.not_covered.join(" ")).toContain("800 of them are still there");
    expect(await readRetentionOverview(scopeOf(log))).toMatchObject({ unfinished: 800 });
    expect((await listRuns(scopeOf(log))).runs).toMatchObject([{ deleted: 500, finishedAt: null }]);

    expect((await run({ organizationId: log })).logs).toMatchObject([{ removed: 800 }]);
    expect(await kept("events", log, 1_300)).toBe(0);
    expect(await kept("event_targets", log, 1_300)).toBe(0);
    expect(await verdictOf(log)).toMatchObject({ ...good, first_seq: 1_300 });
    expect((await listRuns(scopeOf(log))).runs[0]).toMatchObject({ deleted: 1_300 });
  });

  test("has its rows booked to itself, also those that the next one removes", async () => {
    const [log, keeper] = [await createTestLog(db), await createTestLog(db)];
    // Its month does not go whole.
    await appendAgo(keeper, 100, 1);
    await appendAgo(log, 100, 700);
    await appendAgo(log, 60, 300);
    await appendAgo(log, 0, 10);
    await setPeriod(scopeOf(log), 80);
    const stop = new AbortController();
    const onBatch = () => stop.abort(new Error("killed"));
    await expect(run({ organizationId: log, signal: stop.signal, onBatch })).rejects.toThrow();
    await setPeriod(scopeOf(log), 30);
    expect((await run({ organizationId: log })).logs).toMatchObject([{ removed: 500 }]);
    const { runs } = await listRuns(scopeOf(log));
    expect(runs).toMatchObject([
      { firstSeq: 700, size: 1_000, deleted: 300 },
      { firstSeq: 0, size: 700, deleted: 700 },
    ]);
    expect(runs.every(({ finishedAt }) => finishedAt !== null)).toBe(true);
    const [second, first] = runs.map(({ bytes }) => bytes) as [number, number];
    expect(first / second).toBeCloseTo(7 / 3, 0);
    expect(await verdictOf(log)).toMatchObject(good);
  });

  test.each([
    [
      "in the middle is edited",
      "UPDATE events SET metadata = '{}' WHERE organization_id = $1 AND seq = 900",
    ],
    [
      "at its beginning is edited",
      "UPDATE events SET metadata = '{}' WHERE organization_id = $1 AND seq = 500",
    ],
    ["in the middle is missing", "DELETE FROM events WHERE organization_id = $1 AND seq = 900"],
    ["at its end is missing", "DELETE FROM events WHERE organization_id = $1 AND seq = 1299"],
  ])("what is left is checked: a row %s, and that is a break", async (_, sql) => {
    const log = await halfRemoved();
    const client = await db.owner.connect();
    try {
      await client.query("ALTER TABLE events DISABLE TRIGGER USER");
      await client.query(sql, [log]);
      await client.query("ALTER TABLE events ENABLE TRIGGER USER");
    } finally {
      client.release();
    }
    const verdict = await verifyLog(scopeOf(log));
    expect(verdict).toMatchObject({ ok: false, kind: "inserted_row", first_bad_seq: 500 });
    // What it was about goes all the same.
    await run({ organizationId: log });
    expect(await kept("events", log, 1_300)).toBe(0);
  });

  test("a hold that is placed then keeps the rest until it is released", async () => {
    const log = await halfRemoved();
    const { id } = await placeHold(scopeOf(log), "case 9");
    const [outcome] = (await run({ organizationId: log })).logs;
    expect(outcome).toMatchObject({ removed: 0, error: null, holds: [{ reason: "case 9" }] });
    expect(await kept("events", log, 1_300)).toBe(800);
    expect(await verdictOf(log)).toMatchObject(good);
    await releaseHold(scopeOf(log), id, "closed");
    expect((await run({ organizationId: log })).logs).toMatchObject([{ removed: 800 }]);
  });
});

describe("who may", () => {
  test("the login for retention removes by the rules and can do nothing else", async () => {
    for (const sql of [
      "UPDATE events SET action = 'x'",
      "INSERT INTO checkpoints VALUES ('o', 'o', 1, '', '')",
      "DELETE FROM legal_holds",
      "UPDATE legal_holds SET released_at = now()",
      "UPDATE organizations SET retention_days = 1",
      "DROP TABLE events",
    ])
      await expect(login.query(sql), sql).rejects.toMatchObject({ code: "42501" });
    await expect(db.app.query("SELECT drop_spent_partition('2020-01-01')")).rejects.toMatchObject({
      code: "42501",
    });
  });

  test("the owner does the same, from the command line", async () => {
    const log = await createTestLog(db);
    await appendAgo(log, 60, 20);
    await setPeriod(scopeOf(log), 30);
    const pool = await ownerPool();
    try {
      const report = await runRetention(pool, systemInstanceScope("cli"), { organizationId: log });
      expect(report.logs).toMatchObject([{ removed: 20, error: null }]);
    } finally {
      await pool.end();
    }
    expect((await listRuns(scopeOf(log))).runs).toMatchObject([{ startedBy: "cli", deleted: 20 }]);
  });

  test("a log that cannot be pruned keeps no other from it", async () => {
    const [damaged, sound] = [await createTestLog(db), await createTestLog(db)];
    for (const log of [damaged, sound]) {
      await appendAgo(log, 60, 20);
      await setPeriod(scopeOf(log), 30);
    }
    const client = await db.owner.connect();
    await client.query("ALTER TABLE events DISABLE TRIGGER USER");
    await client.query("DELETE FROM events WHERE organization_id = $1 AND seq = 5", [damaged]);
    await client.query("ALTER TABLE events ENABLE TRIGGER USER");
    client.release();
    const { logs } = await run();
    const of = (log: string) => logs.find(({ organizationId }) => organizationId === log);
    expect(of(damaged)).toMatchObject({ removed: 0, error: expect.stringContaining("missing") });
    expect(of(sound)).toMatchObject({ removed: 20, error: null });
    expect(await kept("events", damaged, 20)).toBe(19);
    await setPeriod(scopeOf(damaged), null);
  });

  test("a month is kept while a log needs it, whoever asks; and the present one always", async () => {
    const log = await createTestLog(db);
    await appendAgo(log, 400, 3);
    const drop = async (days: number) => {
      const month = new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 7);
      return (await login.query("SELECT drop_spent_partition($1) AS bytes", [`${month}-01`]))
        .rows[0].bytes;
    };
    expect(await drop(400)).toBeNull();
    expect(await drop(0)).toBeNull();
    expect(await kept("events", log)).toBe(3);
  });

  test("two runs at once are one", async () => {
    const log = await createTestLog(db);
    await appendAgo(log, 60, 1_100);
    await setPeriod(scopeOf(log), 30);
    let second: Promise<unknown> | undefined;
    await run({
      organizationId: log,
      onBatch: () => {
        second ??= run({ organizationId: log }).catch((error: Error) => error.message);
      },
    });
    expect(await second).toMatch(/Another retention run/);
  });
});
