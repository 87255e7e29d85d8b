import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import type { Scope } from "@/lib/auth/scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { getEnv } from "@/lib/env";
import { setRetention } from "@/lib/orgs/server/retention";
import { alertOnStreams, readStreamAlarms } from "./alarms";
import { append, newOrganization, plain } from "./delivery-fixtures";
import { createStream, getStream, resumeStream } from "./streams";

let db: TestDatabase;
let scope: Scope;
let id: string;

beforeAll(async () => {
  db = await testDatabase();
  Object.assign(getEnv(), { TRAILSEAL_ALERT_WEBHOOK: "https://alerts.example.com/hook" });
});
afterAll(() => db.close());
beforeEach(async () => {
  await db.owner.query("TRUNCATE alerts, dead_letters, stream_state, streams");
  scope = await newOrganization();
  const { stream } = await createStream(scope, {
    ...{ destination: "webhook", name: "SOC", from: "now", secrets: {} },
    config: { url: "https://siem.example.com/hook" },
  });
  id = stream.id;
});

const set = (changes: string) =>
  db.owner.query(`UPDATE stream_state SET ${changes} WHERE stream_id = $1`, [id]);
const failing = (state: string, since: string) =>
  set(`state = '${state}', failures = 3, first_failure_at = now() - interval '${since}',
    last_error = '{"code":"http_401","message":"It answered 401.","advice":"Replace the secret.","at":"","reply":null}'`);
const active = () => set("state = 'active', failures = 0, first_failure_at = NULL");

/** Kinds and titles of what was raised by looking twice: the second look finds nothing new. */
async function told(): Promise<string[]> {
  await Promise.all([alertOnStreams(), alertOnStreams()]);
  await alertOnStreams();
  const { rows } = await db.owner.query(
    "DELETE FROM alerts RETURNING kind, title, detail, path, organization_id",
  );
  for (const row of rows) {
    expect(row.path).toBe(`/o/${scope.organizationId}/integrity/streams/${id}`);
    expect(row.organization_id).toBe(scope.organizationId);
    expect(row.detail).not.toBe("");
  }
  return rows.map(({ kind, title }) => `${kind}: ${title}`);
}

it("an error is told at once, again after one, three and six days, and when it is over", async () => {
  expect(await told()).toEqual([]);
  await failing("error", "1 minute");
  expect(await told()).toEqual(["stream.failing: The stream “SOC” fails"]);
  expect(await readStreamAlarms(scope)).toEqual([
    { streamId: id, name: "SOC", kind: "failing", message: "It answered 401." },
  ]);
  for (const days of [1, 3, 6]) {
    await failing("error", `${days} days 1 minute`);
    expect(await told()).toEqual([`stream.failing: The stream “SOC” has failed for ${days} d`]);
  }
  await active();
  expect(await told()).toEqual(["stream.recovered: The stream “SOC” delivers again"]);
  expect(await readStreamAlarms(scope)).toEqual([]);
});

it("events that a receiver lost without saying which are told once a day", async () => {
  const lost = (at: string) =>
    set(
      `last_error = '${JSON.stringify({ code: "otlp_partial", message: "1 of 5.", advice: "Look.", at, reply: null })}'`,
    );
  const tale = "stream.loss: The stream “SOC” lost events at its receiver";
  await lost("2026-11-28T10:00:00.000Z");
  expect(await told()).toEqual([tale]);
  await lost("2026-11-28T23:00:00.000Z");
  expect(await told()).toEqual([]);
  await lost("2026-11-29T10:00:00.000Z");
  expect(await told()).toEqual([tale]);
});

it("what waiting may cure is told after a day only", async () => {
  await failing("degraded", "23 hours");
  expect(await told()).toEqual([]);
  await failing("degraded", "25 hours");
  expect(await told()).toHaveLength(1);
});

it("a stream that was switched off is told; resuming it is no recovery, delivering is", async () => {
  await failing("disabled", "7 days");
  expect(await told()).toEqual(["stream.disabled: The stream “SOC” is switched off"]);
  expect(await readStreamAlarms(scope)).toMatchObject([{ kind: "disabled" }]);
  await resumeStream(scope, id);
  expect(await told()).toEqual([]);
  await failing("error", "1 minute");
  expect(await told()).toHaveLength(1);
  await active();
  expect(await told()).toHaveLength(1);
});

const waiting = async (minutes: number) => {
  await db.owner.query("SELECT ensure_partitions(now() - $1 * interval '1 minute')", [minutes]);
  await db.owner.query("ALTER TABLE events DISABLE TRIGGER ALL");
  await db.owner.query(
    "UPDATE events SET recorded_at = now() - $2 * interval '1 minute' WHERE organization_id = $1",
    [scope.organizationId, minutes],
  );
  await db.owner.query("ALTER TABLE events ENABLE TRIGGER ALL");
};
const caughtUp = () => set("cursor_seq = 99");

it("lag is told once while it lasts, and when it is over", async () => {
  await append(scope, plain(2));
  await waiting(59);
  expect(await told()).toEqual([]);
  await waiting(61);
  expect(await told()).toEqual(["stream.lagging: The stream “SOC” lags"]);
  expect(await readStreamAlarms(scope)).toMatchObject([{ kind: "lagging" }]);
  await waiting(59);
  expect(await told()).toEqual([]);
  await caughtUp();
  expect(await told()).toEqual(["stream.recovered: The stream “SOC” has caught up"]);
  await set("cursor_seq = 1");
  await waiting(100);
  expect(await told()).toHaveLength(1);
  await db.owner.query("UPDATE streams SET lag_alert_minutes = 0");
  await caughtUp();
  await told();
  await set("cursor_seq = 1");
  expect(await told()).toEqual([]);
});

it("events that retention will come for before they are delivered are told, of paused streams too", async () => {
  await append(scope, plain(2));
  await set("state = 'paused'");
  await setRetention(scope, 30);
  await waiting(26 * 1_440);
  expect(await told()).toEqual([]);
  expect((await getStream(scope, id)).retentionEndsAt).not.toBeNull();
  await waiting(28 * 1_440);
  expect(await told()).toEqual(["stream.retention: The stream “SOC” holds back retention"]);
  expect(await readStreamAlarms(scope)).toMatchObject([{ kind: "retention" }]);
  await setRetention(scope, null);
  expect(await told()).toEqual([]);
  expect(await readStreamAlarms(scope)).toEqual([]);
  expect((await getStream(scope, id)).retentionEndsAt).toBeNull();
  await setRetention(scope, 1);
  await waiting(1);
  expect(await told()).toEqual([]);
});
