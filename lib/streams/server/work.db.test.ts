import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROLE_PERMISSIONS } from "@/lib/auth/roles";
import type { Scope } from "@/lib/auth/scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { readStreamAlarms } from "./alarms";
import { listAttempts, readHalfHours } from "./attempts";
import { moveCursor } from "./cursor";
import { discardDeadLetters, listDeadLetters, redrive } from "./dead-letters";
import { append, newOrganization, plain } from "./delivery-fixtures";
import { eventDeliveries } from "./event-deliveries";
import { cancelLane, readLanes, startBackfill } from "./lanes";
import { estimateRange } from "./ranges";
import { rotateSecret } from "./rotate-secret";
import { createStream, getStream } from "./streams";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

async function addHook(scope: Scope, filter = ""): Promise<string> {
  const { stream } = await createStream(scope, {
    destination: "webhook",
    name: "Hook",
    from: "start",
    filter,
    config: { url: "https://siem.example.com/hook" },
    secrets: {},
  });
  return stream.id;
}

/** A log of `count` events with a stream that has delivered those below `cursor`. */
async function log(count: number, cursor: number, filter = "") {
  const scope = await newOrganization();
  await append(scope, plain(count));
  const id = await addHook(scope, filter);
  await db.app.query("UPDATE stream_state SET cursor_seq = $2 WHERE stream_id = $1", [id, cursor]);
  return { scope, id };
}

const setAside = (scope: Scope, id: string, ...seqs: number[]) =>
  db.app.query(
    `INSERT INTO dead_letters (organization_id, stream_id, seq, reason)
     SELECT $1, $2, unnest($3::bigint[]), 'refused'`,
    [scope.organizationId, id, seqs],
  );

async function lastEvent(scope: Scope) {
  const { rows } = await db.app.query(
    "SELECT action, actor, targets, metadata FROM events WHERE organization_id = $1 ORDER BY seq DESC LIMIT 1",
    [scope.organizationId],
  );
  return rows[0];
}

