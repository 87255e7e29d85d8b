import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Receiver, startReceiver } from "@/e2e/fixtures/receiver";
import type { Scope } from "@/lib/auth/scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { newId } from "@/lib/ids";
import { listAttempts, readHalfHours } from "./attempts";
import { moveCursor } from "./cursor";
import { listDeadLetters, redrive } from "./dead-letters";
import {
  addStream,
  append,
  drained,
  newOrganization,
  plain,
  received,
  TOKEN,
  until,
  whileDelivering,
} from "./delivery-fixtures";
import { eventDeliveries } from "./event-deliveries";
import { readLanes, startBackfill } from "./lanes";
import { deleteStream, getStream, pauseStream, resumeStream } from "./streams";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

let db: TestDatabase;
let receiver: Receiver;
const directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-lanes-"));

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(async () => {
  await db.close();
  fs.rmSync(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  receiver = await startReceiver({
    file: path.join(directory, `${newId("job")}.ndjson`),
    token: TOKEN,
  });
});
afterEach(() => receiver.close());

const laneOf = async (scope: Scope, id: string, lane: string) =>
  (await readLanes(scope, id)).find((known) => known.id === lane);
const finished = (scope: Scope, id: string, lane: string) =>
  until("the end of the job", async () => (await laneOf(scope, id, lane))?.state === "finished");
const seqsBy = (mark: string) =>
  receiver
    .stored()
    .filter(({ deliveryId }) => deliveryId?.includes(mark))
    .map(({ seq }) => seq);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + at);

describe("a backfill", () => {
  it("sends its range once more, in order, and ends by itself; the live cursor stays", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook");
    await append(scope, plain(1_300));
    await whileDelivering(async () => {
      await drained(scope, id);
      const { cursorSeq } = await getStream(scope, id);
      const lane = await startBackfill(scope, { id, fromSeq: 100, toSeq: 1_250 });
      await finished(scope, id, lane.id);
      expect(seqsBy(lane.id.slice(5))).toEqual(range(100, 1_250));
      expect(await laneOf(scope, id, lane.id)).toMatchObject({
        cursorSeq: 1_250,
        delivered: 1_150,
      });
      expect((await getStream(scope, id)).cursorSeq).toBeGreaterThanOrEqual(cursorSeq);
    });
    const live = await getStream(scope, id);
    expect(live.delivered).toBe(live.cursorSeq - 1);
  });

  it("keeps to its rate while live events pass it by", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook");
    await append(scope, plain(60));
    await whileDelivering(async () => {
      await drained(scope, id);
      const started = Date.now();
      const lane = await startBackfill(scope, { id, fromSeq: 1, toSeq: 61, ratePerSecond: 20 });
      await until("its first events", async () => seqsBy(lane.id.slice(5)).length > 0);
      await append(scope, ["user.late"]);
      await until("the late one", async () =>
        receiver.stored().some(({ action }) => action === "user.late"),
      );
      expect(seqsBy(lane.id.slice(5)).length).toBeLessThan(60);
      await finished(scope, id, lane.id);
      // The last of three requests need not wait for its own second.
      expect(Date.now() - started).toBeGreaterThan(1_900);
    });
  });

  it("a pause of the stream holds it, the end of the pause lets it go on, deletion ends it", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook");
    await append(scope, plain(40));
    await whileDelivering(async () => {
      await drained(scope, id);
      const lane = await startBackfill(scope, { id, fromSeq: 1, toSeq: 41, ratePerSecond: 10 });
      await until("its first events", async () => seqsBy(lane.id.slice(5)).length > 0);
      await pauseStream(scope, id);
      await until("its last request", async () => {
        const before = receiver.requests();
        await new Promise((resolve) => setTimeout(resolve, 1_300));
        return receiver.requests() === before;
      });
      expect(await laneOf(scope, id, lane.id)).toMatchObject({ state: "paused" });
      expect(seqsBy(lane.id.slice(5)).length).toBeLessThan(40);
      await resumeStream(scope, id);
      await finished(scope, id, lane.id);
      expect(seqsBy(lane.id.slice(5))).toEqual(range(1, 41));
      const other = await startBackfill(scope, { id, fromSeq: 1, toSeq: 41, ratePerSecond: 1 });
      await deleteStream(scope, id);
      expect(await laneOf(scope, id, other.id)).toMatchObject({ state: "disabled" });
    });
    expect(receiver.stored().length).toBeLessThan(40 * 3);
  });

  it("whose range was deleted says so, and sends what is left of it", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook");
    await append(scope, plain(30));
    const lane = await startBackfill(scope, { id, fromSeq: 2, toSeq: 25 });
    const none = await startBackfill(scope, { id, fromSeq: 2, toSeq: 9 });
    await db.owner.query("UPDATE stream_state SET cursor_seq = 31 WHERE lane = 'live'");
    await db.owner.query("UPDATE log_heads SET first_seq = 20 WHERE organization_id = $1", [
      scope.organizationId,
    ]);
    await whileDelivering(async () => {
      await finished(scope, id, lane.id);
      await finished(scope, id, none.id);
    });
    expect(seqsBy(lane.id.slice(5))).toEqual(range(20, 25));
    const { lastError } = (await laneOf(scope, id, lane.id)) ?? {};
    expect(lastError?.message).toContain("#2 to #19 were deleted by retention");
    expect(await laneOf(scope, id, none.id)).toMatchObject({ cursorSeq: 9, delivered: 0 });
  });
});

