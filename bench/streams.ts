import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import { sha256 } from "@/lib/chain/sha256";
import { seedOrganization } from "@/lib/cli/seed";
import { readPool } from "@/lib/db/pool";
import { appendBatch } from "@/lib/events/server/append";
import { newId } from "@/lib/ids";
import { createOrganization } from "@/lib/orgs/server/organizations";
import { moveCursor } from "@/lib/streams/server/cursor";
import { createStream } from "@/lib/streams/server/streams";
import { events as eventsOf, take } from "./ingest";
import { inTurn, quantiles, type Row } from "./measure";
import { proc, processesBelow, processorMs } from "./processes";

/** Of each side in turn: on a machine that others share, single runs differ by a fifth. */
const RUNS = 9;
/** Milliseconds until a receiver answers, beside its work: one on this machine, and one in the next region. */
const DELAYS = [0, 20];
const INGEST = { batch: 100, everyMs: 100, batches: 50 };

/**
 * What a receiver has to do with each request (Standard Webhooks 1.0, "Verifying webhook authenticity"): takes the raw
 * body, verifies its signature, parses it, and stores it before it answers. What comes the first time is kept, for the
 * bare side to send. Its input are the secret, how long to wait before answers, and the question how many milliseconds
 * were between the first request since it was last asked and the last answer.
 */
const RECEIVER = `
import http from "node:http";
import fs from "node:fs";
import { createHmac, timingSafeEqual } from "node:crypto";
const log = fs.openSync(process.env.KEEP_IN + ".received", "a");
let key, kept = 0, delay = 0, first = null, last = null;
process.stdin.on("data", (line) => {
  const [name, value] = String(line).trim().split(" ");
  if (name === "delay") delay = Number(value);
  else if (name === "took") {
    console.log(last - first);
    first = null;
    fs.ftruncateSync(log);
  } else key = Buffer.from(value.replace("whsec_", ""), "base64");
});
const server = http.createServer(async (request, response) => {
  first ??= performance.now();
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature } = request.headers;
  const wanted = createHmac("sha256", key).update(id + "." + at + ".").update(body).digest();
  const isGenuine = timingSafeEqual(wanted, Buffer.from(signature.slice(3), "base64"));
  if (!isGenuine || !Array.isArray(JSON.parse(body))) return response.writeHead(400).end();
  fs.writeSync(log, body);
  fs.fdatasyncSync(log);
  if (!request.headers["x-again"] && !/_r\\d+_/.test(id)) {
    const file = process.env.KEEP_IN + "/" + String(kept++).padStart(6, "0");
    fs.writeFileSync(file, body);
    fs.writeFileSync(file + ".headers", JSON.stringify({ "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature, "x-again": "1" }));
  }
  if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
  response.end("ok");
  last = performance.now();
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
`;

/** Posts what is in a directory, one body after another. */
const SENDER = `
import fs from "node:fs";
import { request, Agent } from "undici";
const [url, directory] = process.argv.slice(-2);
const files = fs.readdirSync(directory).filter((name) => !name.endsWith(".headers")).sort();
const bodies = files.map((name) => [fs.readFileSync(directory + "/" + name), JSON.parse(fs.readFileSync(directory + "/" + name + ".headers"))]);
const dispatcher = new Agent({ connections: 1, pipelining: 1 });
console.log("ready");
process.stdin.on("data", async () => {
  for (const [body, headers] of bodies) {
    const { body: answer, statusCode } = await request(url, { method: "POST", body, dispatcher, headers: { "content-type": "application/json", ...headers } });
    await answer.text();
    if (statusCode !== 200) throw new Error("refused: " + statusCode);
  }
  console.log("done");
});
`;

