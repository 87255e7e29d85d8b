import { once } from "node:events";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { Worker } from "node:worker_threads";
import { to as copyTo } from "pg-copy-streams";
import type { Scope } from "@/lib/auth/scope";
import { longPool } from "@/lib/db/pool";
import { streamCsv } from "@/lib/events/server/csv";
import { verifyLog } from "@/lib/integrity/server/verify";
import { windowThreads } from "@/lib/integrity/server/window-threads";
import { inTurn, quantiles, type Row } from "./measure";
import { type Reading, readAndHash, readings } from "./read-and-hash";

async function drain(stream: Readable): Promise<number> {
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await finished(stream);
  return bytes;
}

/** Highest resident memory of this process while `work` runs, bytes. */
export async function peakMemory(work: () => Promise<unknown>): Promise<number> {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage.rss());
  }, 20);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return peak;
}

export const megabytes = (bytes: number) => `${Math.round(bytes / 1_000_000)} MB`;
export const rate = (events: number, timeMs: number) =>
  `${Math.round((events * 1_000) / timeMs).toLocaleString("en-US")}/s`;

/** The columns of the download, in its order, by a plain COPY. */
export const PLAIN_CSV = `SELECT id, organization_id, action, version, occurred_at, recorded_at, actor_type, actor_id, actor_name,
  actor -> 'metadata', targets, location, context ->> 'user_agent', context, metadata, seq, encode(chain_hash, 'hex')
  FROM events WHERE organization_id = 'ORG' ORDER BY occurred_at DESC, seq DESC`;

export async function benchCsv(scope: Scope, events: number): Promise<Row> {
  const ours = async () => drain(await streamCsv(scope, { filter: { clauses: [] } }));
  const bare = async () => {
    const client = await longPool().connect();
    try {
      return await drain(
        client.query(
          copyTo(
            `COPY (${PLAIN_CSV.replace("ORG", scope.organizationId)}) TO STDOUT (FORMAT csv, HEADER)`,
          ),
        ),
      );
    } finally {
      client.release();
    }
  };
  const memory = await peakMemory(ours);
  const samples = await inTurn(3, ours, bare);
  const [mine, plain] = [quantiles(samples.ours), quantiles(samples.bare)];
  return {
    what: "CSV of everything",
    ours: rate(events, mine.p50),
    bare: rate(events, plain.p50),
    ratio: plain.p50 / mine.p50,
    target: { floor: 0.5, goal: 0.8, atLeast: true },
    note: `peak memory of this process ${megabytes(memory)}${memory > 300_000_000 ? ": MISS" : ""}`,
  };
}

/** Every reading on a connection of its own: the first in this process, as the walk is, the others in threads. */
async function readAll([first, ...others]: Reading[]): Promise<void> {
  const { connectionString } = longPool().options;
  const threads = others.map(async (reading) => {
    const workerData = { connectionString, reading };
    const thread = new Worker(new URL("./read-thread.mjs", import.meta.url), { workerData });
    const [code] = await once(thread, "exit");
    if (code !== 0) throw new Error(`a reading thread ended with ${code}`);
  });
  const client = await longPool().connect();
  try {
    await Promise.all([readAndHash(client, first as Reading), ...threads]);
  } finally {
    client.release();
  }
}

export async function benchVerify(scope: Scope, events: number): Promise<Row> {
  const ours = async () => {
    const verdict = await verifyLog(scope);
    if (!verdict.ok)
      throw new Error(`The benchmark's log does not verify: ${JSON.stringify(verdict)}`);
  };
  const threads = windowThreads(events);
  const bare = () => readAll(readings(scope.organizationId, events, threads));
  const memory = await peakMemory(ours);
  const samples = await inTurn(2, ours, bare);
  const [mine, plain] = [quantiles(samples.ours), quantiles(samples.bare)];
  return {
    what: "verify (bare: same rows read, SHA-256 of the same bytes)",
    ours: rate(events, mine.p50),
    bare: rate(events, plain.p50),
    ratio: plain.p50 / mine.p50,
    target: { floor: 0.3, goal: 0.5, atLeast: true },
    note: `each side: ${threads === 0 ? "one connection, no threads" : `${threads} threads for events, started anew, and the main one for targets and tiles, each with a connection`}; peak memory of this process ${megabytes(memory)}`,
  };
}