it.each(["webhook", "splunk"] as const)(
  "%s: a redrive delivers what was set aside, in order; what is refused again stays, with the new reason",
  async (destination) => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, destination);
    const actions = plain(50);
    for (const bad of [4, 5, 20, 44]) actions[bad - 1] = "poison";
    await append(scope, actions);
    receiver.setFault({ mode: "poison", action: "poison" });
    await whileDelivering(async () => {
      await drained(scope, id);
      expect((await getStream(scope, id)).deadLetters).toBe(4);
      receiver.setFault({ mode: "poison", action: "nothing" });
      const first = await redrive(scope, { id, seqs: [4, 20] });
      await finished(scope, id, first.id);
      expect((await listDeadLetters(scope, id)).map(({ seq }) => seq)).toEqual([44, 5]);
      const poison = receiver.stored().filter(({ action }) => action === "poison");
      expect(poison.map(({ seq }) => seq)).toEqual([4, 20]);
      receiver.setFault({ mode: "poison", action: "poison" });
      const again = await redrive(scope, { id });
      await finished(scope, id, again.id);
    });
    const letters = await listDeadLetters(scope, id);
    expect(letters.map(({ seq, lane }) => [seq, lane])).toEqual([
      [44, null],
      [5, null],
    ]);
    const [cured] = await eventDeliveries(scope, 20);
    expect(cured).toMatchObject({
      state: "delivered",
      attempt: { outcome: "delivered", events: 2 },
    });
    const [refused] = await eventDeliveries(scope, 44);
    expect(refused).toMatchObject({ state: "set_aside", attempt: { events: 1 } });
    const [between] = await eventDeliveries(scope, 10);
    expect(between?.attempt?.lane).toBe("live");
  },
);

it("what was set aside and then deleted is said of each event, and waits for nothing", async () => {
  const scope = await newOrganization();
  const id = await addStream(receiver, scope, "webhook");
  const actions = plain(20);
  for (const bad of [4, 15]) actions[bad - 1] = "poison";
  await append(scope, actions);
  receiver.setFault({ mode: "poison", action: "poison" });
  await whileDelivering(async () => {
    await drained(scope, id);
    await db.owner.query("ALTER TABLE events DISABLE TRIGGER ALL");
    await db.owner.query("DELETE FROM events WHERE organization_id = $1 AND seq < 10", [
      scope.organizationId,
    ]);
    await db.owner.query("ALTER TABLE events ENABLE TRIGGER ALL");
    await db.owner.query("UPDATE log_heads SET first_seq = 10 WHERE organization_id = $1", [
      scope.organizationId,
    ]);
    receiver.setFault({ mode: "ok" });
    await finished(scope, id, (await redrive(scope, { id })).id);
  });
  const [letter, ...others] = await listDeadLetters(scope, id);
  expect(others).toEqual([]);
  expect(letter).toMatchObject({ seq: 4, lane: null });
  expect(letter?.reason).toContain("deleted before it could be sent again");
  expect(receiver.stored().filter(({ action }) => action === "poison")).toMatchObject([
    { seq: 15 },
  ]);
});

