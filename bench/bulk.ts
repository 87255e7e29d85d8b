import { hash } from "node:crypto";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { to as copyTo } from "pg-copy-streams";
import type { Scope } from "@/lib/auth/scope";
import { longPool } from "@/lib/db/pool";
import { streamCsv } from "@/lib/events/server/csv";
import { verifyLog } from "@/lib/integrity/server/verify";
import { inTurn, quantiles, type Row } from "./measure";

async function drain(stream: Readable): Promise<number> {
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await finished(stream);
  return bytes;
}

/** Highest resident memory of this process while `work` runs, bytes. */
async function peakMemory(work: () => Promise<unknown>): Promise<number> {
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

const megabytes = (bytes: number) => `${Math.round(bytes / 1_000_000)} MB`;
const rate = (events: number, timeMs: number) =>
  `${Math.round((events * 1_000) / timeMs).toLocaleString("en-US")}/s`;

/** The columns of the download, in its order, by a plain COPY. */
const PLAIN = `SELECT id, organization_id, action, version, occurred_at, recorded_at, actor_type, actor_id, actor_name,
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
            `COPY (${PLAIN.replace("ORG", scope.organizationId)}) TO STDOUT (FORMAT csv, HEADER)`,
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

/** Reading the same rows and hashing the same bytes: what no verification can be faster than. */
async function readAndHash(scope: Scope): Promise<number> {
  const client = await longPool().connect();
  let seen = 0;
  try {
    const stream = client.query(
      copyTo(`COPY (SELECT seq, recorded_at, occurred_at, version, id, action, actor, targets, context, metadata, salts, chain_hash,
        actor_id, actor_type, actor_name, location, ip FROM events
        WHERE organization_id = '${scope.organizationId}' ORDER BY seq) TO STDOUT`),
    );
    stream.on("data", (chunk: Buffer) => {
      for (
        let start = 0, end = chunk.indexOf(10);
        end >= 0;
        start = end + 1, end = chunk.indexOf(10, start)
      ) {
        hash("sha256", chunk.subarray(start, end), "buffer");
        seen += 1;
      }
    });
    await finished(stream);
    return seen;
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
  const memory = await peakMemory(ours);
  const samples = await inTurn(2, ours, () => readAndHash(scope));
  const [mine, plain] = [quantiles(samples.ours), quantiles(samples.bare)];
  return {
    what: "verify (bare: same rows read, SHA-256 of the same bytes)",
    ours: rate(events, mine.p50),
    bare: rate(events, plain.p50),
    ratio: plain.p50 / mine.p50,
    target: { floor: 0.3, goal: 0.5, atLeast: true },
    note: `one process, peak memory ${megabytes(memory)}`,
  };
}
