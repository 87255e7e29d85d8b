import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import { sha256 } from "@/lib/chain/sha256";
import { ownerPool } from "@/lib/db/owner-pool";
import { longPool, retentionPool, writePool } from "@/lib/db/pool";
import { EMPTY_FILTER } from "@/lib/events/filter/ast";
import { appendBatch } from "@/lib/events/server/append";
import { listEvents } from "@/lib/events/server/list";
import { newId } from "@/lib/ids";
import { cutCheckpoint } from "@/lib/integrity/server/signer";
import { verifyLog } from "@/lib/integrity/server/verify";
import { createOrganization } from "@/lib/orgs/server/organizations";
import { setRetention } from "@/lib/orgs/server/retention";
import { listRuns } from "@/lib/retention/server/overview";
import { runRetention } from "@/lib/retention/server/run";
import { events as eventsOf, take } from "./ingest";
import { quantiles, type Row } from "./measure";

/** Days that the logs keep; the longest leaves whole months behind, the others rows of months that it needs. */
const PERIODS = [30, 90, 180];
const DAYS = 365;
const BATCH = 500;
const PAUSE_MS = 20;
const QUIET_MS = 20_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const number = (value: number) => value.toLocaleString("en-US");
const megabytes = (bytes: number) => `${number(Math.round(bytes / 1e6))} MB`;

async function append(organizationId: string, events: ReturnType<typeof take>): Promise<void> {
  const items = events.map((event) => {
    const key = sha256(newId("request"));
    return { event, key, keylessKey: null, source: "import" as const };
  });
  await appendBatch(organizationId, items);
}

/** Runs `work` as if it were so many days ago: what is received then is old now. */
async function ago(days: number, work: () => Promise<void>): Promise<void> {
  const now = Date.now;
  Date.now = () => now() - days * 86_400_000;
  try {
    await work();
  } finally {
    Date.now = now;
  }
}

/** As many events on each day of the year. */
async function fill(logs: string[], count: number): Promise<void> {
  const source = eventsOf(3);
  await writePool().query(
    "SELECT ensure_partitions(now() - $1 * interval '1 day' + m * interval '1 month') FROM generate_series(0, 12) AS m",
    [DAYS],
  );
  for (let day = DAYS, done = 0; day > 0; day -= 1) {
    const until = Math.round((count / logs.length / DAYS) * (DAYS - day + 1));
    await ago(day, async () => {
      for (const log of logs)
        for (let at = done; at < until; at += BATCH)
          await append(log, take(source, Math.min(BATCH, until - at)));
    });
    done = until;
  }
}

/** Long ago: a period that was just sealed deletes nothing yet. */
async function setPeriods(logs: string[]): Promise<void> {
  for (const [at, log] of logs.entries()) {
    await setRetention(systemScope("cli", log), PERIODS[at] as number);
    await cutCheckpoint(log);
  }
  const owner = await ownerPool();
  await owner.query("UPDATE checkpoints SET created_at = '2020-01-01'");
  // As it is an hour after an import, autovacuum having come by and what was written being on the disk.
  await owner.query("VACUUM ANALYZE");
  await owner.query("CHECKPOINT");
  await owner.end();
}

async function verifyAll(logs: string[]): Promise<number> {
  let checked = 0;
  for (const log of logs) {
    const verdict = await verifyLog(systemScope("cli", log));
    if (!verdict.ok) throw new Error(`${log} does not verify: ${JSON.stringify(verdict)}`);
    checked += verdict.checked;
  }
  return checked;
}

