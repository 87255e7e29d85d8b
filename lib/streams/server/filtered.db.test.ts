import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Receiver, startReceiver } from "@/e2e/fixtures/receiver";
import type { Scope } from "@/lib/auth/scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { newId } from "@/lib/ids";
import { listAttempts } from "./attempts";
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
import { createStream, getStream, updateStream } from "./streams";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

let db: TestDatabase;
let receiver: Receiver;
const directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-filtered-"));

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

const filter = "action:user.left";

describe("a stream with a filter", () => {
  it("sends what matches, in order, and its cursor passes the rest", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook", { filter });
    const actions = plain(4_500);
    const wanted = [1, 2, 700, 2_400, 4_499];
    for (const seq of wanted) actions[seq - 1] = "user.left";
    await append(scope, actions);
    await whileDelivering(() => drained(scope, id));
    expect(receiver.stored().map(({ seq }) => seq)).toEqual(wanted);
    expect(await getStream(scope, id)).toMatchObject({
      cursorSeq: 4_501,
      ...{ delivered: 5, passedOver: 4_495, lagEvents: 0 },
    });
    expect(receiver.requests()).toBeLessThanOrEqual(3);
  });

  it("that most events match is sent as many at a time as without one", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook", { filter: "-action:user.left" });
    const actions = plain(1_600);
    for (let at = 0; at < actions.length; at += 100) actions[at] = "user.left";
    await append(scope, actions);
    await whileDelivering(() => drained(scope, id));
    expect(receiver.stored()).toHaveLength(1_584);
    expect(receiver.requests()).toBe(2);
    expect(await getStream(scope, id)).toMatchObject({ delivered: 1_584, passedOver: 16 });
  });

  it("repeats the same range, the same body under the same id when nobody answered", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook", { filter });
    const actions = plain(900);
    for (let at = 0; at < actions.length; at += 50) actions[at] = "user.left";
    await append(scope, actions);
    receiver.setFault({ mode: "reset_after_storing", times: 1 });
    const bodies: string[] = [];
    await whileDelivering(async () => {
      await until("the first copy", async () => receiver.stored().length === 18);
      bodies.push(receiver.lastRequest().body);
      await append(scope, ["user.left"]);
      await until("the second", async () => receiver.stored().length >= 36);
      const second = receiver.stored().slice(18, 36);
      expect(second.map(({ deliveryId }) => deliveryId)).toEqual(
        receiver
          .stored()
          .slice(0, 18)
          .map(({ deliveryId }) => deliveryId),
      );
      await drained(scope, id);
    });
    const attempts = (await listAttempts(scope, id)).reverse();
    const [lost, again] = attempts;
    expect(again).toMatchObject({
      fromSeq: lost?.fromSeq,
      toSeq: lost?.toSeq,
      ...{ bytes: lost?.bytes, outcome: "delivered" },
    });
    expect(Buffer.byteLength(bodies[0] ?? "")).toBe(lost?.bytes);
    expect(receiver.stored()).toHaveLength(37);
  });

  it("sets aside only what matches and is refused", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "splunk", { filter: "action:p*" });
    const actions = plain(300);
    for (const seq of [10, 100, 200, 290]) actions[seq - 1] = "passport.read";
    for (const seq of [50, 101]) actions[seq - 1] = "poison";
    await append(scope, actions);
    receiver.setFault({ mode: "poison", action: "poison" });
    await whileDelivering(() => drained(scope, id));
    expect(receiver.stored().map(({ seq }) => seq)).toEqual([10, 100, 200, 290]);
    expect(await getStream(scope, id)).toMatchObject({
      ...{ deadLetters: 2, delivered: 4, passedOver: 294, cursorSeq: 301 },
    });
  });

  it("cannot be saved with one that cannot be read: where it is wrong is said", async () => {
    const scope = await newOrganization();
    await expect(
      createStream(scope, {
        ...{ destination: "webhook", name: "x", from: "now", filter: "action:(a", secrets: {} },
        config: { url: `${receiver.url}/hook` },
      }),
    ).rejects.toMatchObject({ code: "invalid_filter", errors: [{ field: "filter" }] });
  });

  it("that a later version cannot read fails visibly and sends nothing until it is corrected", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook", { filter });
    await append(scope, ["user.left"]);
    await db.app.query("UPDATE streams SET filter = 'gone:x' WHERE id = $1", [id]);
    await whileDelivering(async () => {
      await until("the error", async () => (await getStream(scope, id)).state === "error");
      const { lastError, cursorSeq } = await getStream(scope, id);
      expect(lastError).toMatchObject({ code: "filter_unreadable" });
      expect(lastError?.message).toContain("`gone` is not a field");
      expect(cursorSeq).toBe(1);
      const { name, config } = await getStream(scope, id);
      await updateStream(scope, { id, name, config, secrets: {}, filter });
      await drained(scope, id);
    });
    expect(received(receiver)).toHaveLength(1);
  });
});

const lastRequest = () => JSON.parse(receiver.lastRequest().body) as { event: WireCheckpoint }[];
interface WireCheckpoint {
  action: string;
  metadata: Record<string, string>;
}

