import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Emulator, startEmulator } from "@/e2e/fixtures/siem-emulator";
import { newSettings, type Settings } from "@/e2e/fixtures/siem-wire";
import type { Scope } from "@/lib/auth/scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { listDeadLetters } from "./dead-letters";
import {
  append,
  drained,
  newOrganization,
  plain,
  tally,
  until,
  upTo,
  whileDelivering,
} from "./delivery-fixtures";
import { createStream, getStream } from "./streams";
import { testStream } from "./test-stream";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

type Document = Record<string, unknown>;

const SECRET = "s3cr3t-0123456789";
const EVENTS = 1_200;
const member = (document: Document, name: string) => document[name] as Document;

interface Case {
  destination: string;
  secret: string;
  config?: Record<string, unknown>;
  settings?: Partial<Settings>;
  eventOf(document: Document): Document;
}

const CASES: Case[] = [
  { destination: "splunk", secret: "token", eventOf: (document) => member(document, "event") },
  {
    destination: "splunk",
    secret: "token",
    config: { useAck: true },
    settings: { pollsUntilAck: 0 },
    eventOf: (document) => member(document, "event"),
  },
  { destination: "logscale", secret: "token", eventOf: (document) => member(document, "event") },
  {
    destination: "datadog",
    secret: "api_key",
    config: { site: "own" },
    eventOf: ({ message }) => JSON.parse(String(message)) as Document,
  },
  {
    destination: "sentinel",
    secret: "client_secret",
    config: {
      rule: `dcr-${"0".repeat(32)}`,
      stream: "Custom-Audit_CL",
      tenant: randomUUID(),
      client: randomUUID(),
      cloud: "own",
    },
    eventOf: (document) => member(document, "Event"),
  },
  { destination: "elastic", secret: "api_key", eventOf: (document) => document },
  {
    destination: "otlp",
    secret: "header:api-key",
    config: { headers: ["api-key"] },
    eventOf: ({ body }) => JSON.parse(String((body as Document).stringValue)) as Document,
  },
];

let db: TestDatabase;
let emulator: Emulator;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  emulator = await startEmulator(newSettings(SECRET));
});
afterEach(() => emulator.close());

async function addStream(scope: Scope, { destination, secret, config, settings }: Case) {
  Object.assign(emulator.settings, settings);
  const { url } = emulator;
  const authority = destination === "sentinel" ? { authority: url } : {};
  const saved = await createStream(scope, {
    ...{ destination, name: destination, from: "now" },
    config: { url, ...config, ...authority },
    secrets: { [secret]: SECRET },
  });
  return saved.stream.id;
}

/** What the receiver has, in order of arrival. */
const received = (eventOf: Case["eventOf"]) =>
  emulator.stored.map(({ document }) => eventOf(document) as { id: string; seq: number | null });

/** A stream with events, and what the receiver has of it by now. */
async function started(destination: string, actions: string[], change: Partial<Case> = {}) {
  const entry = {
    ...(CASES.find((known) => known.destination === destination) as Case),
    ...change,
  };
  const scope = await newOrganization();
  const id = await addStream(scope, entry);
  await append(scope, actions);
  return {
    deliver: () => whileDelivering(() => drained(scope, id)),
    stream: () => getStream(scope, id),
    setAside: async () => (await listDeadLetters(scope, id)).reverse(),
    tally: (seqs: number[]) => tally(received(entry.eventOf), seqs),
    ...{ scope, id },
  };
}

const withPoison = (count: number, ...seqs: number[]) =>
  plain(count).map((action, at) => (seqs.includes(at + 1) ? "poison" : action));
const isPoison = ({ action }: Document) => action === "poison";
const except = (count: number, ...seqs: number[]) =>
  upTo(count).filter((seq) => !seqs.includes(seq));

describe.each(CASES)("$destination $config", (entry) => {
  it("everything arrives in order with seq and chain hash, over failures that heal; a test too", async () => {
    const scope = await newOrganization();
    const id = await addStream(scope, entry);
    await append(scope, plain(EVENTS));
    const tested = await testStream(scope, id);
    expect(tested).toMatchObject({ ok: true, problem: null });
    expect(received(entry.eventOf)).toMatchObject([{ seq: null, test: true }]);
    emulator.stored.length = 0;
    emulator.faults.push({ mode: "status", status: 503 }, { mode: "reset" });
    await whileDelivering(() => drained(scope, id));
    const events = received(entry.eventOf);
    expect(tally(events, upTo(EVENTS))).toEqual({ lost: [], copies: 0, outOfOrder: 0 });
    const { rows } = await db.app.query(
      `SELECT id, encode(chain_hash, 'hex') AS chain_hash FROM events
       WHERE organization_id = $1 AND seq > 0 ORDER BY seq`,
      [scope.organizationId],
    );
    expect(events).toMatchObject(rows);
    expect(await getStream(scope, id)).toMatchObject({ state: "active", delivered: EVENTS });
  });
});

const ACK = { config: { useAck: true } };

