import { readdirSync } from "node:fs";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { parseVkey } from "@/lib/chain/note";
import { inTransaction, writePool } from "@/lib/db/pool";
import type { TestDatabase } from "@/lib/db/test-database";
import { appendEvents, createTestLog, newEvent, testEvents } from "@/lib/events/server/test-log";
import { vkeysOf } from "@/lib/integrity/server/signer";
import { type Export, type ExportInput, parseExportInput } from "../schema";
import { type ExportVerdict, verifyExport } from "../verify-export";
import { type RunnerOptions, runExports } from "./export-jobs";
import { getExport, openExport, queueExport } from "./exports";
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

/** Events in a log of these tests; what breaks readers is in the last. */
export const EVENTS = 700;
export const ODD = newEvent({
  action: "odd.event",
  actor: { type: "user", id: "usr_odd", name: '=1+1 "x",\r\n\u{1F512}' },
  targets: [{ type: "doc", id: "d\\n1" }],
  metadata: { note: 'line\n"quoted" \\ \u0001 \u2028', empty: "" },
});

/** What tests of exports do, with the log that they are about unless they say another. */
export function exportSuite(current: () => { db: TestDatabase; log: string }) {
  async function newLog(count = EVENTS): Promise<string> {
    const made = await createTestLog(current().db);
    await appendEvents(made, [...testEvents(count - 1), ODD]);
    return made;
  }

  const scope = (of = current().log) => systemScope("cli", of);

  async function ask(input: Partial<ExportInput> = {}, of = current().log): Promise<string> {
    const request = { format: "csv", q: "", from: null, to: null, options: {}, ...input };
    const wanted = parseExportInput(request);
    return (await inTransaction(writePool(), (client) => queueExport(client, scope(of), wanted)))
      .id;
  }

  /** Asked for, begun by a worker, and left with a piece that is safe. */
  async function begun(of: string): Promise<string> {
    const id = await ask({}, of);
    const stop = startRunner({ pieceSize: 20 });
    while ((await getExport(scope(of), id)).events === 0) await sleep(1);
    await stop();
    return id;
  }

  async function make(input: Partial<ExportInput> = {}, of = current().log) {
    startRunner({ pieceSize: 100 });
    const id = await ask(input, of);
    expect(await made(id, of)).toMatchObject({ state: "ready", manifestError: null });
    return {
      id,
      file: Buffer.from(await contentOf(id, of)),
      manifest: await contentOf(id, of, true),
    };
  }

  async function check(file: Buffer, manifest: string, of = current().log): Promise<ExportVerdict> {
    const trusted = (await vkeysOf(scope(of))).map(parseVkey);
    // In chunks that end anywhere.
    const chunks = Array.from({ length: Math.ceil(file.length / 1_013) }, (_, at) =>
      file.subarray(at * 1_013, (at + 1) * 1_013),
    );
    return verifyExport(Readable.from(chunks), lines(manifest), trusted);
  }

  return { scope, newLog, ask, begun, make, check };
}

export async function* lines(text: string) {
  yield* text.replace(/\n$/, "").split("\n");
}
