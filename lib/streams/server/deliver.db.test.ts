import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Receiver, startReceiver } from "@/e2e/fixtures/receiver";
import type { Scope } from "@/lib/auth/scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { newId } from "@/lib/ids";
import { listAttempts } from "./attempts";
import { listDeadLetters } from "./dead-letters";
import {
  addStream,
  append,
  drained,
  FAST,
  newOrganization,
  plain,
  received,
  TOKEN,
  tally,
  until,
  upTo,
  whileDelivering,
} from "./delivery-fixtures";
import { claim, plan, settle } from "./lease";
import { getStream, pauseStream, resumeStream, updateStream } from "./streams";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

let db: TestDatabase;
let receiver: Receiver;
const directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-deliver-"));

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

describe.each(["webhook", "splunk"] as const)("%s", (destination) => {
  it("delivers everything in order, once, when nothing fails; new events follow quickly", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, destination);
    await append(scope, plain(2_103));
    await whileDelivering(async () => {
      await drained(scope, id);
      const before = Date.now();
      await append(scope, plain(1));
      await until("delivery", async () => receiver.stored().length === 2_104);
      expect(Date.now() - before).toBeLessThan(5_000);
      await drained(scope, id);
    });
    expect(tally(receiver.stored(), upTo(2_104))).toEqual({ lost: [], copies: 0, outOfOrder: 0 });
    expect(receiver.requests()).toBe(4);
    const { rows } = await db.app.query(
      "SELECT id, encode(chain_hash, 'hex') AS hash FROM events WHERE organization_id = $1 AND seq > 0 ORDER BY seq",
      [scope.organizationId],
    );
    expect(receiver.stored().map(({ id, chainHash }) => ({ id, hash: chainHash }))).toEqual(rows);
    const stream = await getStream(scope, id);
    expect(stream).toMatchObject({
      state: "active",
      lagEvents: 0,
      lagS: 0,
      delivered: 2_104,
      lastError: null,
    });
    expect(stream.lastSuccessAt).not.toBeNull();
  });

  it.each([
    ["503 three times", { mode: "status", status: 503, times: 3 }, 0],
    ["429 with Retry-After", { mode: "retry_after", status: 429, seconds: 1, times: 1 }, 0],
    ["a dropped connection", { mode: "reset", times: 2 }, 0],
    ["a connection dropped after storing", { mode: "reset_after_storing", times: 1 }, 1_000],
    ["an answer after the deadline", { mode: "slow", delayMs: 1_600, times: 1 }, 1_000],
  ] as const)(
    "%s: nothing lost, in order, copies of one batch at most",
    async (_name, fault, copies) => {
      const scope = await newOrganization();
      const id = await addStream(receiver, scope, destination);
      await append(scope, plain(1_100));
      receiver.setFault(fault);
      const started = Date.now();
      await whileDelivering(async () => {
        await until("a failure", async () => (await getStream(scope, id)).lastError !== null);
        await drained(scope, id);
      });
      if (fault.mode === "retry_after") expect(Date.now() - started).toBeGreaterThan(990);
      expect(tally(receiver.stored(), upTo(1_100))).toEqual({ lost: [], copies, outOfOrder: 0 });
      const stream = await getStream(scope, id);
      expect(stream).toMatchObject({ state: "active", failures: 0, delivered: 1_100 });
      expect(stream.lastError?.message).toBeTruthy();
    },
  );

  it("a refused event is set aside, visibly, and the others arrive in order", async () => {
    const scope = await newOrganization();
    const actions = plain(1_400);
    for (const bad of [0, 333, 334, 1_399]) actions[bad] = "poison";
    const id = await addStream(receiver, scope, destination);
    await append(scope, actions);
    receiver.setFault({ mode: "poison", action: "poison" });
    await whileDelivering(() => drained(scope, id));
    const good = upTo(1_400).filter((seq) => actions[seq - 1] !== "poison");
    expect(tally(receiver.stored(), good)).toEqual({ lost: [], copies: 0, outOfOrder: 0 });
    expect((await listDeadLetters(scope, id)).map(({ seq }) => seq)).toEqual([1_400, 335, 334, 1]);
    expect(await getStream(scope, id)).toMatchObject({ deadLetters: 4, delivered: 1_396 });
  });

  it("a receiver that refuses everything stops the stream instead of losing the log to it", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, destination);
    await append(
      scope,
      Array.from({ length: 100 }, () => "poison"),
    );
    receiver.setFault({ mode: "poison", action: "poison" });
    await whileDelivering(async () => {
      await until("the stop", async () => (await getStream(scope, id)).state === "error");
    });
    const stream = await getStream(scope, id);
    expect(stream.lastError?.code).toBe("refuses_everything");
    expect(stream).toMatchObject({ deadLetters: 20, cursorSeq: 21, lagEvents: 80 });
  });

  it("rejected credentials are an error that says so; a new secret resumes without loss", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, destination);
    await append(scope, plain(10));
    receiver.setFault({ mode: "status", status: 401 });
    await whileDelivering(
      async () => {
        await until("the error", async () => (await getStream(scope, id)).state === "error");
        expect((await getStream(scope, id)).lastError).toMatchObject({ code: "http_401" });
        receiver.setFault({ mode: "ok" });
        const { name, config } = await getStream(scope, id);
        const secrets: Record<string, string> = destination === "splunk" ? { token: TOKEN } : {};
        await updateStream(scope, { id, name, config: { ...config }, secrets });
        await drained(scope, id);
      },
      { ...FAST, probeMs: 60_000 },
    );
    // With the one that tells of the change.
    expect(tally(receiver.stored(), upTo(11))).toEqual({ lost: [], copies: 0, outOfOrder: 0 });
    expect((await getStream(scope, id)).state).toBe("active");
  });
});