it("splunk: what indexers do not acknowledge is sent again, on the stream's own channel", async () => {
  const { deliver, stream, tally } = await started("splunk", plain(100), {
    ...ACK,
    settings: { pollsUntilAck: Number.POSITIVE_INFINITY },
  });
  const delivered = deliver();
  await until("the retry", async () => (await stream()).state === "degraded");
  expect((await stream()).lastError?.code).toBe("hec_not_acknowledged");
  emulator.settings.pollsUntilAck = 2;
  await delivered;
  expect(tally(upTo(100))).toMatchObject({ lost: [], outOfOrder: 0 });
  const channels = emulator.requests.map(({ headers }) => headers["x-splunk-request-channel"]);
  expect(new Set(channels).size).toBe(1);
});

it("splunk: with acknowledgement, a refused event is set aside and all others are acknowledged", async () => {
  const { deliver, setAside, tally } = await started("splunk", withPoison(100, 1, 71), {
    ...ACK,
    settings: { pollsUntilAck: 0, refuses: isPoison },
  });
  await deliver();
  expect(tally(except(100, 1, 71))).toMatchObject({ lost: [] });
  expect((await setAside()).map(({ seq }) => seq)).toEqual([1, 71]);
});

it("splunk: a token without acknowledgement is a mistake of the set-up, and said", async () => {
  const { scope, id } = await started("splunk", [], ACK);
  expect((await testStream(scope, id)).problem?.code).toBe("hec_no_ack_id");
});

it("datadog: events older than 18 hours arrive, dated by their arrival", async () => {
  const { deliver, tally } = await started("datadog", plain(10));
  await deliver();
  expect(tally(upTo(10))).toEqual({ lost: [], copies: 0, outOfOrder: 0 });
  for (const { document } of emulator.stored) {
    expect(document).toMatchObject({ occurred_at: "2026-01-02T03:04:05.678Z" });
    expect(document).not.toHaveProperty("timestamp");
  }
});

it("sentinel: a token that ends early is replaced without a failure, and asked for once otherwise", async () => {
  const { deliver, stream, tally } = await started("sentinel", plain(1_200));
  emulator.settings.isRevoked = (token) => token === 1 && emulator.stored.length > 0;
  await deliver();
  expect(tally(upTo(1_200))).toEqual({ lost: [], copies: 0, outOfOrder: 0 });
  expect((await stream()).lastError).toBeNull();
  expect(emulator.settings.memory.tokens).toBe(2);
});

it("sentinel: a wrong secret is said, and no token is ever shown", async () => {
  const { scope, id, stream, deliver, tally } = await started("sentinel", plain(3));
  emulator.settings.secret = "another";
  const { problem, reply } = await testStream(scope, id);
  expect(problem?.code).toBe("entra_invalid_client");
  expect(reply).toContain("AADSTS7000215");
  emulator.settings.secret = SECRET;
  emulator.faults.push({ mode: "reset" });
  await deliver();
  expect((await stream()).lastError).toMatchObject({ code: "connection_reset", reply: null });
  expect(tally(upTo(3)).lost).toEqual([]);
});

it("elastic: refused documents are set aside, busy ones sent again, known ones not stored twice", async () => {
  const { deliver, stream, setAside, tally } = await started(
    "elastic",
    withPoison(600, 3, 333, 599),
  );
  let busy = 2;
  emulator.settings.bulkItem = (document) => {
    if (isPoison(document)) return { status: 400, type: "document_parsing_exception" };
    if (document.seq !== 100 || busy-- <= 0) return null;
    return { status: 429, type: "es_rejected_execution_exception" };
  };
  emulator.faults.push({ mode: "reset_after_storing" });
  await deliver();
  expect(tally(except(600, 3, 333, 599))).toMatchObject({ lost: [], copies: 0 });
  const letters = await setAside();
  expect(letters.map(({ seq }) => seq)).toEqual([3, 333, 599]);
  expect(letters[0]?.reason).toContain("document_parsing_exception");
  expect(await stream()).toMatchObject({ state: "active", delivered: 597, deadLetters: 3 });
});

it("elastic: a cluster that refuses every document stops the stream instead of losing the log to it", async () => {
  const { stream } = await started("elastic", plain(60));
  emulator.settings.bulkItem = () => ({ status: 400, type: "document_parsing_exception" });
  await whileDelivering(() => until("the stop", async () => (await stream()).state === "error"));
  expect(await stream()).toMatchObject({ deadLetters: 20, lagEvents: 40 });
});

it("otlp: records refused without saying which are a warning, and none is sent twice", async () => {
  const { deliver, stream, tally } = await started("otlp", plain(1_200));
  emulator.settings.otlpRefuses = (count) => (count > 600 ? 2 : 0);
  await deliver();
  expect(tally(upTo(1_200))).toEqual({ lost: [1, 2], copies: 0, outOfOrder: 0 });
  const { state, deadLetters, lastError } = await stream();
  expect({ state, deadLetters }).toEqual({ state: "active", deadLetters: 0 });
  expect(lastError?.message).toMatch(/refused 2 of \d+ events and did not say which/);
});
