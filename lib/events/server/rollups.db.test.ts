import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { closePools } from "@/lib/db/pool";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { followRollups } from "./rollups";
import { appendEvents, createTestLog, newEvent, testEvents } from "./test-log";

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});

afterAll(() => db.close());

const hourly = async (log: string) =>
  (
    await db.owner.query(
      `SELECT to_char(hour AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS hour, events::int
       FROM rollup_hourly WHERE organization_id = $1 ORDER BY 1`,
      [log],
    )
  ).rows;
const daily = async (log: string) =>
  (
    await db.owner.query(
      `SELECT day::text, action, events::int FROM rollup_actions_daily
       WHERE organization_id = $1 ORDER BY 1, 2`,
      [log],
    )
  ).rows;

describe("followRollups", () => {
  test("events are counted by the hour and the day they occurred in, in UTC", async () => {
    const log = await createTestLog(db);
    const at = (occurredAt: string, action = "a") => newEvent({ occurredAt, action });
    await appendEvents(log, [
      at("2026-01-01T23:59:59.999Z"),
      at("2026-01-02T00:00:00.000Z"),
      at("2026-01-02T00:59:59.999Z", "b"),
      at("0099-03-04T05:06:07.008Z"),
    ]);
    // Whatever zone the sessions are in: those that open from now on are half an hour off.
    await closePools();
    const { rows } = await db.owner.query("SELECT current_database() AS name");
    await db.owner.query(`ALTER DATABASE ${rows[0].name} SET timezone = 'Asia/Kolkata'`);
    expect(await followRollups(log)).toBe(4);
    expect(await hourly(log)).toEqual([
      { hour: "0099-03-04 05:00", events: 1 },
      { hour: "2026-01-01 23:00", events: 1 },
      { hour: "2026-01-02 00:00", events: 2 },
    ]);
    expect(await daily(log)).toEqual([
      { day: "0099-03-04", action: "a", events: 1 },
      { day: "2026-01-01", action: "a", events: 1 },
      { day: "2026-01-02", action: "a", events: 1 },
      { day: "2026-01-02", action: "b", events: 1 },
    ]);
    expect(await followRollups(log)).toBe(0);
  });

  test("followers at once, while events arrive, count every event once", async () => {
    const log = await createTestLog(db);
    const writing = appendEvents(log, testEvents(6_000));
    const rounds = async () => {
      for (let round = 0; round < 10; round += 1) await followRollups(log);
    };
    await Promise.all([rounds(), rounds(), rounds(), writing]);
    await Promise.all([followRollups(log), followRollups(log)]);

    const { rows } = await db.owner.query(
      `SELECT to_char(date_trunc('hour', occurred_at, 'UTC') AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS hour,
         count(*)::int AS events
       FROM events WHERE organization_id = $1 GROUP BY 1 ORDER BY 1`,
      [log],
    );
    expect(await hourly(log)).toEqual(rows);
    const total = (await daily(log)).reduce((sum, { events }) => sum + events, 0);
    expect(total).toBe(6_000);
  });

  test("another organization's events are not counted", async () => {
    const [one, other] = [await createTestLog(db), await createTestLog(db)];
    await appendEvents(one, testEvents(10));
    await appendEvents(other, testEvents(7));
    await followRollups(one);
    expect(await hourly(other)).toEqual([]);
    expect(await followRollups("org_unknown")).toBe(0);
  });
});
