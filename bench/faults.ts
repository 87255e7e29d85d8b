import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Command } from "commander";
import {
  DELIVERY_FAULTS,
  judge,
  recovery,
  tryFault,
  type Verdict,
} from "@/e2e/fixtures/delivery-faults";
import { startReceiver } from "@/e2e/fixtures/receiver";
import type { Scope } from "@/lib/auth/scope";
import startDatabase, { testDatabase } from "@/lib/db/test-database";
import { newId } from "@/lib/ids";
import { deliverDue } from "@/lib/streams/server/deliver";
import {
  addStreamTo,
  append,
  newOrganization,
  plain,
  sequences,
  until,
} from "@/lib/streams/server/delivery-fixtures";
import { getStream } from "@/lib/streams/server/streams";

/** Shorter than in service, so that twenty kills take minutes; the deadline leaves room for a busy machine. */
const SETTINGS = {
  ...{ pollMs: 50, leaseMs: 3_500, deadlineMs: 3_000 },
  ...{ backoffMs: 200, maxBackoffMs: 1_000, probeMs: 1_000 },
};
const CHILD = "deliver";

/** A process that delivers: this program again. */
function startProcess(): ChildProcess {
  const script = process.argv[1] as string;
  return spawn(process.execPath, [script, CHILD], { stdio: ["ignore", "inherit", "inherit"] });
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  if (child.exitCode === null && child.signalCode === null && child.kill("SIGKILL")) await ended;
}

interface Trial {
  scope: Scope;
  id: string;
  /** Requests that arrived so far. */
  requests(): number;
  /** The receiver stores at once and answers late, so that batches are under way for a while. */
  delay(ms: number): void;
  start(): ChildProcess;
}

/** A fault of the processes that deliver; gives how long the next progress took, milliseconds. */
async function tryProcesses(
  fault: { name: string; repeats: number; run(trial: Trial): Promise<number | null> },
  count: number,
  directory: string,
): Promise<Verdict> {
  const file = path.join(directory, `${newId("job")}.ndjson`);
  const receiver = await startReceiver({ file });
  const children: ChildProcess[] = [];
  try {
    const scope = await newOrganization();
    await append(scope, plain(count));
    const id = await addStreamTo(scope, "webhook", { url: `${receiver.url}/hook` });
    const recoveryMs = await fault.run({
      ...{ scope, id },
      requests: receiver.requests,
      delay: (delayMs) => receiver.setFault({ mode: "slow", delayMs }),
      start() {
        const child = startProcess();
        children.push(child);
        return child;
      },
    });
    await until(
      "the end of the lag",
      async () => (await getStream(scope, id)).lagEvents === 0,
      120_000,
    );
    return judge(fault, file, await sequences(scope), recoveryMs);
  } finally {
    for (const child of children) await kill(child);
    await receiver.close();
  }
}

async function kills(trial: Trial, times: number): Promise<number> {
  let longest = 0;
  trial.delay(200);
  let child = trial.start();
  for (let done = 0; done < times; done += 1) {
    const before = trial.requests();
    await until("a batch under way", async () => trial.requests() > before, 60_000);
    await sleep(Math.random() * 200);
    await kill(child);
    const killed = Date.now();
    child = trial.start();
    longest = Math.max(longest, await recovery(trial.scope, trial.id, killed));
  }
  return longest;
}

async function zombie({ scope, id, requests, delay, start }: Trial): Promise<number> {
  delay(300);
  const first = start();
  await until("a batch under way", async () => requests() > 0, 60_000);
  first.kill("SIGSTOP");
  const stopped = Date.now();
  start();
  const recoveryMs = await recovery(scope, id, stopped);
  first.kill("SIGCONT");
  return recoveryMs;
}

async function together({ start, delay }: Trial): Promise<null> {
  delay(100);
  start();
  start();
  return null;
}

function table(verdicts: Verdict[]): string {
  const number = (value: number) => value.toLocaleString("en-US");
  const rows = verdicts.map((verdict) => [
    verdict.fault,
    ...[verdict.events, verdict.lost, verdict.outOfOrder, verdict.copies, verdict.largestBatch].map(
      number,
    ),
    verdict.recoveryMs === null ? "–" : `${(verdict.recoveryMs / 1_000).toFixed(1)} s`,
    verdict.violations.length === 0 ? "yes" : verdict.violations.join(", "),
  ]);
  const head =
    "| fault | events | lost | out of order | copies | largest batch | recovery | holds |\n|---|---|---|---|---|---|---|---|";
  return [head, ...rows.map((row) => `| ${row.join(" | ")} |`)].join("\n");
}

/** Runs real delivery through every fault; the exit code is 1 when an event is lost, late or copied too often. */
async function main(): Promise<void> {
  const program = new Command("faults")
    .option("--events <n>", "events of each trial", Number, 2_000)
    .option("--kills <n>", "kills of the delivering process", Number, 20)
    .parse();
  const { events, kills: times } = program.opts<{ events: number; kills: number }>();
  const processes = [
    {
      name: `kill -9 of the worker in mid-batch × ${times}, longest recovery`,
      ...{ repeats: times, count: events + times * 3_000 },
      run: (trial: Trial) => kills(trial, times),
    },
    { name: "zombie worker past its lease", repeats: 1, count: events, run: zombie },
    { name: "two workers", repeats: 0, count: events, run: together },
  ];
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-faults-"));
  const stopDatabase = await startDatabase();
  const database = await testDatabase();
  const verdicts: Verdict[] = [];
  const add = (verdict: Verdict) => {
    verdicts.push(verdict);
    process.stderr.write(`${verdict.fault}: ${verdict.violations.join(", ") || "holds"}\n`);
  };
  try {
    for (const fault of DELIVERY_FAULTS) add(await tryFault(fault, events, directory, SETTINGS));
    for (const fault of processes) add(await tryProcesses(fault, fault.count, directory));
  } finally {
    await database.close();
    await stopDatabase();
    fs.rmSync(directory, { recursive: true, force: true });
  }
  const { leaseMs, deadlineMs, maxBackoffMs, probeMs } = SETTINGS;
  process.stdout.write(
    `\nLease ${leaseMs} ms, deadline ${deadlineMs} ms, pauses up to ${maxBackoffMs} ms, probes every ${probeMs} ms.\n\n${table(verdicts)}\n`,
  );
  process.exitCode = verdicts.some(({ violations }) => violations.length > 0) ? 1 : 0;
}

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";
if (process.argv[2] === CHILD) {
  // One that slept may find its database connections gone; in service, too, the loop is started again.
  for (;;) await deliverDue(new AbortController().signal, SETTINGS).catch(() => sleep(500));
} else await main();
