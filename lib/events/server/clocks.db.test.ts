import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { readClocks } from "./clocks";
import { appendEvents, createTestLog, newEvent } from "./test-log";

const realNow = Date.now;
const shiftClock = (byMs: number) =>
  vi.spyOn(Date, "now").mockImplementation(() => realNow() + byMs);

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});

afterEach(() => vi.restoreAllMocks());
afterAll(() => db.close());

describe("readClocks", () => {
  test("while the clocks agree nothing is ahead, with events and without", async () => {
    const log = await createTestLog(db);
    const scope = systemScope("cli", log);
    const empty = await readClocks(scope);
    expect(empty).toMatchObject({ lastRecordedAt: null, recordedAheadMs: 0 });
    await appendEvents(log, [newEvent({})]);
    const clocks = await readClocks(scope);
    expect(clocks.recordedAheadMs).toBe(0);
    // Two processes read the same clock some moments apart.
    for (const { databaseAheadMs } of [empty, clocks])
      expect(Math.abs(databaseAheadMs)).toBeLessThan(1_000);
  });

  test("after the clock stepped back, the page says how far recorded_at stands ahead", async () => {
    const log = await createTestLog(db);
    const scope = systemScope("cli", log);
    shiftClock(600_000);
    await appendEvents(log, [newEvent({})]);
    vi.restoreAllMocks();
    const stoodAt = async () =>
      (
        await db.owner.query(
          "SELECT last_recorded_at AS at FROM log_heads WHERE organization_id = $1",
          [log],
        )
      ).rows[0].at as Date;
    const before = await stoodAt();

    const clocks = await readClocks(scope);
    expect(clocks.lastRecordedAt).toBe(before.toISOString());
    expect(clocks.recordedAheadMs).toBeGreaterThan(590_000);
    expect(clocks.recordedAheadMs).toBeLessThanOrEqual(600_000);
    expect(Math.abs(clocks.databaseAheadMs)).toBeLessThan(1_000);

    // Events go on; their received time stands still, and the distance shrinks with the clock.
    await appendEvents(log, [newEvent({})]);
    expect(await stoodAt()).toEqual(before);
    shiftClock(599_000);
    expect((await readClocks(scope)).recordedAheadMs).toBeLessThanOrEqual(1_000);
  });

  test("a server's clock that differs from the database's is told by how much and which way", async () => {
    const scope = systemScope("cli", await createTestLog(db));
    shiftClock(60_000);
    const behind = (await readClocks(scope)).databaseAheadMs;
    expect(behind).toBeLessThan(-55_000);
    // Date.now() leaves out what the database tells: parts of a millisecond.
    expect(behind).toBeGreaterThanOrEqual(-60_001);
    shiftClock(-60_000);
    const ahead = (await readClocks(scope)).databaseAheadMs;
    expect(ahead).toBeGreaterThan(55_000);
    expect(ahead).toBeLessThanOrEqual(60_001);
  });
});
