import { readdirSync } from "node:fs";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { systemScope } from "@/lib/auth/server/system-scope";
import type { Export } from "../schema";
import { type RunnerOptions, runExports } from "./export-jobs";
import { getExport, openExport } from "./exports";
import { exportDirectory } from "./files";

/** Workers for database tests, as the worker process runs them, and what they made. */

const running = new Set<() => Promise<void>>();

export function startRunner(options: RunnerOptions = {}): () => Promise<void> {
  const controller = new AbortController();
  // A failed attempt ends the run: the worker process starts it again, as here.
  const keepRunning = async () => {
    while (!controller.signal.aborted)
      await runExports(controller.signal, { pollMs: 10, retryMs: 1, ...options }).catch(
        () => undefined,
      );
  };
  const ended = keepRunning();
  const stop = () => {
    controller.abort();
    running.delete(stop);
    return ended;
  };
  running.add(stop);
  return stop;
}

export async function stopRunners(): Promise<void> {
  await Promise.all([...running].map((stop) => stop()));
}

/** The export as soon as nobody works on it any more. */
export async function made(id: string, log: string): Promise<Export> {
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 10) {
    const found = await getExport(systemScope("cli", log), id);
    if (found.state !== "queued" && found.state !== "running") return found;
    await sleep(10);
  }
  throw new Error("waited too long");
}

export const filesOf = (id: string): string[] =>
  readdirSync(exportDirectory()).filter((name) => name.startsWith(id));

export async function contentOf(id: string, log: string, isManifest = false): Promise<string> {
  return text((await openExport(systemScope("cli", log), id, { isManifest })).file);
}