it("resuming a stream whose receiver refused everything lets it go on as if it was new", async () => {
  const scope = await newOrganization();
  const id = await addStream(receiver, scope, "webhook");
  await append(
    scope,
    Array.from({ length: 30 }, () => "poison"),
  );
  receiver.setFault({ mode: "poison", action: "poison" });
  await whileDelivering(async () => {
    await until("the stop", async () => (await getStream(scope, id)).state === "error");
    expect((await getStream(scope, id)).deadLetters).toBe(20);
    await resumeStream(scope, id);
    await drained(scope, id);
  });
  expect((await getStream(scope, id)).deadLetters).toBe(30);
});

it("a cursor moved back sends again under other delivery ids, so that no receiver takes it for a copy", async () => {
  const scope = await newOrganization();
  const id = await addStream(receiver, scope, "webhook");
  await append(scope, plain(5));
  await whileDelivering(async () => {
    await drained(scope, id);
    await moveCursor(scope, { id, toSeq: 1, reason: "restored from an old backup" });
    await drained(scope, id);
  });
  const ids = new Set(received(receiver).map(({ deliveryId }) => deliveryId));
  expect([...ids]).toEqual([`msg_${id.slice(4)}_1-5`, `msg_${id.slice(4)}_r1_1-6`]);
  expect(received(receiver)).toHaveLength(10);
});

it("a cursor moved during a send makes that send count nothing", async () => {
  const scope = await newOrganization();
  const id = await addStream(receiver, scope, "webhook");
  await append(scope, plain(5));
  receiver.setFault({ mode: "slow", delayMs: 500, times: 1 });
  await whileDelivering(async () => {
    await until("the send", async () => receiver.stored().length === 5);
    await moveCursor(scope, { id, toSeq: 3, reason: "test" });
    await drained(scope, id);
  });
  expect((await getStream(scope, id)).delivered).toBe(4);
  expect(received(receiver).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 3, 4, 5]);
});

it("every request is kept with how it ended, and counted by half hours; replies are cut and clean", async () => {
  const scope = await newOrganization();
  const id = await addStream(receiver, scope, "webhook");
  await append(scope, [...plain(3), "poison", ...plain(3)]);
  receiver.setFault({ mode: "status", status: 503, body: `no\u0007${"x".repeat(900)}`, times: 1 });
  await whileDelivering(async () => {
    await until("the failure", async () => (await getStream(scope, id)).lastError !== null);
    receiver.setFault({ mode: "poison", action: "poison" });
    await drained(scope, id);
  });
  const attempts = (await listAttempts(scope, id, { limit: 200 })).reverse();
  expect(attempts[0]).toMatchObject({
    ...{ lane: "live", fromSeq: 1, toSeq: 8, events: 7, outcome: "retry", status: 503 },
    code: "http_503",
  });
  expect(attempts[0]?.reply).toHaveLength(500);
  expect(attempts[0]?.reply).toMatch(/^no x+$/);
  expect(attempts[0]?.bytes).toBeGreaterThan(1_000);
  const outcomes = attempts.map(({ outcome }) => outcome);
  expect(new Set(outcomes)).toEqual(new Set(["retry", "split", "delivered"]));
  const delivered = attempts.filter(({ outcome }) => outcome === "delivered");
  expect(delivered.reduce((sum, { events }) => sum + events, 0)).toBe(6);
  const slots = (await readHalfHours(scope)).get(id) ?? [];
  const sum = (key: "delivered" | "failed") => slots.reduce((total, slot) => total + slot[key], 0);
  expect(sum("delivered")).toBe(6);
  expect(sum("failed")).toBe(attempts.length - delivered.length);
});
