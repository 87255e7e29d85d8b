import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { appendEvents, createTestLog, testEvents } from "@/lib/events/server/test-log";
import type { Verification } from "../schema";
import { readLogHead, readVerifiedTo } from "./log-status";
import {
  cancelVerification,
  getVerification,
  listVerifications,
  type RunnerOptions,
  recordVerification,
  runVerificationJobs,
  startVerification,
} from "./verification-jobs";
import { verifyLog } from "./verify";

let db: TestDatabase;
/** Long enough that a test can act while it is verified. */
let large: string;

beforeAll(async () => {
  db = await testDatabase();
  large = await createTestLog(db);
  await appendEvents(large, testEvents(30_000));
});

afterAll(() => db.close());

const running: { stop: () => Promise<void> }[] = [];

function startRunner(options: RunnerOptions = {}) {
  const controller = new AbortController();
  const ended = runVerificationJobs(controller.signal, {
    heartbeatMs: 20,
    pollMs: 10,
    ...options,
  });
  const runner = {
    stop: async () => {
      controller.abort();
      await ended;
    },
  };
  running.push(runner);
  return runner;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((runner) => runner.stop()));
});

const scope = (log: string) => systemScope("cli", log);

async function waitFor(
  log: string,
  id: string,
  done: (run: Verification) => boolean,
): Promise<Verification> {
  for (let waited = 0; waited < 30_000; waited += 10) {
    const run = await getVerification(scope(log), id);
    if (run && done(run)) return run;
    await sleep(10);
  }
  throw new Error("waited too long");
}

const ended = ({ state }: Verification) => state !== "queued" && state !== "running";

async function smallLog(): Promise<string> {
  const log = await createTestLog(db);
  await appendEvents(log, testEvents(30));
  return log;
}

