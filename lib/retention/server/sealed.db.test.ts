import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { retentionPool } from "@/lib/db/pool";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { getEnv } from "@/lib/env";
import { appendEvents, createTestLog, newEvent } from "@/lib/events/server/test-log";
import { readPolicy, setRetention } from "@/lib/orgs/server/retention";
import { eraseEvents } from "./erase";
import { listHolds, placeHold, releaseHold } from "./holds";
import { readRetentionOverview } from "./overview";
import { DAY_MS, planRetention } from "./plan";
import { pruneEvents, recordPruning } from "./prune";
import { retentionSuite } from "./test-retention";

/** What the app's login can do in the database by itself deletes nothing. */

let db: TestDatabase;
let login: pg.Pool;
beforeAll(async () => {
  db = await testDatabase();
  login = retentionPool() as pg.Pool;
});
afterEach(() => void vi.useRealTimers());
afterAll(() => db.close());

const { scopeOf, run, appendAgo, setPeriod, sealLongAgo, verdictOf, good, count, kept } =
  retentionSuite(() => ({ db, login }));

async function oldLog(): Promise<string> {
  const log = await createTestLog(db);
  await appendAgo(log, 100, 20);
  await appendAgo(log, 1, 20);
  return log;
}

test.each([
  ["before it is announced", (change: () => Promise<void>) => change().then(() => login)],
  [
    "just before it is recorded",
    async (change: () => Promise<void>) =>
      ({ connect: () => change().then(() => login.connect()) }) as pg.Pool,
  ],
])(
  "a policy that is changed %s keeps what the one before would have deleted",
  async (_, prepare) => {
    const log = await oldLog();
    await setPeriod(scopeOf(log), 30);
    const plan = await planRetention(scopeOf(log));
    expect(plan).toMatchObject({ state: "due", events: 20 });
    const pool = await prepare(() => setRetention(scopeOf(log), 365));
    const record = { before: new Date(plan.before as string), undelivered: "hold" as const };
    await expect(
      recordPruning(pool, scopeOf(log), plan, { ...record, policySeq: plan.sealedSeq }),
    ).rejects.toThrow("policy was changed");
    expect((await run({ organizationId: log })).logs).toMatchObject([{ removed: 0, error: null }]);
    expect(await kept("events", log, 40)).toBe(40);
    expect(await verdictOf(log)).toMatchObject(good);
  },
);

test("a log of which no plan can be made is told as passed over", async () => {
  const { logs, skipped } = await run({ organizationId: "org_none" });
  expect(logs).toEqual([]);
  expect(skipped).toMatchObject([{ organizationId: "org_none", error: expect.any(String) }]);
});