function start(source: string, args: string[] = [], env: Record<string, string> = {}) {
  return spawn(process.execPath, ["--input-type=module", "-e", source, ...args], {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
}

const line = async (child: ChildProcess): Promise<string> =>
  String((await once(child.stdout as NodeJS.EventEmitter, "data"))[0]).trim();

/** Seals events into another log all the while, as a server does. */
async function ingest(organizationId: string, signal: AbortSignal): Promise<void> {
  const source = eventsOf(11);
  // Made before the time that counts: making them up is no part of a server's work.
  const made = Array.from({ length: INGEST.batches }, () => take(source, INGEST.batch));
  for (let turn = 0; !signal.aborted; turn += 1) {
    const started = performance.now();
    const items = (made[turn % made.length] ?? []).map((event) => ({
      event,
      key: sha256(newId("request")),
      keylessKey: null,
      source: "import" as const,
    }));
    await appendBatch(organizationId, items);
    const leftMs = INGEST.everyMs - (performance.now() - started);
    if (leftMs > 0) await new Promise((resolve) => setTimeout(resolve, leftMs));
  }
}

/** Processor time by what used it, summed over all runs of one side; ingest is this process. */
class Spent {
  readonly #ms = new Map<string, number>();

  constructor(private readonly parts: Record<string, ChildProcess>) {}

  #now(): [string, number][] {
    const isDatabase = (pid: number) => proc(pid, "cmdline").includes("postgres");
    return [
      ...Object.entries(this.parts).map(([name, { pid }]) => [name, [pid as number]] as const),
      ["PostgreSQL", processesBelow(process.pid).filter(isDatabase)] as const,
      ["ingest", [process.pid]] as const,
    ].map(([name, pids]) => [name, processorMs([...pids])]);
  }

  async during(work: () => Promise<unknown>): Promise<void> {
    const before = new Map(this.#now());
    await work();
    for (const [name, ms] of this.#now())
      this.#ms.set(name, (this.#ms.get(name) ?? 0) + ms - (before.get(name) ?? 0));
  }

  words(requests: number): string {
    return [...this.#ms].map(([name, ms]) => `${name} ${(ms / requests).toFixed(1)}`).join(", ");
  }
}

/** A backlog through one webhook stream, against the same bodies posted by a loop that does nothing else. */
export async function benchStreams(root: string, events: number): Promise<Row[]> {
  const create = async (name: string) =>
    (await createOrganization(systemInstanceScope("cli"), { name })).id;
  const organizationId = await create("Delivered");
  const busy = await create("Busy");
  const scope = systemScope("cli", organizationId);
  const end = new Date(`${new Date().toISOString().slice(0, 10)}T00:00:00Z`);
  await seedOrganization(organizationId, events, {
    ...{ seed: 1, days: 30, end, actors: 5_000, targets: 20_000 },
  });
  const kept = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-bodies-"));
  const children: ChildProcess[] = [];
  const receiver = start(RECEIVER, [], { KEEP_IN: kept });
  children.push(receiver);
  const url = `http://127.0.0.1:${await line(receiver)}/hook`;
  const { stream, generatedSecrets } = await createStream(scope, {
    ...{ destination: "webhook", name: "Bench", from: "start", config: { url }, secrets: {} },
  });
  receiver.stdin?.write(`secret ${generatedSecrets.signing_secret}`);
  // The whole state of a stream, asked for so often, would be a load of its own.
  const lag = async () => {
    const { rows } = await readPool().query<{ lag: number }>(
      `SELECT h.next_seq - t.cursor_seq AS lag FROM stream_state t
       JOIN log_heads h ON h.organization_id = t.organization_id
       WHERE t.organization_id = $1 AND t.stream_id = $2 AND t.lane = 'live'`,
      [organizationId, stream.id],
    );
    return rows[0]?.lag ?? 0;
  };
  const drained = async () => {
    while ((await lag()) > 0) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  const worker = spawn(process.execPath, [path.join(root, ".build/worker.mjs"), "delivery"], {
    env: process.env,
    stdio: ["ignore", "inherit", "inherit"],
  });
  children.push(worker);
  const memories: string[] = [];
  const measureMemory = () => {
    const status = fs.readFileSync(`/proc/${worker.pid}/status`, "utf8");
    memories.push(String(Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1_000)));
  };
  await drained();
  measureMemory();
  const sender = start(SENDER, [url, kept]);
  children.push(sender);
  await line(sender);
  /** How long a worker takes to begin, since it looks for work four times a second, says nothing of how fast it is then. */
  const atReceiver = async (work: () => Promise<unknown>): Promise<number> => {
    await work();
    const answer = line(receiver);
    receiver.stdin?.write("took");
    return Number(await answer);
  };
  const stop = new AbortController();
  const ingesting = ingest(busy, stop.signal);
  try {
    const rows: Row[] = [];
    for (const delayMs of DELAYS) {
      receiver.stdin?.write(`delay ${delayMs}`);
      const spent = {
        ours: new Spent({ worker, receiver }),
        bare: new Spent({ sender, receiver }),
      };
      const samples = await inTurn(
        RUNS,
        () =>
          spent.ours.during(async () => {
            await moveCursor(scope, { id: stream.id, toSeq: 0, reason: "bench" });
            await drained();
            measureMemory();
          }),
        () =>
          spent.bare.during(async () => {
            sender.stdin?.write("go");
            await line(sender);
          }),
        atReceiver,
      );
      const requests = fs.readdirSync(kept).length / 2;
      // One run of each side is not timed.
      const perRequest = (side: Spent) => side.words(requests * (RUNS + 1));
      const [ours, bare] = [quantiles(samples.ours), quantiles(samples.bare)];
      const rate = (ms: number) => `${Math.round((events * 1_000) / ms).toLocaleString("en-US")}/s`;
      const receives =
        delayMs === 0 ? "on this machine" : `that answers ${delayMs} ms later, as over a network`;
      rows.push({
        what: `${events.toLocaleString("en-US")} events through a webhook stream to a receiver ${receives}, while others are ingested`,
        ours: rate(ours.p50),
        bare: rate(bare.p50),
        ratio: bare.p50 / ours.p50,
        target: { floor: 0.6, goal: 0.8, atLeast: true },
        note: `${requests} requests to a receiver that verifies, parses and stores each, from the first to the last answer; bare: the same requests one after another by undici. Processor time per request, ms: ${perRequest(spent.ours)}; bare: ${perRequest(spent.bare)}. Memory of the worker after each run: ${memories.join(", ")} MB`,
      });
    }
    return rows;
  } finally {
    stop.abort();
    await ingesting;
    for (const child of children) child.kill("SIGTERM");
    for (const place of [kept, `${kept}.received`])
      fs.rmSync(place, { recursive: true, force: true });
  }
}