/** What the signer stores; nobody opens the note here. */
const sign = (scope: Scope, size: number, note = `note of ${size}\n`) =>
  db.owner.query(
    `INSERT INTO checkpoints (organization_id, origin, tree_size, root, note)
     SELECT organization_id, origin, $2, sha256('root'), $3 FROM log_heads WHERE organization_id = $1`,
    [scope.organizationId, size, note],
  );
const toldOf = () => receiver.stored().filter(({ action }) => action === "trailseal.checkpoint");
const aMinuteAgo = (id: string, minutes = 1) =>
  db.app.query(
    `UPDATE stream_state SET checkpoint_sent_at = checkpoint_sent_at - $2 * interval '61 seconds',
       last_success_at = last_success_at - $2 * interval '61 seconds',
       created_at = created_at - $2 * interval '61 seconds' WHERE stream_id = $1`,
    [id, minutes],
  );
const pause = () => new Promise((resolve) => setTimeout(resolve, 400));

describe("checkpoints", () => {
  it("follow the events that they cover, once, at most one a minute, on filtered streams too", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook", { filter });
    await append(scope, plain(10));
    const note = `origin\n11\n${"r".repeat(44)}\n\n— origin ${"s".repeat(500)}\n`;
    await sign(scope, 11, note);
    await sign(scope, 99);
    await whileDelivering(async () => {
      await until("the checkpoint", async () => toldOf().length === 1);
      const [{ event }] = lastRequest() as [{ event: WireCheckpoint }];
      const { note: first = "", note_2: second = "", ...metadata } = event.metadata;
      expect(first + second).toBe(note);
      expect(first.length).toBeLessThanOrEqual(500);
      expect(metadata).toMatchObject({ size: "11", cursor: "11" });
      expect(metadata.root).toMatch(/^[0-9a-f]{64}$/);
      await append(scope, plain(5));
      await sign(scope, 14);
      await drained(scope, id);
      await pause();
      expect(toldOf()).toHaveLength(1);
      await aMinuteAgo(id);
      await until("the next", async () => toldOf().length === 2);
    });
    expect(lastRequest()[0]?.event.metadata).toMatchObject({ size: "14", cursor: "16" });
    expect(await getStream(scope, id)).toMatchObject({ checkpointSize: 14, delivered: 0 });
    const [attempt] = await listAttempts(scope, id);
    expect(attempt).toMatchObject({ fromSeq: 16, toSeq: 16, events: 1, outcome: "delivered" });
  });

  it("a quiet stream repeats the newest as a heartbeat, and one without any says where it is", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook", { heartbeatMinutes: 5 });
    const silent = await addStream(receiver, scope, "splunk", { heartbeatMinutes: 0 });
    await aMinuteAgo(id, 6);
    await aMinuteAgo(silent, 600);
    await whileDelivering(async () => {
      await until(
        "the heartbeat",
        async () => receiver.requests() >= 1 && receiver.stored().length > 0,
      );
      await pause();
    });
    const beats = receiver.stored().filter(({ action }) => action === "trailseal.heartbeat");
    expect(beats).toHaveLength(1);
    await sign(scope, 1);
    await whileDelivering(async () => {
      await aMinuteAgo(id, 2);
      await until("the checkpoint", async () => (await getStream(scope, id)).checkpointSize === 1);
      await aMinuteAgo(id, 6);
      await until("the heartbeat", async () =>
        toldOf().some(({ deliveryId }) => deliveryId?.includes("heartbeat")),
      );
    });
    expect((await getStream(scope, id)).deadLetters).toBe(0);
  });

  it("a refused one is given up with a warning: events go on, nothing is set aside", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "splunk");
    await append(scope, plain(3));
    await sign(scope, 4);
    receiver.setFault({ mode: "poison", action: "trailseal.checkpoint" });
    await whileDelivering(async () => {
      await until("the warning", async () => (await getStream(scope, id)).lastError !== null);
      await append(scope, plain(3));
      await drained(scope, id);
      await pause();
    });
    expect(received(receiver)).toHaveLength(6);
    const stream = await getStream(scope, id);
    expect(stream).toMatchObject({
      ...{ state: "active", deadLetters: 0, checkpointSize: 4 },
      lastError: { code: "checkpoint_refused" },
    });
    const refused = (await listAttempts(scope, id)).filter(({ outcome }) => outcome === "partial");
    expect(refused).toHaveLength(1);
  });

  it("an unreachable receiver fails over a heartbeat as over events, and recovers with it", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook", { heartbeatMinutes: 5 });
    await aMinuteAgo(id, 6);
    receiver.setFault({ mode: "status", status: 503, times: 2 });
    await whileDelivering(async () => {
      await until("the failure", async () => (await getStream(scope, id)).lastError !== null);
      await until("the recovery", async () => {
        const { state, checkpointSentAt } = await getStream(scope, id);
        return state === "active" && checkpointSentAt !== null;
      });
    });
    expect(receiver.stored()).toHaveLength(1);
  });
});