describe("a period", () => {
  test("that was put into the settings without an event deletes nothing; saved again, it counts from then on", async () => {
    const log = await oldLog();
    await db.app.query("UPDATE organizations SET retention_days = 30 WHERE id = $1", [log]);
    expect(await planRetention(scopeOf(log))).toMatchObject({ state: "refused", events: 0 });
    const { logs } = await run({ organizationId: log });
    expect(logs).toMatchObject([
      { removed: 0, error: expect.stringContaining("no event of it is in the log") },
    ]);
    await setRetention(scopeOf(log), 30);
    expect(await planRetention(scopeOf(log))).toMatchObject({ state: "nothing", since: null });
    await sealLongAgo(log);
    expect((await run({ organizationId: log })).logs).toMatchObject([{ removed: 20, error: null }]);
    expect(await verdictOf(log)).toMatchObject(good);
  });

  test.each([
    ["shorter", "retention_days = 10", "says 60 days"],
    ["the default's", "retention_days = NULL", "says 60 days"],
    ["not waiting for streams", "retention_undelivered = 'delete'", "do not wait for streams"],
  ])("that was made %s than its event says deletes nothing", async (_, change, words) => {
    const log = await oldLog();
    await setPeriod(scopeOf(log), 60);
    expect(await planRetention(scopeOf(log))).toMatchObject({ state: "due", events: 20 });
    await db.app.query(`UPDATE organizations SET ${change} WHERE id = $1`, [log]);
    expect((await run({ organizationId: log })).logs).toMatchObject([
      { state: "refused", removed: 0, error: expect.stringContaining(words) },
    ]);
    expect(await readRetentionOverview(scopeOf(log))).toMatchObject({
      state: "refused",
      next: null,
    });
    expect(await kept("events", log, 20)).toBe(20);
  });

  test("whose event is a row that nobody sealed deletes nothing", async () => {
    const log = await oldLog();
    await setPeriod(scopeOf(log), 365);
    await appendEvents(log, [newEvent({}), newEvent({})]);
    await sealLongAgo(log);
    // Another month has room for a second row of a number that is signed.
    await db.app.query(
      `INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, actor, targets, metadata, salts, chain_hash)
       SELECT organization_id, seq, now() - interval '50 days', occurred_at, version, id, 'trailseal.retention_changed', actor, targets,
         '{"days":"30","undelivered":"hold"}', salts, chain_hash
       FROM events WHERE organization_id = $1 ORDER BY seq DESC LIMIT 1 OFFSET 1`,
      [log],
    );
    await db.app.query("UPDATE organizations SET retention_days = 30 WHERE id = $1", [log]);
    const { logs } = await run({ organizationId: log });
    expect(logs).toMatchObject([
      { state: "due", removed: 0, error: expect.stringContaining("not sealed") },
    ]);
    expect(await kept("events", log, 20)).toBe(20);
  });

  test("outlives its event: what deletes that repeats it", async () => {
    const log = await createTestLog(db);
    await appendAgo(log, 100, 10);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() - 100 * DAY_MS });
    await setRetention(scopeOf(log), 30);
    vi.useRealTimers();
    await sealLongAgo(log);
    await appendAgo(log, 60, 10);
    await appendAgo(log, 1, 5);
    expect(await pruneEvents(scopeOf(log), new Date(Date.now() - 80 * DAY_MS))).toMatchObject({
      size: 11,
    });
    const changes = "SELECT count(*) FROM events WHERE organization_id = $1 AND action = $2";
    expect(await count(changes, log, "trailseal.retention_changed")).toBe(0);
    expect(await readPolicy(scopeOf(log))).toMatchObject({
      days: 30,
      since: "2020-01-01T00:00:00.000Z",
      contradiction: null,
    });
    await db.app.query("UPDATE organizations SET retention_days = 5 WHERE id = $1", [log]);
    expect(await planRetention(scopeOf(log))).toMatchObject({ state: "refused" });
    await db.app.query("UPDATE organizations SET retention_days = 30 WHERE id = $1", [log]);
    expect((await run({ organizationId: log })).logs).toMatchObject([{ removed: 10, error: null }]);
    expect(await verdictOf(log)).toMatchObject(good);
  });

  test("deletes only what was received before, whatever rows are put behind it", async () => {
    const log = await oldLog();
    await setPeriod(scopeOf(log), 60);
    await db.app.query("SELECT ensure_partitions(now() - interval '90 days')");
    // More rows of long ago than the log has: halving is led past the young ones.
    await db.app.query(
      `INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, targets, salts, chain_hash)
       SELECT $1, n, now() - interval '90 days', now(), 1, 'forged_' || n, 'a', '[]', '', ''
       FROM generate_series(41, 200) AS n`,
      [log],
    );
    await db.app.query("UPDATE log_heads SET next_seq = 201 WHERE organization_id = $1", [log]);
    expect((await planRetention(scopeOf(log))).events).toBeGreaterThan(20);
    const { logs } = await run({ organizationId: log });
    expect(logs).toMatchObject([
      { removed: 0, error: expect.stringContaining("#20 was received later") },
    ]);
    expect(await kept("events", log)).toBe(201);
  });
});

test.each([
  ["ahead of", 30 * DAY_MS],
  ["behind", -60_000],
])("a clock %s the database's deletes nothing", async (_, byMs) => {
  const log = await oldLog();
  await setPeriod(scopeOf(log), 60);
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + byMs });
  expect((await run({ organizationId: log })).logs).toMatchObject([
    { state: "refused", removed: 0, error: expect.stringContaining("differ by") },
  ]);
  vi.useRealTimers();
  expect((await run({ organizationId: log })).logs).toMatchObject([{ removed: 20, error: null }]);
});