/** Writes and reads the logs in turn for as long as `work` takes; milliseconds of each. */
async function beside<T>(logs: string[], work: () => Promise<T>) {
  const source = eventsOf(7);
  const times = { write: [] as number[], read: [] as number[] };
  let isOver = false;
  const repeat = async (samples: number[], step: (log: string) => Promise<unknown>) => {
    while (!isOver) {
      const log = logs[samples.length % logs.length] as string;
      const started = performance.now();
      await step(log);
      samples.push(performance.now() - started);
      await pause(PAUSE_MS);
    }
  };
  const running = [
    repeat(times.write, (log) => append(log, take(source, 1))),
    repeat(times.read, (log) => listEvents(systemScope("cli", log), { filter: EMPTY_FILTER })),
  ];
  const result = await work().finally(() => {
    isOver = true;
  });
  await Promise.all(running);
  return { result, write: quantiles(times.write), read: quantiles(times.read) };
}

/**
 * A year of three logs with a period each: what deleting what is past them does to who writes and reads meanwhile, and
 * what goes.
 */
export async function benchRetention(
  count: number,
  say: (message: string) => void,
): Promise<Row[]> {
  const logs: string[] = [];
  for (const days of PERIODS)
    logs.push((await createOrganization(systemInstanceScope("cli"), { name: `${days} days` })).id);
  const pool = retentionPool();
  if (!pool) throw new Error("There is no login for retention");
  say("a year of three logs…");
  await fill(logs, count);
  await setPeriods(logs);
  say("verifying…");
  const verified = await verifyAll(logs);
  say("quiet…");
  const before = await beside(logs, () => pause(QUIET_MS));
  say("deleting…");
  const byRows = new Map<string, number>();
  const started = performance.now();
  const during = await beside(logs, () =>
    runRetention(pool, systemInstanceScope("worker"), {
      onBatch: (log, removed) => void byRows.set(log, removed),
    }),
  );
  const tookS = (performance.now() - started) / 1_000;
  const after = await beside(logs, () => pause(QUIET_MS));
  const { logs: outcomes, dropped } = during.result;
  const failed = outcomes.find(({ error }) => error !== null);
  if (failed) throw new Error(`${failed.organizationId}: ${failed.error}`);
  say("verifying…");
  const left = await verifyAll(logs);
  const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);
  const removed = sum(outcomes.map((outcome) => outcome.removed));
  const rows = sum(byRows.values());
  const runs = await Promise.all(logs.map((log) => listRuns(systemScope("cli", log))));
  const booked = sum(runs.flatMap((one) => one.runs.map(({ bytes }) => bytes)));
  const ofMonths = sum(dropped.map(({ bytes }) => bytes));
  const { rows: stale } = await longPool().query(
    `SELECT 1 FROM log_heads h JOIN events e ON e.organization_id = h.organization_id AND e.seq < h.first_seq LIMIT 1`,
  );
  if (stale.length > 0) throw new Error("Rows of what was deleted are still there");
  const rowOf = (what: "write" | "read"): Row => {
    // The machine drifts: the deletion stands between two quiet times.
    const quiet = (before[what].p95 + after[what].p95) / 2;
    return {
      what: `${what} while deleting, p95`,
      ours: `${during[what].p95.toFixed(1)} ms`,
      bare: `${quiet.toFixed(1)} ms`,
      ratio: during[what].p95 / quiet,
      target: { floor: 2, goal: 1.5, atLeast: false },
      note: `quiet ${before[what].p95.toFixed(1)} before, ${after[what].p95.toFixed(1)} after; p50 ${during[what].p50.toFixed(1)}, quiet ${before[what].p50.toFixed(1)}`,
    };
  };
  const told = (what: string, ours: string, note: string): Row => {
    return { what, ours, bare: "", ratio: null, target: null, note };
  };
  return [
    rowOf("write"),
    rowOf("read"),
    told(
      "events removed",
      number(removed),
      `of ${number(count)}, which are kept for ${PERIODS.join(", ")} days, in ${tookS.toFixed(0)} s: ${number(removed - rows)} with ${dropped.length} months dropped whole, ${number(rows)} by rows`,
    ),
    told(
      "bytes freed",
      megabytes(booked),
      `${megabytes(ofMonths)} of them files of months, which are the disk's again`,
    ),
    told(
      "verify",
      "green",
      `before (${number(verified)} events) and after (${number(left)}), all three logs`,
    ),
  ];
}