describe("sending again", () => {
  it("a backfill is a job with its range, recorded in the log with who asked for it", async () => {
    const { scope, id } = await log(20, 20);
    const lane = await startBackfill(scope, { id, fromSeq: 3, toSeq: 9, ratePerSecond: 50 });
    expect(lane).toMatchObject({ kind: "backfill", fromSeq: 3, toSeq: 9, cursorSeq: 3 });
    expect(await readLanes(scope, id)).toEqual([lane]);
    expect(await lastEvent(scope)).toMatchObject({
      action: "trailseal.stream_backfill_started",
      actor: { type: "trailseal", id: "cli" },
      targets: [{ type: "stream", id, name: "Hook" }],
      metadata: { lane: lane.id, from_seq: "3", to_seq: "9", rate_per_second: "50" },
    });
    expect((await getStream(scope, id)).cursorSeq).toBe(20);
    const cancelled = await cancelLane(scope, { id, lane: lane.id });
    expect(cancelled).toMatchObject({ state: "disabled", finishedAt: expect.any(String) });
    await expect(cancelLane(scope, { id, lane: lane.id })).rejects.toThrow("has ended");
    await expect(cancelLane(scope, { id, lane: "live" })).rejects.toThrow("no such job");
  });

  it("a range by times holds what was received in between, and says how much a filter takes", async () => {
    const scope = await newOrganization();
    await append(scope, plain(30));
    await new Promise((resolve) => setTimeout(resolve, 20));
    const fromTime = new Date().toISOString();
    await append(scope, [...plain(6), "user.left"]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    const toTime = new Date().toISOString();
    await append(scope, plain(5));
    const range = { fromTime, toTime };
    expect(await estimateRange(scope, range)).toEqual({
      ...{ fromSeq: 30, toSeq: 37, events: 7 },
      matching: { count: 7, precision: "exact" },
    });
    const filtered = await estimateRange(scope, { ...range, filter: "action:user.left" });
    expect(filtered.matching).toEqual({ count: 1, precision: "exact" });
    await expect(estimateRange(scope, { fromSeq: 0, filter: "actoin:x" })).rejects.toMatchObject({
      code: "invalid_filter",
      message: expect.stringContaining("`actoin` is not"),
    });
  });

  it("an estimate of a large range says that it is one", async () => {
    const scope = await newOrganization();
    const actions = plain(4_100);
    for (let at = 0; at < actions.length; at += 4) actions[at] = "user.left";
    actions[5] = "user.rare";
    await append(scope, actions);
    const about = await estimateRange(scope, { fromSeq: 0, filter: "action:user.left" });
    expect(about).toMatchObject({ events: 4_100, matching: { precision: "about" } });
    expect(about.matching.count).toBeGreaterThan(700);
    expect(about.matching.count).toBeLessThan(1_400);
    const few = await estimateRange(scope, { fromSeq: 0, filter: "action:user.none" });
    expect(few.matching).toEqual({ count: 0, precision: "at_least" });
  });

  it("a range that is empty, reversed or not in the log is refused in words", async () => {
    const { scope, id } = await log(10, 10);
    const refusal = (ends: object) =>
      startBackfill(scope, { id, ...ends }).then(
        () => "",
        (error: Error) => error.message,
      );
    expect(await refusal({ fromSeq: 5, toSeq: 5 })).toContain("no event in this range");
    expect(await refusal({ fromSeq: 0, toSeq: 99 })).toContain("ends before");
    expect(await refusal({ fromTime: "2126-01-01T00:00:00Z" })).toContain("no event");
    for (let job = 0; job < 5; job += 1) expect(await refusal({ fromSeq: 0 })).toBe("");
    expect(await refusal({ fromSeq: 0 })).toContain("5 jobs");
  });

  it("a redrive takes what waits, once; a discarded event is named in the log and gone from the list", async () => {
    const { scope, id } = await log(20, 20);
    await setAside(scope, id, 3, 4, 7, 9);
    expect(await redrive(scope, { id, seqs: [4, 7] })).toMatchObject({ fromSeq: 4, toSeq: 8 });
    expect(await discardDeadLetters(scope, { id, seqs: [3, 9, 11] })).toBe(2);
    expect(await lastEvent(scope)).toMatchObject({
      action: "trailseal.stream_dead_letters_discarded",
      metadata: { events: "2", seqs: "3 9" },
    });
    await expect(redrive(scope, { id })).rejects.toThrow("None of these events");
    const [first] = await readLanes(scope, id);
    const letters = await listDeadLetters(scope, id);
    expect(letters.map(({ seq, lane }) => [seq, lane])).toEqual(
      [7, 4].map((seq) => [seq, first?.id]),
    );
    await cancelLane(scope, { id, lane: first?.id as string });
    expect(await redrive(scope, { id })).toMatchObject({ fromSeq: 4, toSeq: 8 });
    expect((await getStream(scope, id)).deadLetters).toBe(2);
  });

  it("all that waits is discarded at once, however much; what is being sent again is not", async () => {
    const { scope, id } = await log(20, 20);
    await setAside(scope, id, 3, 4, 7, 9);
    await redrive(scope, { id, seqs: [4] });
    expect(await discardDeadLetters(scope, { id })).toBe(3);
    expect(await lastEvent(scope)).toMatchObject({
      action: "trailseal.stream_dead_letters_discarded",
      metadata: { events: "3", from_seq: "3", to_seq: "9" },
    });
    expect((await listDeadLetters(scope, id)).map(({ seq }) => seq)).toEqual([4]);
    await expect(discardDeadLetters(scope, { id })).rejects.toThrow("None of these events");
  });
});

describe("the cursor", () => {
  it("moves backwards and forwards within the log, with its reason in the log", async () => {
    const { scope, id } = await log(20, 10);
    await setAside(scope, id, 2, 7);
    const move = (toSeq: number) => moveCursor(scope, { id, toSeq, reason: "SIEM lost a day" });
    expect(await move(5)).toMatchObject({ cursorSeq: 5, deadLetters: 1 });
    expect((await lastEvent(scope)).metadata).toEqual({
      ...{ from_seq: "10", to_seq: "5", reason: "SIEM lost a day" },
      effect: "5 events will be sent again.",
    });
    expect(await move(12)).toMatchObject({ cursorSeq: 12 });
    expect((await lastEvent(scope)).metadata.effect).toContain("7 events will be skipped");
    await expect(move(12)).rejects.toThrow("next already");
    await expect(move(99)).rejects.toThrow("The log holds #0 to #22");
  });

  it("the fate of an event is told per stream: set aside, skipped, passed over, waiting, delivered", async () => {
    const { scope, id } = await log(20, 10);
    await setAside(scope, id, 2);
    await moveCursor(scope, { id, toSeq: 15, reason: "flood" });
    await addHook(scope, "action:user.left");
    await db.app.query("UPDATE stream_state SET from_seq = 1, cursor_seq = 15");
    await db.app.query(
      `INSERT INTO stream_attempts (organization_id, stream_id, id, lane, from_seq, to_seq, events, bytes, outcome, status, latency_ms)
       SELECT organization_id, id, 'a1', 'live', 4, 9, 5, 99, 'delivered', 200, 12 FROM streams WHERE id = $1`,
      [id],
    );
    const fates = async (seq: number) =>
      (await eventDeliveries(scope, seq)).map(({ state }) => state);
    expect(await fates(0)).toEqual(["before", "before"]);
    expect(await fates(2)).toEqual(["set_aside", "passed_over"]);
    expect(await fates(5)).toEqual(["delivered", "passed_over"]);
    expect(await fates(12)).toEqual(["passed_over", "passed_over"]);
    expect(await fates(16)).toEqual(["waiting", "waiting"]);
    const [delivery] = await eventDeliveries(scope, 5);
    expect(delivery?.attempt).toMatchObject({ id: "a1", status: 200, fromSeq: 4, toSeq: 9 });
    const reader = { ...scope, permissions: ROLE_PERMISSIONS.auditor };
    expect((await eventDeliveries(reader, 5)).map(({ canOpen }) => canOpen)).toEqual([
      false,
      false,
    ]);
    expect(delivery?.canOpen).toBe(true);
    await expect(eventDeliveries(scope, 999)).rejects.toThrow("no event #999");
    expect(await listAttempts(scope, id)).toEqual([delivery?.attempt]);
    expect(await listAttempts(scope, id, { before: "a1" })).toEqual([]);
  });
});

it("half hours come dense: 48 of each stream, the present one last", async () => {
  const { scope, id } = await log(1, 0);
  await db.app.query(
    `INSERT INTO stream_halfhours SELECT organization_id, id,
       to_timestamp(floor(extract(epoch FROM now()) / 1800) * 1800), 7, 2 FROM streams WHERE id = $1`,
    [id],
  );
  const slots = (await readHalfHours(scope)).get(id);
  expect(slots).toHaveLength(48);
  expect(slots?.at(-1)).toMatchObject({ delivered: 7, failed: 2 });
  expect(slots?.slice(0, -1).every(({ delivered }) => delivered === 0)).toBe(true);
});

it("a rotated secret is new, recorded by its name only; the one before stays beside it, sealed", async () => {
  const { scope, id } = await log(1, 0);
  const before = await getStream(scope, id);
  const { stream, generatedSecrets } = await rotateSecret(scope, { id, name: "signing_secret" });
  expect(generatedSecrets.signing_secret).toMatch(/^whsec_/);
  expect(stream.secrets.signing_secret?.last4).not.toBe(before.secrets.signing_secret?.last4);
  expect(Object.keys(stream.secrets)).toEqual(["signing_secret"]);
  const { rows } = await db.app.query("SELECT secrets::text FROM streams WHERE id = $1", [id]);
  expect(rows[0].secrets).toContain('"previous:signing_secret"');
  expect(rows[0].secrets).not.toContain(generatedSecrets.signing_secret);
  expect(await lastEvent(scope)).toMatchObject({
    action: "trailseal.stream_secret_rotated",
    metadata: { secret: "signing_secret" },
  });
  await expect(rotateSecret(scope, { id, name: "tokne" })).rejects.toThrow("not a secret");
});

it("another organization reads and changes nothing of a stream's work", async () => {
  const { scope, id } = await log(5, 5);
  await setAside(scope, id, 1);
  const { id: lane } = await startBackfill(scope, { id, fromSeq: 0 });
  const stranger = await newOrganization();
  await append(stranger, plain(5));
  expect(await listDeadLetters(stranger, id)).toEqual([]);
  expect(await readLanes(stranger, id)).toEqual([]);
  expect(await listAttempts(stranger, id)).toEqual([]);
  expect((await readHalfHours(stranger)).size).toBe(0);
  expect(await eventDeliveries(stranger, 1)).toEqual([]);
  for (const attempt of [
    () => startBackfill(stranger, { id, fromSeq: 0 }),
    () => cancelLane(stranger, { id, lane }),
    () => redrive(stranger, { id }),
    () => discardDeadLetters(stranger, { id, seqs: [1] }),
    () => moveCursor(stranger, { id, toSeq: 0, reason: "x" }),
    () => rotateSecret(stranger, { id, name: "signing_secret" }),
  ])
    await expect(attempt()).rejects.toThrow("There is no such stream");
});

it("an alarm stands for each stream that fails or is switched off", async () => {
  const { scope, id } = await log(1, 0);
  expect(await readStreamAlarms(scope)).toEqual([]);
  await db.app.query("UPDATE stream_state SET state = 'disabled' WHERE stream_id = $1", [id]);
  expect(await readStreamAlarms(scope)).toMatchObject([{ streamId: id, kind: "disabled" }]);
});
