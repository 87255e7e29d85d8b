import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import { sha256 } from "@/lib/chain/sha256";
import { ownerPool } from "@/lib/db/owner-pool";
import { retentionPool, writePool } from "@/lib/db/pool";
import { EMPTY_FILTER } from "@/lib/events/filter/ast";
import { appendBatch } from "@/lib/events/server/append";
import { listEvents } from "@/lib/events/server/list";
import { newId } from "@/lib/ids";
import { verifyLog } from "@/lib/integrity/server/verify";
import { createOrganization } from "@/lib/orgs/server/organizations";
import { setRetention } from "@/lib/orgs/server/retention";
import { runRetention } from "@/lib/retention/server/run";
import { events as eventsOf, take } from "./ingest";
import { quantiles, type Row } from "./measure";

const DAYS_AGO = 60;
const BATCH = 500;
const PAUSE_MS = 20;
const QUIET_MS = 20_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

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

/** Writes and reads one log for as long as `work` takes; milliseconds of each. */
async function beside(organizationId: string, work: () => Promise<unknown>) {
  const scope = systemScope("cli", organizationId);
  const source = eventsOf(7);
  const times = { write: [] as number[], read: [] as number[] };
  let isOver = false;
  const repeat = async (samples: number[], step: () => Promise<unknown>) => {
    while (!isOver) {
      const started = performance.now();
      await step();
      samples.push(performance.now() - started);
      await pause(PAUSE_MS);
    }
  };
  const running = [
    repeat(times.write, () => append(organizationId, take(source, 1))),
    repeat(times.read, () => listEvents(scope, { filter: EMPTY_FILTER })),
  ];
  await work();
  isOver = true;
  await Promise.all(running);
  return { write: quantiles(times.write), read: quantiles(times.read), runs: times.write.length };
}

/** How much a large pruning slows down who writes and reads the same log: before, during, after. */
export async function benchRetention(
  count: number,
  say: (message: string) => void,
): Promise<Row[]> {
  const create = async (name: string) =>
    (await createOrganization(systemInstanceScope("cli"), { name })).id;
  const [pruned, kept] = [await create("Pruned"), await create("Kept")];
  const source = eventsOf(3);
  await writePool().query("SELECT ensure_partitions(now() - $1 * interval '1 day')", [DAYS_AGO]);
  await ago(DAYS_AGO, async () => {
    // Keeps the month from being dropped whole.
    await append(kept, take(source, 10));
    for (let done = 0; done < count; done += BATCH) await append(pruned, take(source, BATCH));
  });
  await append(pruned, take(source, 2_000));
  // As it is an hour after an import, autovacuum having come by.
  const owner = await ownerPool();
  await owner.query("VACUUM ANALYZE");
  const scope = systemScope("cli", pruned);
  await setRetention(scope, 30);
  // Long ago: a period that was just set deletes nothing yet.
  await owner.query("UPDATE organizations SET retention_since = '2020-01-01' WHERE id = $1", [
    pruned,
  ]);
  await owner.end();
  say("quiet…");
  const before = await beside(pruned, () => pause(QUIET_MS));
  say("pruning…");
  const pool = retentionPool();
  if (!pool) throw new Error("There is no login for retention");
  const started = performance.now();
  const run = { organizationId: pruned };
  const during = await beside(pruned, () => runRetention(pool, systemInstanceScope("worker"), run));
  const tookS = (performance.now() - started) / 1_000;
  const after = await beside(pruned, () => pause(QUIET_MS));
  const verdict = await verifyLog(scope);
  if (!verdict.ok) throw new Error(`The log does not verify: ${JSON.stringify(verdict)}`);
  const rowOf = (what: "write" | "read"): Row => {
    // The machine drifts: the pruning stands between two quiet times.
    const quiet = (before[what].p95 + after[what].p95) / 2;
    return {
      what: `${what} while pruning, p95`,
      ours: `${during[what].p95.toFixed(1)} ms`,
      bare: `${quiet.toFixed(1)} ms`,
      ratio: during[what].p95 / quiet,
      target: { floor: 2, goal: 1.5, atLeast: false },
      note: `quiet ${before[what].p95.toFixed(1)} before, ${after[what].p95.toFixed(1)} after; p50 ${during[what].p50.toFixed(1)}, quiet ${before[what].p50.toFixed(1)}; ${count.toLocaleString("en-US")} events in ${tookS.toFixed(0)} s`,
    };
  };
  return [rowOf("write"), rowOf("read")];
}
