import type pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { sha256 } from "@/lib/chain/sha256";
import { retentionPool } from "@/lib/db/pool";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { appendEvents, createTestLog, newEvent } from "@/lib/events/server/test-log";
import { verifyLog } from "@/lib/integrity/server/verify";
import { readPolicy, setRetention } from "@/lib/orgs/server/retention";
import { listRuns, readRetentionOverview } from "./overview";
import { DAY_MS, planRetention } from "./plan";
import { recordPruning } from "./prune";
import { dropSpentPartitions } from "./remove";
import { retentionSuite } from "./test-retention";

let db: TestDatabase;
let login: pg.Pool;
beforeAll(async () => {
  db = await testDatabase();
  login = retentionPool() as pg.Pool;
});
afterEach(() => void vi.useRealTimers());
afterAll(() => db.close());

const { scopeOf, run, appendAgo, setPeriod, follow, verdictOf, good, kept } = retentionSuite(
  () => ({ db, login }),
);

test("a period changes while events arrive: neither waits for the other in a circle", async () => {
  const log = await createTestLog(db);
  const turns = Array.from({ length: 40 }, (_, turn) => turn);
  const changes = turns.map((turn) => setRetention(scopeOf(log), 30 + turn));
  const appends = turns.map(() => appendEvents(log, [newEvent({})]));
  await Promise.all([...changes, ...appends]);
  expect(await kept("events", log, 200)).toBe(80);
});

test("a row put below a beginning whose events are all gone is a finding, whatever hash it names", async () => {
  const log = await createTestLog(db);
  await appendAgo(log, 100, 20);
  await appendAgo(log, 1, 5);
  await setPeriod(scopeOf(log), 30);
  await run({ organizationId: log });
  expect(await verdictOf(log)).toMatchObject(good);
  await db.owner.query(
    `INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, actor, targets, salts, chain_hash)
     SELECT e.organization_id, p.prune_size - 1, e.recorded_at, e.occurred_at, 1, 'audit_event_0', e.action, e.actor, '[]',
       e.salts, p.chain_hash
     FROM events e JOIN prunes p ON p.organization_id = e.organization_id
     WHERE e.organization_id = $1 ORDER BY e.seq LIMIT 1`,
    [log],
  );
  expect(await verifyLog(scopeOf(log))).toMatchObject({ ok: false, kind: "inserted_row" });
});

test("a month stays while a log has older rows that are still to go: what is left of it has no gap", async () => {
  const [old, log] = [await createTestLog(db), await createTestLog(db)];
  await appendAgo(old, 160, 3);
  await appendAgo(log, 160, 10);
  await appendAgo(log, 120, 10);
  await appendAgo(log, 1, 5);
  await setPeriod(scopeOf(log), 30);
  const plan = await planRetention(scopeOf(log));
  await follow(log);
  const record = { before: new Date(plan.before as string), undelivered: "hold" as const };
  await recordPruning(login, scopeOf(log), plan, record);
  await dropSpentPartitions(login);
  expect(await kept("events", log, 20)).toBe(20);
  expect(await verdictOf(log)).toMatchObject(good);
  await run({ organizationId: log });
  expect(await kept("events", log, 20)).toBe(0);
  expect(await kept("events", old)).toBe(3);
  expect(await verdictOf(log)).toMatchObject(good);
});

test("an event that was stored under an announcement's key is no announcement: nothing goes", async () => {
  const log = await createTestLog(db);
  await appendAgo(log, 100, 10);
  await setPeriod(scopeOf(log), 30);
  const { size } = await planRetention(scopeOf(log));
  await db.owner.query(
    `INSERT INTO idempotency_keys (organization_id, key_hash, seq, source) VALUES ($1, $2, 3, 'import')`,
    [log, sha256(`pruned ${log} ${size} 10`)],
  );
  const { logs } = await run({ organizationId: log });
  expect(logs).toMatchObject([{ removed: 0, error: expect.stringContaining("#3 stands where") }]);
  expect(await kept("events", log, size)).toBe(size);
});

