import { execFile } from "node:child_process";
import os from "node:os";
import path from "node:path";
import { z } from "zod";
import { raiseAlert } from "@/lib/alerts/server/alerts";
import type { Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { getEnv } from "@/lib/env";
import { appendControlEvent } from "@/lib/events/server/control-event";
import {
  type DrillReport,
  drillOutputSchema,
  drillReportSchema,
  isDrillRight,
} from "../drills/report";

/**
 * Drills of this instance's own verifier: once a day, and when somebody asks. A drill damages a log of its own in
 * a database of its own, as a process of its own at low priority; what it found is kept in one setting.
 */

const KEY = "drill";
/** A drill of 2,000 events takes about half a minute. */
const TIME_LIMIT_MS = 15 * 60_000;
const INSTANCE = "_instance";

const stateSchema = z.object({
  asked_at: z.iso.datetime().optional(),
  started_at: z.iso.datetime().optional(),
  last: drillReportSchema.optional(),
});

export interface DrillState {
  /** It waits for the worker, or runs. */
  isUnderWay: boolean;
  last: DrillReport | null;
  /** Hours between those that run by themselves; 0: none does. */
  everyHours: number;
}

export async function readDrill(_scope: Scope): Promise<DrillState> {
  const { rows } = await readPool().query<{ value: unknown }>(
    "SELECT value FROM settings WHERE key = $1",
    [KEY],
  );
  const { asked_at, started_at, last } = stateSchema.parse(rows[0]?.value ?? {});
  return {
    isUnderWay: asked_at !== undefined || started_at !== undefined,
    last: last ?? null,
    everyHours: getEnv().TRAILSEAL_DRILL_HOURS,
  };
}

/** Has the worker run one now. */
export async function askForDrill(scope: Scope): Promise<void> {
  await inTransaction(writePool(), async (client) => {
    await appendControlEvent(client, scope, { action: "trailseal.drill_requested" });
    await client.query(
      `INSERT INTO settings (key, value) VALUES ($1, jsonb_build_object('asked_at', $2::text))
       ON CONFLICT (key) DO UPDATE SET value = settings.value || EXCLUDED.value`,
      [KEY, new Date().toISOString()],
    );
  });
}

/**
 * Runs a drill when one is asked for; with `isScheduled` also when the last is older than the interval.
 * @returns whether one ran
 */
export async function runDueDrill(
  signal: AbortSignal,
  { isScheduled }: { isScheduled: boolean },
): Promise<boolean> {
  const hours = getEnv().TRAILSEAL_DRILL_HOURS;
  const started = new Date();
  const before = (ms: number) => new Date(started.getTime() - ms).toISOString();
  await writePool().query(
    "INSERT INTO settings (key, value) VALUES ($1, '{}') ON CONFLICT DO NOTHING",
    [KEY],
  );
  // One that a worker took with it when it ended is taken up again.
  const claimed = await writePool().query(
    `UPDATE settings SET value = value - 'asked_at' || jsonb_build_object('started_at', $2::text)
     WHERE key = $1 AND (value ->> 'started_at' IS NULL OR value ->> 'started_at' < $3)
       AND (value ->> 'asked_at' IS NOT NULL OR ($5 AND coalesce(value #>> '{last,started_at}', '') < $4))`,
    [
      KEY,
      started.toISOString(),
      before(TIME_LIMIT_MS),
      before(hours * 3_600_000),
      isScheduled && hours > 0,
    ],
  );
  if (claimed.rowCount === 0) return false;
  const report = await drill(started, signal);
  await inTransaction(writePool(), async (client) => {
    await client.query(
      "UPDATE settings SET value = value - 'started_at' || jsonb_build_object('last', $2::jsonb) WHERE key = $1",
      [KEY, JSON.stringify(report)],
    );
    if (isDrillRight(report) || signal.aborted) return;
    const wrong = report.results.filter(({ ok }) => !ok).map(({ id }) => id);
    await raiseAlert(client, systemScope("worker", INSTANCE), {
      kind: "drill.failed",
      title: "A tamper drill did not find what it should",
      detail: report.error ?? `Wrong verdicts: ${wrong.join(", ")}.`,
      path: "/o",
    });
  });
  return true;
}

async function drill(started: Date, signal: AbortSignal): Promise<DrillReport> {
  let error: string | null = null;
  let output: z.infer<typeof drillOutputSchema> | null = null;
  try {
    output = drillOutputSchema.parse(JSON.parse(await runCommand(signal)));
  } catch (cause) {
    error = signal.aborted
      ? "the server was stopped meanwhile"
      : cause instanceof Error
        ? cause.message.slice(0, 500)
        : String(cause);
  }
  return {
    started_at: started.toISOString(),
    duration_ms: Date.now() - started.getTime(),
    events: output?.events ?? null,
    results: output?.results ?? [],
    error,
  };
}

/** What `trailseal drill --json` prints, also where a verdict is wrong (exit code 1). */
function runCommand(signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      process.execPath,
      [path.resolve("scripts/trailseal.mjs"), "drill", "--json"],
      { maxBuffer: 10_000_000, timeout: TIME_LIMIT_MS, signal },
      (error, stdout) => (error && stdout.trim() === "" ? reject(error) : resolve(stdout)),
    );
    if (child.pid) os.setPriority(child.pid, os.constants.priority.PRIORITY_LOW);
  });
}