describe("verification jobs", () => {
  test("a queued run ends with its verdict and its whole progress", async () => {
    const log = await smallLog();
    const queued = await startVerification(scope(log));
    expect(queued).toMatchObject({ state: "queued", verdict: null, createdBy: "cli" });
    startRunner();
    const run = await waitFor(log, queued.id, ended);
    expect(run).toMatchObject({
      state: "succeeded",
      error: null,
      progress: { checked: 31, total: 31 },
      verdict: { ok: true, checked: 31 },
    });
    expect(run.finishedAt).not.toBeNull();
    expect(await listVerifications(scope(log), 5)).toEqual([run]);
  });

  test("a run that finds damage has succeeded: the verdict is its result", async () => {
    const log = await smallLog();
    await db.owner.query("UPDATE log_heads SET next_seq = 40 WHERE organization_id = $1", [log]);
    const { id } = await startVerification(scope(log));
    startRunner();
    expect(await waitFor(log, id, ended)).toMatchObject({
      state: "succeeded",
      // The event of the start stands behind the gap.
      verdict: { ok: false, kind: "deleted_row", first_bad_seq: 30 },
    });
  });

  test("where the log takes no event that tells of it, none starts, and the answer says what to run", async () => {
    const log = await smallLog();
    await db.owner.query("UPDATE log_heads SET next_seq = 0 WHERE organization_id = $1", [log]);
    await expect(startVerification(scope(log))).rejects.toMatchObject({
      code: "conflict",
      message: expect.stringContaining(`trailseal verify --org ${log}`),
    });
    expect(await listVerifications(scope(log), 5)).toEqual([]);
  });

  test("starting again while one is open returns the open one", async () => {
    const log = await smallLog();
    const first = await startVerification(scope(log));
    expect((await startVerification(scope(log))).id).toBe(first.id);
    startRunner();
    await waitFor(log, first.id, ended);
    expect((await startVerification(scope(log))).id).not.toBe(first.id);
  });

  test("progress is stored while it runs, and cancelling stops it", async () => {
    const { id } = await startVerification(scope(large));
    startRunner();
    const midway = await waitFor(large, id, (run) => run.progress.checked > 0 || ended(run));
    const { nextSeq: total } = await readLogHead(scope(large));
    expect(midway).toMatchObject({ state: "running", progress: { total } });
    await cancelVerification(scope(large), id);
    const run = await waitFor(large, id, ended);
    expect(run).toMatchObject({ state: "cancelled", verdict: null });
    expect(run.progress.checked).toBeLessThan(total);
  });

  test("a queued run is cancelled at once; one that has ended stays as it is", async () => {
    const log = await smallLog();
    const { id } = await startVerification(scope(log));
    expect(await cancelVerification(scope(log), id)).toMatchObject({ state: "cancelled" });
    startRunner();
    const other = await startVerification(scope(log));
    await waitFor(log, other.id, ended);
    expect(await cancelVerification(scope(log), other.id)).toMatchObject({ state: "succeeded" });
    expect(await getVerification(scope(log), id)).toMatchObject({ state: "cancelled" });
  });

  test("a run of a worker that died is taken up when its lease has ended", async () => {
    const log = await smallLog();
    const { id } = await startVerification(scope(log));
    await db.owner.query(
      `UPDATE jobs SET state = 'running', attempt = 1, lease_owner = 'dead', started_at = now(),
         lease_until = now() + interval '700 milliseconds' WHERE id = $1`,
      [id],
    );
    startRunner();
    await sleep(300);
    expect(await getVerification(scope(log), id)).toMatchObject({ state: "running" });
    expect(await waitFor(log, id, ended)).toMatchObject({
      state: "succeeded",
      verdict: { ok: true },
    });
  });

  test("a run that ended its worker again and again is given up", async () => {
    const log = await smallLog();
    const { id } = await startVerification(scope(log));
    await db.owner.query(
      "UPDATE jobs SET state = 'running', attempt = 5, lease_until = now() WHERE id = $1",
      [id],
    );
    startRunner();
    const run = await waitFor(log, id, ended);
    expect(run).toMatchObject({ state: "failed", verdict: null });
    expect(run.error).toContain("5 times");
  });

  test("a worker whose lease was taken writes nothing more", async () => {
    const { id } = await startVerification(scope(large));
    const runner = startRunner();
    await waitFor(large, id, (run) => run.progress.checked > 0);
    await db.owner.query(
      `UPDATE jobs SET attempt = attempt + 1, lease_owner = 'other', progress = '{"checked": 7}',
         lease_until = now() + interval '1 hour' WHERE id = $1`,
      [id],
    );
    await sleep(1_500);
    await runner.stop();
    expect(await getVerification(scope(large), id)).toMatchObject({
      state: "running",
      progress: { checked: 7 },
      verdict: null,
    });
    await db.owner.query("DELETE FROM jobs WHERE id = $1", [id]);
  });

  test("a worker that stops gives its run back, and the next one finishes it", async () => {
    const { id } = await startVerification(scope(large));
    const runner = startRunner();
    await waitFor(large, id, (run) => run.progress.checked > 0);
    await runner.stop();
    expect(await getVerification(scope(large), id)).toMatchObject({ state: "queued" });
    const { nextSeq: checked } = await readLogHead(scope(large));
    startRunner();
    expect(await waitFor(large, id, ended)).toMatchObject({
      state: "succeeded",
      verdict: { ok: true, checked },
    });
  });

  test("two workers run every job once", async () => {
    const logs = await Promise.all(Array.from({ length: 8 }, () => smallLog()));
    const runs = await Promise.all(logs.map((log) => startVerification(scope(log))));
    startRunner();
    startRunner();
    for (const [at, log] of logs.entries()) {
      await waitFor(log, runs[at]?.id as string, ended);
    }
    const { rows } = await db.owner.query("SELECT attempt, state FROM jobs WHERE id = ANY($1)", [
      runs.map(({ id }) => id),
    ]);
    expect(rows).toEqual(runs.map(() => ({ attempt: 1, state: "succeeded" })));
  });

  test("a verification that ran elsewhere is among the runs, and is what the log's state says", async () => {
    const log = await createTestLog(db);
    await appendEvents(log, testEvents(5));
    const verdict = await verifyLog(scope(log));
    await recordVerification(scope(log), verdict);
    const [run] = await listVerifications(scope(log));
    expect(run).toMatchObject({ state: "succeeded", verdict, createdBy: "cli" });
    expect(run?.finishedAt).toBe(verdict.finished_at);
    expect(await readVerifiedTo(scope(log))).toBe(4);
  });

  test("another organization's runs are neither shown nor cancelled", async () => {
    const [log, other] = [await smallLog(), await smallLog()];
    const { id } = await startVerification(scope(log));
    expect(await getVerification(scope(other), id)).toBeNull();
    expect(await listVerifications(scope(other), 5)).toEqual([]);
    await expect(cancelVerification(scope(other), id)).rejects.toMatchObject({ code: "not_found" });
    expect(await getVerification(scope(log), id)).toMatchObject({ state: "queued" });
  });
});
