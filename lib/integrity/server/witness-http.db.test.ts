import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { getEnv } from "@/lib/env";
import { appendEvents, testEvents } from "@/lib/events/server/test-log";
import { beginEpoch, planEpoch } from "./begin-epoch";
import { cutCheckpoint, originsOf } from "./signer";
import {
  db,
  EVENTS,
  K,
  openUnguarded,
  rechain,
  run,
  sealedLog,
  turnBack,
  verify,
} from "./test-damage";
import { signedLogs, type Witness } from "./witness";
import {
  configuredWitnesses,
  publishCheckpoints,
  publishDue,
  publishTo,
  readWitnessStates,
  recordFailure,
} from "./witnesses";

const TOKEN = "witness-token";

/** What a store holds, by path; and how it behaves. */
const objects = new Map<string, string>();
const puts: string[] = [];
const folders = new Set<string>();
let isDown = false;
let wantsFolders = false;

const store = http.createServer((request, response) => {
  text(request).then(
    (body) => answer(request, response, body),
    () => response.destroy(),
  );
});

function answer(request: http.IncomingMessage, response: http.ServerResponse, body: string) {
  const name = (request.url ?? "").replace(/^\/kept\//, "");
  const end = (status: number, text = "") => response.writeHead(status).end(text);
  if (request.headers.authorization !== `Bearer ${TOKEN}`) return end(401);
  if (isDown) return end(503);
  if (request.method === "GET") {
    const object = objects.get(name);
    return object === undefined ? end(404) : end(200, object);
  }
  if (request.method === "MKCOL") {
    folders.add(name.replace(/\/$/, ""));
    return end(201);
  }
  if (wantsFolders && !folders.has(path.dirname(name))) return end(409);
  if (request.headers["if-none-match"] === "*" && objects.has(name)) return end(412);
  objects.set(name, body);
  puts.push(name);
  return end(201);
}

beforeAll(async () => {
  store.listen(0, "127.0.0.1");
  await once(store, "listening");
  await openUnguarded();
});
afterAll(async () => {
  store.close();
  await db.close();
});
beforeEach(() => {
  objects.clear();
  folders.clear();
  puts.length = 0;
  isDown = wantsFolders = false;
  Object.assign(getEnv(), {
    TRAILSEAL_WITNESS_URL: `http://127.0.0.1:${(store.address() as AddressInfo).port}/kept/`,
    TRAILSEAL_WITNESS_TOKEN: TOKEN,
    TRAILSEAL_EGRESS_ALLOW: ["127.0.0.0/8"],
  });
});

const scopeOf = (log: string) => systemScope("cli", log);
const originOf = async (log: string) => (await originsOf(scopeOf(log)))[0] as string;
const stateOf = async (log: string) => (await readWitnessStates(scopeOf(log)))[0];

async function grow(log: string, count: number): Promise<void> {
  await appendEvents(log, testEvents(count, count));
  await cutCheckpoint(log);
}

async function signedLog(): Promise<string> {
  const log = await sealedLog();
  await cutCheckpoint(log);
  return log;
}

const notesOf = async (log: string) =>
  (
    await db.owner.query<{ note: string }>(
      "SELECT note FROM checkpoints WHERE organization_id = $1 ORDER BY tree_size",
      [log],
    )
  ).rows.map(({ note }) => note);

test("every checkpoint is put once, in order, and the newest beside them", async () => {
  const log = await signedLog();
  for (const count of [3, 4]) await grow(log, count);
  await publishCheckpoints(log);
  await grow(log, 5);
  for (let again = 0; again < 2; again += 1) await publishCheckpoints(log);
  const origin = await originOf(log);
  const sizes = [EVENTS, EVENTS + 3, EVENTS + 7, EVENTS + 12];
  expect(puts.filter((name) => !name.endsWith("/checkpoint"))).toEqual(
    sizes.map((size) => `${origin}/${size}`),
  );
  const notes = await notesOf(log);
  expect(sizes.map((size) => objects.get(`${origin}/${size}`))).toEqual(notes);
  expect(objects.get(`${origin}/checkpoint`)).toBe(notes.at(-1));
  expect(await stateOf(log)).toMatchObject({ kind: "http", size: EVENTS + 12, error: null });
  expect(await verify(log)).toMatchObject({ ok: true });
});

test("what a kill left half done is there already, and is passed over", async () => {
  const log = await signedLog();
  const origin = await originOf(log);
  objects.set(`${origin}/${EVENTS}`, (await notesOf(log))[0] as string);
  await publishCheckpoints(log);
  expect(puts).toEqual([`${origin}/checkpoint`]);
});

test("a WebDAV server's folders are made", async () => {
  wantsFolders = true;
  const log = await signedLog();
  await publishCheckpoints(log);
  expect(objects.get(`${await originOf(log)}/${EVENTS}`)).toBe((await notesOf(log))[0]);
});

test("another note of a size is a contradiction: nothing is replaced, and it is told at once", async () => {
  getEnv().TRAILSEAL_ALERT_WEBHOOK = "http://127.0.0.1:9/";
  const [log, other] = [await signedLog(), await signedLog()];
  const origin = await originOf(log);
  const forged = ((await notesOf(other))[0] as string).replace(await originOf(other), origin);
  objects.set(`${origin}/${EVENTS}`, forged);
  const [witness] = configuredWitnesses();
  for (let again = 0; again < 2; again += 1)
    expect(await publishDue(witness as Witness, new Map())).toBeNull();
  expect(await stateOf(other)).toMatchObject({ size: EVENTS, error: null });
  expect((await stateOf(log))?.error).toMatch(/another checkpoint of 700 events/);
  expect(objects.get(`${origin}/${EVENTS}`)).toBe(forged);
  const alerts = await db.owner.query("SELECT kind FROM alerts WHERE organization_id = $1", [log]);
  expect(alerts.rows).toEqual([{ kind: "witness.conflict" }]);
});

test("a restore of everything but the witness is truncation, and its evidence is not replaced", async () => {
  const log = await signedLog();
  const memory = path.join(getEnv().TRAILSEAL_DATA_DIR, "signer", `${log}.json`);
  const before = fs.readFileSync(memory);
  await grow(log, 20);
  await publishCheckpoints(log);
  fs.writeFileSync(memory, before);
  await turnBack(log, EVENTS);
  expect((await verify(log)).findings).toContainEqual(
    expect.objectContaining({ kind: "truncated_tail", seq: EVENTS }),
  );
  await grow(log, 5);
  await expect(publishCheckpoints(log)).rejects.toThrow(/a checkpoint of 720 events/);
  const origin = await originOf(log);
  expect(objects.get(`${origin}/checkpoint`)).toContain(`\n${EVENTS + 20}\n`);
  // The memory was turned back too: what is lost is known by the witness alone.
  expect(await planEpoch(scopeOf(log))).toMatchObject({ signedSize: EVENTS + 20, lost: 15 });
  await beginEpoch(scopeOf(log), "a snapshot was restored");
  await publishCheckpoints(log);
  expect(objects.has(`${origin}/e2/${EVENTS + 6}`)).toBe(true);
  expect((await verify(log)).findings).toEqual([]);
});

test("what was published and is signed otherwise today is two histories", async () => {
  const log = await signedLog();
  await publishCheckpoints(log);
  await run(
    log,
    `UPDATE events SET metadata = '{"x": "y"}' WHERE ORG AND seq = K`,
    "DELETE FROM tiles WHERE ORG",
    "DELETE FROM checkpoints WHERE ORG",
    "UPDATE followers SET next_seq = 0 WHERE ORG AND name = 'tiles'",
  );
  await rechain(log, K, EVENTS - 1);
  fs.rmSync(path.join(getEnv().TRAILSEAL_DATA_DIR, "signer", `${log}.json`));
  await cutCheckpoint(log);
  expect(await verify(log)).toMatchObject({ ok: false, kind: "forked_checkpoint" });
  await expect(publishCheckpoints(log)).rejects.toThrow(/another one of that size/);
});

test("a witness that is away holds nothing up; a verification says so, and what is missing there", async () => {
  const log = await signedLog();
  await publishCheckpoints(log);
  isDown = true;
  await grow(log, 5);
  await expect(publishCheckpoints(log)).rejects.toThrow(/answered 503/);
  const verdict = await verify(log);
  expect(verdict).toMatchObject({ ok: true, proven_to: EVENTS + 5 });
  expect(verdict.not_covered.join()).toMatch(/HTTP witness could not be read/);
  isDown = false;
  objects.delete(`${await originOf(log)}/${EVENTS}`);
  await publishCheckpoints(log);
  expect((await verify(log)).not_covered.join()).toMatch(/does not have 1 of the 2 newest/);
  getEnv().TRAILSEAL_EGRESS_ALLOW = [];
  expect((await verify(log)).not_covered.join()).toMatch(/not a public address.*EGRESS_ALLOW/);
});

test("an hour of failing raises one alert, and ends with what is taken", async () => {
  getEnv().TRAILSEAL_ALERT_WEBHOOK = "http://127.0.0.1:9/";
  const log = await signedLog();
  const [signed] = await signedLogs(log);
  const witness = {
    kind: "http" as const,
    publish: async () => EVENTS,
    read: async () => ({ notes: [], gaps: [] }),
  };
  const count = async () =>
    (await db.owner.query("SELECT 1 FROM alerts WHERE kind = 'witness.failing'")).rowCount;
  const fail = () => recordFailure(witness, [signed as never], new Error("It answered 503."));
  await fail();
  expect(await count()).toBe(0);
  await run(
    log,
    "UPDATE witness_states SET failing_since = now() - interval '61 minutes' WHERE ORG",
  );
  for (let again = 0; again < 3; again += 1) await fail();
  expect(await count()).toBe(1);
  expect(await stateOf(log)).toMatchObject({ error: "It answered 503." });
  await publishTo(witness, signed as never);
  expect(await stateOf(log)).toMatchObject({ size: EVENTS, failingSince: null, error: null });
});