describe("the policy", () => {
  test("deletes nothing before the grace period after it was set has passed", async () => {
    const log = await createTestLog(db);
    await appendAgo(log, 100, 5);
    await setRetention(scopeOf(log), 30);
    await run({ organizationId: log });
    expect(await kept("events", log)).toBe(6);
    const { next } = await readRetentionOverview(scopeOf(log));
    const waited = Date.parse(next?.at ?? "") - Date.now();
    expect(waited).toBeGreaterThan(6 * DAY_MS);
    expect(waited).toBeLessThan(9 * DAY_MS);
    await setPeriod(scopeOf(log), 31);
    await run({ organizationId: log });
    expect(await kept("events", log)).toBeLessThan(5);
  });

  test("is the organization's, else the instance's; each change is in the log, and no change is not", async () => {
    const log = await createTestLog(db);
    expect(await readPolicy(scopeOf(log))).toMatchObject({ days: null, source: "none" });
    await setRetention(scopeOf(log), 90);
    await setRetention(scopeOf(log), 90);
    await setRetention(scopeOf(log), 90, "delete");
    await setRetention(scopeOf(log), null);
    expect(await readPolicy(scopeOf(log))).toMatchObject({ days: null, undelivered: "delete" });
    const { rows } = await db.owner.query(
      `SELECT metadata FROM events WHERE organization_id = $1 AND action = 'trailseal.retention_changed' ORDER BY seq`,
      [log],
    );
    expect(
      rows.map(({ metadata }) => [metadata.days_before, metadata.days, metadata.undelivered]),
    ).toEqual([
      ["default", "90", "hold"],
      ["90", "90", "delete"],
      ["90", "default", "delete"],
    ]);
  });

  test("a stream that has not delivered holds events back, or does not; that is kept with the deletion", async () => {
    const log = await createTestLog(db);
    await appendAgo(log, 60, 20);
    await appendAgo(log, 0, 5);
    await setPeriod(scopeOf(log), 30);
    await db.owner.query(
      `INSERT INTO streams (organization_id, id, name, destination, config) VALUES ($1, 's', 'SOC', 'webhook', '{}')`,
      [log],
    );
    await db.owner.query(
      "INSERT INTO stream_state (organization_id, stream_id, state, cursor_seq) VALUES ($1, 's', 'paused', 3)",
      [log],
    );
    expect((await run({ organizationId: log })).logs).toMatchObject([
      { state: "behind", behind: ["SOC"], removed: 0 },
    ]);
    expect(await kept("events", log, 20)).toBe(20);
    await setPeriod(scopeOf(log), 30, "delete");
    expect((await run({ organizationId: log })).logs).toMatchObject([
      { state: "due", removed: 20 },
    ]);
    expect((await listRuns(scopeOf(log))).runs).toMatchObject([
      { undelivered: ["SOC"], deleted: 20 },
    ]);
    expect(await verdictOf(log)).toMatchObject(good);
  });

  test("holds for a deleted organization's events too", async () => {
    const log = await createTestLog(db);
    await appendAgo(log, 60, 20);
    await setPeriod(scopeOf(log), 30);
    await db.owner.query("UPDATE organizations SET deleted_at = now() WHERE id = $1", [log]);
    expect((await run({ organizationId: log })).logs).toMatchObject([{ removed: 20, error: null }]);
    expect(await verdictOf(log)).toMatchObject(good);
  });

  test("says when the next deletion is, and of how many", async () => {
    const log = await createTestLog(db);
    await appendAgo(log, 20, 7);
    await appendAgo(log, 1, 2);
    await setPeriod(scopeOf(log), 30);
    const { state, next } = await readRetentionOverview(scopeOf(log));
    expect(state).toBe("nothing");
    expect(next?.events).toBe(7);
    vi.useFakeTimers({ toFake: ["Date"], now: new Date(Date.parse(next?.at as string) - 1) });
    expect(await planRetention(scopeOf(log))).toMatchObject({ events: 0 });
    vi.setSystemTime(new Date(next?.at as string));
    expect(await planRetention(scopeOf(log))).toMatchObject({ events: 7 });
  });
});
