import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { followTiles } from "@/lib/chain/server/tiles";
import { closePools } from "@/lib/db/pool";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { followRollups } from "@/lib/events/server/rollups";
import { appendEvents, createTestLog, newEvent, testEvents } from "@/lib/events/server/test-log";
import { type VerificationProgress, verdictSchema } from "../schema";
import { verifyLog } from "./verify";

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});

afterAll(() => db.close());

const scope = (log: string) => systemScope("worker", log);

describe("verifyLog", () => {
  test("a log without events is not verified: nothing was checked", async () => {
    const log = await createTestLog(db);
    const verdict = verdictSchema.parse(await verifyLog(scope(log)));
    expect(verdict).toMatchObject({ ok: false, kind: "nothing_checked", checked: 0 });
  });

  test("a log that never was is missing", async () => {
    expect(await verifyLog(scope("org_unknown"))).toMatchObject({
      ok: false,
      kind: "missing_log",
      first_bad_seq: 0,
    });
  });

  test("events of every shape that ingest takes verify, with and without followers", async () => {
    const log = await createTestLog(db);
    const target = { type: "doc", id: "d\\1\t", name: "twice" };
    await appendEvents(log, [
      newEvent({ targets: [target, { ...target, name: "other" }, { type: "doc", id: "2" }] }),
      newEvent({ occurredAt: "0001-01-01T00:00:00.000Z", context: {} }),
      newEvent({ occurredAt: "9999-12-31T23:59:59.999Z", metadata: {} }),
      newEvent({ occurredAt: "1970-01-01T00:00:00.000Z", context: { location: "2001:DB8:0::1" } }),
      newEvent({ context: { location: "::ffff:192.0.2.1", user_agent: "ü\u2028" } }),
      newEvent({ context: { location: "fe80::1%eth0" } }),
      newEvent({ context: { location: "10.0.0.0/8" } }),
      newEvent({ context: { location: "Zürich, CH" } }),
      newEvent({ metadata: { n: 1e21, tiny: 5e-324, minus: -0, "": null, list: [1.5, [], {}] } }),
      newEvent({ actor: { type: "user", id: "u", name: "", metadata: { a: { b: ["😀"] } } } }),
      newEvent({ targets: Array.from({ length: 12 }, (_, at) => ({ type: "t", id: `${at}` })) }),
    ]);
    const expected = { ok: true, checked: 11, findings: [] };
    expect(await verifyLog(scope(log))).toMatchObject(expected);
    await followTiles(log);
    await followRollups(log);
    expect(await verifyLog(scope(log))).toMatchObject(expected);
  });

  test("whatever the role's text formats are", async () => {
    const log = await createTestLog(db);
    await appendEvents(log, testEvents(20));
    await followRollups(log);
    await closePools();
    const { rows } = await db.owner.query("SELECT current_database() AS name");
    for (const setting of [
      "timezone = 'Asia/Kolkata'",
      "datestyle = 'German, DMY'",
      "bytea_output = 'escape'",
    ]) {
      await db.owner.query(`ALTER DATABASE ${rows[0].name} SET ${setting}`);
    }
    expect(await verifyLog(scope(log))).toMatchObject({ ok: true, checked: 20 });
  });

  test("events that arrive, are followed and counted meanwhile are no damage", async () => {
    const log = await createTestLog(db);
    await appendEvents(log, testEvents(500));
    let writing = true;
    const write = async () => {
      for (let round = 0; writing; round += 1) {
        await appendEvents(log, testEvents(100, round));
        await followTiles(log);
        await followRollups(log);
      }
    };
    const writer = write();
    let checked = 0;
    for (let round = 0; round < 12; round += 1) {
      const verdict = await verifyLog(scope(log));
      expect(verdict).toMatchObject({ ok: true, findings: [] });
      expect(verdict.checked).toBe(verdict.next_seq);
      expect(verdict.checked).toBeGreaterThanOrEqual(checked);
      checked = verdict.checked;
      await sleep(20);
    }
    writing = false;
    await writer;
    expect(checked).toBeGreaterThan(500);
  });

  test("a log of several windows reports its progress and can be aborted", async () => {
    const log = await createTestLog(db);
    await appendEvents(log, testEvents(20_000));
    await followTiles(log);
    const reports: VerificationProgress[] = [];
    const verdict = await verifyLog(scope(log), { onProgress: (report) => reports.push(report) });
    expect(verdict).toMatchObject({ ok: true, checked: 20_000, last_seq: 19_999 });
    expect(reports.at(-1)).toMatchObject({ checked: 20_000, total: 20_000, eta_s: 0 });
    expect(reports.length).toBeGreaterThanOrEqual(Math.floor(verdict.duration_ms / 250));

    const controller = new AbortController();
    const aborted = verifyLog(scope(log), {
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("stop")),
    });
    await expect(aborted).rejects.toThrow("stop");
    expect(await verifyLog(scope(log))).toMatchObject({ ok: true });
  });

  test("another organization's events are not looked at", async () => {
    const [log, other] = [await createTestLog(db), await createTestLog(db)];
    await appendEvents(log, testEvents(10));
    await appendEvents(other, testEvents(30));
    await db.owner.query("ALTER TABLE events DISABLE TRIGGER ALL");
    await db.owner.query("UPDATE events SET version = 7 WHERE organization_id = $1", [other]);
    await db.owner.query("ALTER TABLE events ENABLE TRIGGER ALL");
    expect(await verifyLog(scope(log))).toMatchObject({ ok: true, checked: 10 });
    expect(await verifyLog(scope(other))).toMatchObject({ ok: false });
  });
});