test("a clock that lies behind what was sealed deletes nothing, though the database's lies there, too", async () => {
  const log = await oldLog();
  await setPeriod(scopeOf(log), 60);
  await appendAgo(log, -1, 1);
  expect((await run({ organizationId: log })).logs).toMatchObject([
    { state: "refused", removed: 0, error: expect.stringContaining("newest event was received") },
  ]);
});

describe("the instance's default", () => {
  afterEach(() => void delete getEnv().TRAILSEAL_RETENTION_DAYS);

  test("deletes nothing before the grace period after the log was told of it, and of every change of it", async () => {
    const log = await oldLog();
    getEnv().TRAILSEAL_RETENTION_DAYS = 60;
    const told = async () => {
      const { rows } = await db.owner.query(
        `SELECT metadata ->> 'default_days' AS days, actor_id FROM events
         WHERE organization_id = $1 AND action = 'trailseal.retention_changed' ORDER BY seq`,
        [log],
      );
      return rows;
    };
    expect(await planRetention(scopeOf(log))).toMatchObject({ state: "nothing", since: null });
    for (const _ of ["first", "second"])
      expect((await run({ organizationId: log })).logs).toMatchObject([
        { state: "nothing", removed: 0, error: null },
      ]);
    expect(await told()).toEqual([{ days: "60", actor_id: "worker" }]);
    await sealLongAgo(log);
    getEnv().TRAILSEAL_RETENTION_DAYS = 50;
    expect((await run({ organizationId: log })).logs).toMatchObject([{ state: "nothing" }]);
    expect((await told()).map(({ days }) => days)).toEqual(["60", "50"]);
    await sealLongAgo(log);
    expect((await run({ organizationId: log })).logs).toMatchObject([{ removed: 20, error: null }]);
    expect(await verdictOf(log)).toMatchObject(good);
  });
});

describe("a hold", () => {
  test.each([
    ["released", "UPDATE legal_holds SET released_at = now() WHERE organization_id = $1"],
    ["removed", "DELETE FROM legal_holds WHERE organization_id = $1"],
  ])("that was %s without an event stays open until it is released with one", async (_, sql) => {
    const log = await oldLog();
    await setPeriod(scopeOf(log), 60);
    const { id } = await placeHold(scopeOf(log), "case 7");
    await db.app.query(sql, [log]);
    expect((await run({ organizationId: log })).logs).toMatchObject([
      { state: "held", removed: 0, holds: [{ id, reason: "case 7", isOnlySealed: true }] },
    ]);
    await expect(pruneEvents(scopeOf(log), new Date())).rejects.toThrow("no event of that");
    const erasure = { actor: "user_1", context: true, metadata: false, reason: "request" };
    await expect(eraseEvents(scopeOf(log), erasure)).rejects.toThrow("case 7");
    await releaseHold(scopeOf(log), id, "closed");
    expect((await listHolds(scopeOf(log))).filter(({ releasedAt }) => !releasedAt)).toEqual([]);
    expect((await run({ organizationId: log })).logs).toMatchObject([{ removed: 20, error: null }]);
    expect(await verdictOf(log)).toMatchObject(good);
  });

  test("whose release is a row that nobody sealed lets nothing go", async () => {
    const log = await oldLog();
    await setPeriod(scopeOf(log), 60);
    const { id } = await placeHold(scopeOf(log), "case 8");
    await appendEvents(log, [newEvent({}), newEvent({})]);
    await sealLongAgo(log);
    await db.app.query(
      `INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, actor, targets, salts, chain_hash)
       SELECT organization_id, seq, now() - interval '50 days', occurred_at, version, id, 'trailseal.hold_released', actor,
         jsonb_build_array(jsonb_build_object('type', 'legal_hold', 'id', $2::text)), salts, chain_hash
       FROM events WHERE organization_id = $1 ORDER BY seq DESC LIMIT 1 OFFSET 1`,
      [log, id],
    );
    await db.app.query("DELETE FROM legal_holds WHERE organization_id = $1", [log]);
    expect((await run({ organizationId: log })).logs).toMatchObject([
      { removed: 0, error: expect.stringContaining("not sealed") },
    ]);
    expect(await kept("events", log, 20)).toBe(20);
  });
});