it("a retried range carries the same delivery id, so that receivers can drop the copy", async () => {
  const scope = await newOrganization();
  const id = await addStream(receiver, scope, "webhook");
  await append(scope, plain(5));
  receiver.setFault({ mode: "reset_after_storing", times: 1 });
  await whileDelivering(async () => {
    await until("the first copy", async () => receiver.stored().length === 5);
    await append(scope, plain(5));
    await drained(scope, id);
  });
  const stored = receiver.stored();
  expect(stored.map(({ seq }) => seq)).toEqual([...upTo(5), ...upTo(10)]);
  const ids = [...new Set(stored.map(({ deliveryId }) => deliveryId))];
  expect(ids).toEqual([`msg_${id.slice(4)}_1-5`, `msg_${id.slice(4)}_6-10`]);
});

it("a paused stream sends nothing and keeps its place", async () => {
  const scope = await newOrganization();
  const id = await addStream(receiver, scope, "webhook");
  await append(scope, plain(3));
  await whileDelivering(async () => {
    await drained(scope, id);
    await pauseStream(scope, id);
    await append(scope, plain(4));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(receiver.stored()).toHaveLength(3);
    expect(await getStream(scope, id)).toMatchObject({
      state: "paused",
      cursorSeq: 4,
      lagEvents: 5,
    });
    await resumeStream(scope, id);
    await drained(scope, id);
  });
  // The pause and its end are events too.
  expect(tally(receiver.stored(), upTo(9))).toEqual({ lost: [], copies: 0, outOfOrder: 0 });
});

it("a pause during a send lets the send count and sends no more", async () => {
  const scope = await newOrganization();
  const id = await addStream(receiver, scope, "webhook");
  await append(scope, plain(1_100));
  receiver.setFault({ mode: "slow", delayMs: 400, times: 1 });
  await whileDelivering(async () => {
    await until("the first batch", async () => receiver.stored().length === 1_000);
    await pauseStream(scope, id);
    await new Promise((resolve) => setTimeout(resolve, 900));
  });
  expect(await getStream(scope, id)).toMatchObject({
    state: "paused",
    cursorSeq: 1_001,
    delivered: 1_000,
  });
  expect(receiver.stored()).toHaveLength(1_000);
});

it("a receiver that answers 410 gets nothing more until somebody resumes the stream", async () => {
  const scope = await newOrganization();
  const id = await addStream(receiver, scope, "webhook");
  await append(scope, plain(2));
  receiver.setFault({ mode: "status", status: 410, times: 1 });
  await whileDelivering(async () => {
    await until("the stop", async () => (await getStream(scope, id)).state === "disabled");
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(receiver.requests()).toBe(1);
    await resumeStream(scope, id);
    await drained(scope, id);
  });
  expect(received(receiver)).toHaveLength(2);
});

