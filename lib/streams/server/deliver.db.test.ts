import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Receiver, type Stored, startReceiver } from "@/e2e/fixtures/receiver";
import type { Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { parseImportedEvent } from "@/lib/events/schema";
import { type AppendItem, appendBatch } from "@/lib/events/server/append";
import { newId } from "@/lib/ids";
import { type DeliverySettings, deliverDue } from "./deliver";
import { claim, commitDelivered, plan } from "./lease";
import {
  createStream,
  deleteStream,
  getStream,
  listDeadLetters,
  listStreams,
  pauseStream,
  resumeStream,
  updateStream,
} from "./streams";
import { testStream } from "./test-stream";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

const FAST: Partial<DeliverySettings> = {
  pollMs: 20,
  leaseMs: 1_500,
  deadlineMs: 1_000,
  backoffMs: 50,
  maxBackoffMs: 400,
  probeMs: 300,
};
const TOKEN = "0b9f6d0e-7a1c-4d8e-9f41-aa0c5d7741c9";

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

async function newOrganization(): Promise<Scope> {
  const organizationId = newId("organization");
  await db.app.query("INSERT INTO organizations (id, name) VALUES ($1, 'Test')", [organizationId]);
  await db.app.query(
    "INSERT INTO log_heads (organization_id, origin, head_hash) VALUES ($1, $2, sha256('genesis'))",
    [organizationId, `test.example/${organizationId}`],
  );
  return systemScope("cli", organizationId);
}

async function append(scope: Scope, actions: string[]): Promise<void> {
  const items = actions.map((action): AppendItem => {
    const parsed = parseImportedEvent({
      action,
      occurred_at: "2026-01-02T03:04:05.678Z",
      actor: { type: "user", id: "u1" },
      targets: [{ type: "team", id: "t1" }],
      metadata: { nested: { text: 'tab\t quote " line\n' } },
    });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    return { event: parsed.value, key: randomBytes(32), keylessKey: null, source: "import" };
  });
  for (let from = 0; from < items.length; from += 500) {
    await appendBatch(scope.organizationId, items.slice(from, from + 500));
  }
}

const plain = (count: number) => Array.from({ length: count }, () => "user.signed_in");

async function addStream(scope: Scope, destination: "webhook" | "splunk"): Promise<string> {
  const saved =
    destination === "webhook"
      ? await createStream(scope, {
          destination,
          name: "Hook",
          from: "start",
          config: { url: `${receiver.url}/hook`, format: "json", headers: [] },
          secrets: {},
        })
      : await createStream(scope, {
          destination,
          name: "SOC",
          from: "start",
          config: { url: receiver.url },
          secrets: { token: TOKEN },
        });
  return saved.stream.id;
}

async function until(
  what: string,
  done: () => Promise<boolean>,
  timeoutMs = 20_000,
): Promise<void> {
  const end = Date.now() + timeoutMs;
  while (!(await done())) {
    if (Date.now() > end) throw new Error(`${what} did not happen in ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Runs the delivery loop in this process while `work` goes on. */
async function whileDelivering(work: () => Promise<void>, settings = FAST): Promise<void> {
  const stop = new AbortController();
  const loop = deliverDue(stop.signal, settings);
  try {
    await work();
  } finally {
    stop.abort();
    await loop;
  }
}

const drained = (scope: Scope, id: string) =>
  until("the end of the lag", async () => (await getStream(scope, id)).lagEvents === 0);

interface Tally {
  lost: number[];
  copies: number;
  outOfOrder: number;
}

/** What a receiver sees that drops sequences it has: nothing lost, first sights in order. */
function tally(stored: Stored[], expected: number[]): Tally {
  const seen = new Set<number>();
  let copies = 0;
  let outOfOrder = 0;
  let highest = -1;
  for (const { seq } of stored) {
    if (seq === null) continue;
    if (seen.has(seq)) copies += 1;
    else if (seq < highest) outOfOrder += 1;
    seen.add(seq);
    highest = Math.max(highest, seq);
  }
  return { lost: expected.filter((seq) => !seen.has(seq)), copies, outOfOrder };
}

const upTo = (count: number) => Array.from({ length: count }, (_, seq) => seq);

describe.each(["webhook", "splunk"] as const)("%s", (destination) => {
  it("delivers everything in order, once, when nothing fails; new events follow quickly", async () => {
    const scope = await newOrganization();
    await append(scope, plain(1_203));
    const id = await addStream(scope, destination);
    await whileDelivering(async () => {
      await drained(scope, id);
      const before = Date.now();
      await append(scope, plain(1));
      await until("delivery", async () => receiver.stored().length === 1_204);
      expect(Date.now() - before).toBeLessThan(1_500);
      await drained(scope, id);
    });
    expect(tally(receiver.stored(), upTo(1_204))).toEqual({ lost: [], copies: 0, outOfOrder: 0 });
    expect(receiver.requests()).toBe(4);
    const { rows } = await db.app.query(
      "SELECT id, encode(chain_hash, 'hex') AS hash FROM events WHERE organization_id = $1 ORDER BY seq",
      [scope.organizationId],
    );
    expect(receiver.stored().map(({ id, chainHash }) => ({ id, hash: chainHash }))).toEqual(rows);
    const stream = await getStream(scope, id);
    expect(stream).toMatchObject({
      state: "active",
      lagEvents: 0,
      lagS: 0,
      delivered: 1_204,
      lastError: null,
    });
    expect(stream.lastSuccessAt).not.toBeNull();
  });

  it.each([
    ["503 three times", { mode: "status", status: 503, times: 3 }, 0],
    ["429 with Retry-After", { mode: "retry_after", status: 429, seconds: 1, times: 1 }, 0],
    ["a dropped connection", { mode: "reset", times: 2 }, 0],
    ["a connection dropped after storing", { mode: "reset_after_storing", times: 1 }, 500],
    ["an answer after the deadline", { mode: "slow", delayMs: 1_600, times: 1 }, 500],
  ] as const)(
    "%s: nothing lost, in order, copies of one batch at most",
    async (_name, fault, copies) => {
      const scope = await newOrganization();
      await append(scope, plain(1_100));
      const id = await addStream(scope, destination);
      receiver.setFault(fault);
      const started = Date.now();
      await whileDelivering(async () => {
        await until("a failure", async () => (await getStream(scope, id)).state === "degraded");
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
    const actions = plain(700);
    for (const bad of [0, 333, 334, 699]) actions[bad] = "poison";
    await append(scope, actions);
    const id = await addStream(scope, destination);
    receiver.setFault({ mode: "poison", action: "poison" });
    await whileDelivering(() => drained(scope, id));
    const good = upTo(700).filter((seq) => actions[seq] !== "poison");
    expect(tally(receiver.stored(), good)).toEqual({ lost: [], copies: 0, outOfOrder: 0 });
    expect((await listDeadLetters(scope, id)).map(({ seq }) => seq)).toEqual([699, 334, 333, 0]);
    expect(await getStream(scope, id)).toMatchObject({ deadLetters: 4, delivered: 696 });
  });

  it("a receiver that refuses everything stops the stream instead of losing the log to it", async () => {
    const scope = await newOrganization();
    await append(
      scope,
      Array.from({ length: 100 }, () => "poison"),
    );
    const id = await addStream(scope, destination);
    receiver.setFault({ mode: "poison", action: "poison" });
    await whileDelivering(async () => {
      await until("the stop", async () => (await getStream(scope, id)).state === "error");
    });
    const stream = await getStream(scope, id);
    expect(stream.lastError?.code).toBe("refuses_everything");
    expect(stream).toMatchObject({ deadLetters: 20, cursorSeq: 20, lagEvents: 80 });
  });

  it("rejected credentials are an error that says so; a new secret resumes without loss", async () => {
    const scope = await newOrganization();
    await append(scope, plain(10));
    const id = await addStream(scope, destination);
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
    expect(tally(receiver.stored(), upTo(10))).toEqual({ lost: [], copies: 0, outOfOrder: 0 });
    expect((await getStream(scope, id)).state).toBe("active");
  });
});

it("a retried range carries the same delivery id, so that receivers can drop the copy", async () => {
  const scope = await newOrganization();
  await append(scope, plain(5));
  const id = await addStream(scope, "webhook");
  receiver.setFault({ mode: "reset_after_storing", times: 1 });
  await whileDelivering(async () => {
    await until("the first copy", async () => receiver.stored().length === 5);
    await append(scope, plain(5));
    await drained(scope, id);
  });
  const stored = receiver.stored();
  expect(stored.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const ids = [...new Set(stored.map(({ deliveryId }) => deliveryId))];
  expect(ids).toEqual([`msg_${id.slice(4)}_0-4`, `msg_${id.slice(4)}_5-9`]);
});

it("a paused stream sends nothing and keeps its place", async () => {
  const scope = await newOrganization();
  await append(scope, plain(3));
  const id = await addStream(scope, "webhook");
  await whileDelivering(async () => {
    await drained(scope, id);
    await pauseStream(scope, id);
    await append(scope, plain(4));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(receiver.stored()).toHaveLength(3);
    expect(await getStream(scope, id)).toMatchObject({
      state: "paused",
      cursorSeq: 3,
      lagEvents: 4,
    });
    await resumeStream(scope, id);
    await drained(scope, id);
  });
  expect(tally(receiver.stored(), upTo(7))).toEqual({ lost: [], copies: 0, outOfOrder: 0 });
});

it("a pause during a send lets the send count and sends no more", async () => {
  const scope = await newOrganization();
  await append(scope, plain(600));
  const id = await addStream(scope, "webhook");
  receiver.setFault({ mode: "slow", delayMs: 400, times: 1 });
  await whileDelivering(async () => {
    await until("the first batch", async () => receiver.stored().length === 500);
    await pauseStream(scope, id);
    await new Promise((resolve) => setTimeout(resolve, 900));
  });
  expect(await getStream(scope, id)).toMatchObject({
    state: "paused",
    cursorSeq: 500,
    delivered: 500,
  });
  expect(receiver.stored()).toHaveLength(500);
});

it("a receiver that answers 410 gets nothing more until somebody resumes the stream", async () => {
  const scope = await newOrganization();
  await append(scope, plain(2));
  const id = await addStream(scope, "webhook");
  receiver.setFault({ mode: "status", status: 410, times: 1 });
  await whileDelivering(async () => {
    await until("the stop", async () => (await getStream(scope, id)).state === "disabled");
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(receiver.requests()).toBe(1);
    await resumeStream(scope, id);
    await drained(scope, id);
  });
  expect(receiver.stored()).toHaveLength(2);
});

it("a holder that slept past its lease is fenced: its cursor move and its plan count nothing", async () => {
  const scope = await newOrganization();
  await append(scope, plain(20));
  const id = await addStream(scope, "webhook");
  const key = { organizationId: scope.organizationId, streamId: id };
  const zombie = await claim(key, "zombie", 100);
  if (!zombie) throw new Error("not claimed");
  expect(await plan(zombie, 10)).toBe(true);
  expect(await claim(key, "early", 100)).toBeNull();
  await new Promise((resolve) => setTimeout(resolve, 150));
  const next = await claim(key, "next", 5_000);
  if (!next) throw new Error("not claimed");
  expect(next.inflightToSeq).toBe(10);
  expect(await commitDelivered(zombie, 10, 10)).toBe(false);
  expect(await plan(zombie, 20)).toBe(false);
  expect(await getStream(scope, id)).toMatchObject({ cursorSeq: 0, delivered: 0 });
  expect(await plan(next, 10)).toBe(true);
  expect(await commitDelivered(next, 10, 10)).toBe(true);
  expect(await getStream(scope, id)).toMatchObject({ cursorSeq: 10, delivered: 10 });
});

it("several loops share the streams: each event leaves once, in the order of its stream", async () => {
  const scopes = await Promise.all([newOrganization(), newOrganization(), newOrganization()]);
  const streams: [Scope, string][] = [];
  for (const scope of scopes) {
    await append(scope, plain(900));
    for (const destination of ["webhook", "splunk"] as const) {
      streams.push([scope, await addStream(scope, destination)]);
    }
  }
  await whileDelivering(() =>
    whileDelivering(async () => {
      await Promise.all(streams.map(([scope, id]) => drained(scope, id)));
    }),
  );
  const stored = receiver.stored();
  expect(stored).toHaveLength(6 * 900);
  for (const [, id] of streams) {
    const own = stored.filter(({ deliveryId }) => deliveryId?.includes(id.slice(4)));
    if (own.length === 0) continue;
    expect(tally(own, upTo(900))).toEqual({ lost: [], copies: 0, outOfOrder: 0 });
  }
});

describe("a delivering process killed with SIGKILL", () => {
  const bundle = path.resolve(".build", `deliver-test-${process.pid}.mjs`);
  beforeAll(async () => {
    await build({
      stdin: {
        contents: `import { deliverDue } from "@/lib/streams/server/deliver";
          deliverDue(new AbortController().signal, ${JSON.stringify(FAST)});`,
        resolveDir: process.cwd(),
        loader: "ts",
      },
      alias: { "@": process.cwd() },
      outfile: bundle,
      bundle: true,
      platform: "node",
      format: "esm",
      packages: "external",
      logLevel: "warning",
    });
  });
  afterAll(() => fs.rmSync(bundle, { force: true }));

  function startProcess(): ChildProcess {
    return spawn(process.execPath, [bundle], { stdio: ["ignore", "inherit", "inherit"] });
  }

  it("three times in mid-batch: nothing lost, in order, copies of one batch per kill at most", async () => {
    const scope = await newOrganization();
    await append(scope, plain(5_000));
    const id = await addStream(scope, "webhook");
    for (let kill = 1; kill <= 3; kill += 1) {
      receiver.setFault({ mode: "slow", delayMs: 300 });
      const before = receiver.stored().length;
      const child = startProcess();
      await until("a batch under way", async () => receiver.stored().length >= before + 1_000);
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      expect((await getStream(scope, id)).lagEvents).toBeGreaterThan(0);
    }
    receiver.setFault({ mode: "ok" });
    const child = startProcess();
    await drained(scope, id);
    child.kill("SIGKILL");
    const { lost, copies, outOfOrder } = tally(receiver.stored(), upTo(5_000));
    console.info(`killed 3 times: ${copies} copies of 5000`);
    expect({ lost, outOfOrder }).toEqual({ lost: [], outOfOrder: 0 });
    expect(copies).toBeLessThanOrEqual(3 * 500);
    expect((await getStream(scope, id)).delivered).toBe(5_000);
  });
});

describe("stream records", () => {
  it("another organization sees and changes nothing of a stream", async () => {
    const [owner, stranger] = [await newOrganization(), await newOrganization()];
    const id = await addStream(owner, "webhook");
    expect(await listStreams(stranger)).toEqual([]);
    for (const act of [getStream, pauseStream, resumeStream, deleteStream, testStream]) {
      await expect(act(stranger, id)).rejects.toThrow("There is no such stream");
    }
    expect(await listStreams(owner)).toHaveLength(1);
  });

  it("secrets are stored sealed and come back as their last four characters", async () => {
    const scope = await newOrganization();
    const id = await addStream(scope, "splunk");
    const { rows } = await db.app.query("SELECT secrets::text FROM streams WHERE id = $1", [id]);
    expect(rows[0].secrets).not.toContain(TOKEN);
    const [stream] = await listStreams(scope);
    expect(stream?.secrets.token).toMatchObject({ set: true, last4: "41c9" });
    expect(JSON.stringify(stream)).not.toContain(TOKEN);
  });

  it("another host demands the secrets again; another path does not", async () => {
    const scope = await newOrganization();
    const id = await addStream(scope, "splunk");
    const other = { url: receiver.url.replace("127.0.0.1", "localhost") };
    const input = { id, name: "SOC", secrets: {} };
    await expect(updateStream(scope, { ...input, config: other })).rejects.toThrow("another host");
    await updateStream(scope, { ...input, config: { url: receiver.url, index: "audit" } });
    await updateStream(scope, {
      ...input,
      config: other,
      secrets: { token: "another-token-9999" },
    });
    expect((await getStream(scope, id)).secrets.token?.last4).toBe("9999");
  });

  it("a stream from now on forwards only what comes later", async () => {
    const scope = await newOrganization();
    await append(scope, plain(5));
    const { stream } = await createStream(scope, {
      destination: "webhook",
      name: "Hook",
      from: "now",
      config: { url: `${receiver.url}/hook`, format: "ndjson", headers: ["X-Team"] },
      secrets: { "header:X-Team": "blue" },
    });
    await append(scope, plain(2));
    await whileDelivering(() => drained(scope, stream.id));
    expect(receiver.stored().map(({ seq }) => seq)).toEqual([5, 6]);
    expect(receiver.lastHeaders()["x-team"]).toBe("blue");
  });

  it("a private address is refused when the stream is saved", async () => {
    const scope = await newOrganization();
    const config = { url: "https://169.254.169.254/", format: "json" as const, headers: [] };
    const input = { destination: "webhook" as const, name: "x", from: "now" as const, secrets: {} };
    await expect(createStream(scope, { ...input, config })).rejects.toThrow("not a public address");
  });

  it("a deleted stream is gone from the list, sends nothing and keeps no secret", async () => {
    const scope = await newOrganization();
    await append(scope, plain(3));
    const id = await addStream(scope, "webhook");
    await deleteStream(scope, id);
    await whileDelivering(() => new Promise((resolve) => setTimeout(resolve, 200)));
    expect(receiver.stored()).toEqual([]);
    expect(await listStreams(scope)).toEqual([]);
    const { rows } = await db.app.query("SELECT secrets FROM streams WHERE id = $1", [id]);
    expect(rows[0].secrets).toEqual({});
  });

  it("a test sends one labelled event outside the chain and explains a refusal", async () => {
    const scope = await newOrganization();
    const id = await addStream(scope, "splunk");
    expect(await testStream(scope, id)).toMatchObject({ ok: true, status: 200, problem: null });
    expect(receiver.stored()).toMatchObject([
      { seq: null, action: "trailseal.test", chainHash: null },
    ]);
    const body = JSON.stringify({ text: "Incorrect index", code: 7 });
    receiver.setFault({ mode: "status", status: 400, body, times: 1 });
    const refused = await testStream(scope, id);
    expect(refused).toMatchObject({
      ok: false,
      status: 400,
      problem: { code: "hec_7" },
      reply: body,
    });
    expect(refused.problem?.advice).toContain("index");
    expect(await getStream(scope, id)).toMatchObject({ delivered: 0, lastError: null });
  });

  it("lag counts waiting events and the age of the oldest", async () => {
    const scope = await newOrganization();
    await append(scope, plain(4));
    const id = await addStream(scope, "webhook");
    await new Promise((resolve) => setTimeout(resolve, 120));
    const stream = await getStream(scope, id);
    expect(stream.lagEvents).toBe(4);
    expect(stream.lagS).toBeGreaterThan(0.1);
    expect(stream.lagS).toBeLessThan(30);
  });
});