it("a holder that slept past its lease is fenced: its cursor move and its plan count nothing", async () => {
  const scope = await newOrganization();
  const id = await addStream(receiver, scope, "webhook");
  await append(scope, plain(20));
  const key = { organizationId: scope.organizationId, streamId: id, lane: "live" };
  const taken = { toSeq: 10, delivered: upTo(9), attempt: null };
  const zombie = await claim(key, "zombie", 100);
  if (!zombie) throw new Error("not claimed");
  expect(await plan(zombie, 10)).toBe(true);
  expect(await claim(key, "early", 100)).toBeNull();
  await new Promise((resolve) => setTimeout(resolve, 150));
  const next = await claim(key, "next", 5_000);
  if (!next) throw new Error("not claimed");
  expect(next.inflightToSeq).toBe(10);
  expect(await settle(zombie, taken)).toBe(false);
  expect(await plan(zombie, 20)).toBe(false);
  expect(await getStream(scope, id)).toMatchObject({ cursorSeq: 1, delivered: 0 });
  expect(await plan(next, 10)).toBe(true);
  expect(await settle(next, taken)).toBe(true);
  expect(await getStream(scope, id)).toMatchObject({ cursorSeq: 10, delivered: 9 });
});

it("several loops share the streams: each event leaves once, in the order of its stream", async () => {
  const scopes = await Promise.all([newOrganization(), newOrganization(), newOrganization()]);
  const streams: [Scope, string][] = [];
  for (const scope of scopes) {
    for (const destination of ["webhook", "splunk"] as const) {
      streams.push([scope, await addStream(receiver, scope, destination)]);
    }
    await append(scope, plain(1_800));
  }
  await whileDelivering(() =>
    whileDelivering(async () => {
      await Promise.all(streams.map(([scope, id]) => drained(scope, id)));
    }),
  );
  const stored = received(receiver);
  expect(stored).toHaveLength(6 * 1_800);
  for (const [, id] of streams) {
    const own = stored.filter(({ deliveryId }) => deliveryId?.includes(id.slice(4)));
    if (own.length === 0) continue;
    // Behind the events that tell of both streams.
    expect(tally(own, upTo(1_801).slice(1))).toEqual({ lost: [], copies: 0, outOfOrder: 0 });
  }
});

it("a receiver that cannot take a whole batch in its time gets smaller ones, also in the turns that follow", async () => {
  const scope = await newOrganization();
  const id = await addStream(receiver, scope, "webhook");
  await append(scope, plain(2_000));
  receiver.setFault({ mode: "busy", msPerEvent: 3 });
  await whileDelivering(() => drained(scope, id), { ...FAST, turnMs: 100 });
  expect(tally(receiver.stored(), upTo(2_000))).toMatchObject({ lost: [], outOfOrder: 0 });
  const attempts = await listAttempts(scope, id, { limit: 200 });
  const sizesOf = (outcome: string) =>
    attempts.filter((attempt) => attempt.outcome === outcome).map(({ events }) => events);
  expect(Math.max(...sizesOf("retry"))).toBe(1_000);
  expect(Math.max(...sizesOf("delivered"))).toBe(250);
  // Once for each size that is too large, and once more when half of it was answered for a while.
  expect(sizesOf("retry").length).toBeLessThanOrEqual(3);
});

it("a receiver that fails on checkpoints gets its events, and the stream says what fails", async () => {
  const scope = await newOrganization();
  const id = await addStream(receiver, scope, "webhook", { heartbeatMinutes: 1 });
  await append(scope, plain(3));
  receiver.setFault({ mode: "poison", action: "trailseal.heartbeat", status: 500 });
  await db.owner.query(
    "UPDATE stream_state SET created_at = now() - interval '1 hour' WHERE stream_id = $1",
    [id],
  );
  await whileDelivering(async () => {
    await drained(scope, id);
    await append(scope, plain(2));
    await drained(scope, id);
  });
  expect(received(receiver).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  expect((await getStream(scope, id)).lastError?.message).toContain("It was sent a checkpoint.");
});

it("a checkpoint that takes its receiver longer than a lease is sent by one of two workers, once", async () => {
  const scope = await newOrganization();
  const id = await addStream(receiver, scope, "webhook", { heartbeatMinutes: 1 });
  await db.owner.query(
    "UPDATE stream_state SET created_at = now() - interval '1 hour' WHERE stream_id = $1",
    [id],
  );
  receiver.setFault({ mode: "slow", delayMs: 700, times: 1 });
  const settings = { ...FAST, leaseMs: 300 };
  await whileDelivering(
    () =>
      whileDelivering(
        () =>
          until("the heartbeat", async () => (await getStream(scope, id)).lastSuccessAt !== null),
        settings,
      ),
    settings,
  );
  expect(receiver.stored().map(({ action }) => action)).toEqual(["trailseal.heartbeat"]);
});
