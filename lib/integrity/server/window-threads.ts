import os from "node:os";
import { Worker } from "node:worker_threads";
import { longPool } from "@/lib/db/pool";
import { type Epoch, originAtOf } from "./epochs";
import { type PlainWindow, PlainWindows, type WindowRequest } from "./plain-window";
import type { Snapshot } from "./snapshot";

/** Below this, threads take longer to start, on few cores, than they save. */
const FEWEST_EVENTS = 200_000;
/** Rows read at once: eight tiles. */
export const WINDOW = 2_048;
/** Windows that a thread has before it: one it checks, one that waits. */
const AHEAD = 2;

interface Settings {
  /** The bundle of check-windows.ts. */
  file: URL;
  threads: number;
  fewestEvents: number;
  /** Events of one window. */
  window: number;
}

let settings: Settings | null = null;

/** From here on verifications of this process use no threads. */
export function disableWindowThreads(): void {
  settings = null;
}

/**
 * Lets verifications of this process use threads; a program calls it that has the bundle beside it.
 * @param threads one less than there are cores where others are to be served meanwhile
 */
export function enableWindowThreads(
  file: URL,
  {
    threads = os.availableParallelism(),
    fewestEvents = FEWEST_EVENTS,
    window = WINDOW,
  }: Partial<Omit<Settings, "file">> = {},
): void {
  settings = { file, threads, fewestEvents, window };
}

/** How many threads a verification of so many events uses. */
export function windowThreads(events: number): number {
  return settings && events >= settings.fewestEvents ? settings.threads : 0;
}

/** What a thread needs to see what the walk sees. */
export interface WindowThreadData {
  connectionString: string;
  organizationId: string;
  /** As pg_export_snapshot names it. */
  snapshotId: string;
  epochs: Pick<Epoch, "startSeq" | "origin">[];
}

/** Checks windows of one log in the walk's own snapshot, in the order in which they are asked for. */
export interface Windows {
  /** Events of one window. */
  readonly window: number;
  /** How many windows to ask for at once. */
  readonly width: number;
  /** Has a window checked, if it is not asked for already. */
  ask(request: WindowRequest): void;
  /**
   * The answer about a window; null: it is not plain, or was not asked for.
   * @throws what kept it from being checked: it says nothing about the log
   */
  take(from: number): Promise<PlainWindow | null>;
  close(): Promise<void>;
}

/** In threads where the program has them and the log is large enough. @param epochs by their start, never empty */
export async function openWindows(
  snapshot: Snapshot,
  epochs: readonly Epoch[],
  events: number,
): Promise<Windows> {
  if (!settings || windowThreads(events) === 0) {
    return new OwnWindows(await PlainWindows.open(snapshot, originAtOf(epochs)));
  }
  const [row] = await snapshot.query("SELECT pg_export_snapshot()");
  return new WindowThreads(settings, {
    connectionString: longPool().options.connectionString as string,
    organizationId: snapshot.organizationId,
    snapshotId: row?.[0] as string,
    epochs: epochs.map(({ startSeq, origin }) => ({ startSeq, origin })),
  });
}

/** On the walk's own connection, while it does something else. */
class OwnWindows implements Windows {
  readonly window = WINDOW;
  readonly width = 1;
  readonly #answers = new Map<number, Promise<PlainWindow | null>>();

  constructor(private readonly windows: PlainWindows) {}

  ask(request: WindowRequest): void {
    this.#answers.set(request.from, this.windows.check(request));
  }

  async take(from: number): Promise<PlainWindow | null> {
    const answer = this.#answers.get(from);
    this.#answers.delete(from);
    return (await answer) ?? null;
  }

  async close(): Promise<void> {}
}

interface Asked {
  resolve(plain: PlainWindow | null): void;
  reject(error: Error): void;
}

class WindowThreads implements Windows {
  readonly #workers: Worker[];
  readonly #asked = new Map<number, Asked>();
  readonly #answers = new Map<number, Promise<PlainWindow | null>>();
  readonly window: number;
  #turn = 0;
  #failure: Error | null = null;

  constructor({ file, threads, window }: Settings, workerData: WindowThreadData) {
    this.window = window;
    this.#workers = Array.from({ length: threads }, () => {
      const worker = new Worker(file, { workerData });
      worker.on("message", (answer: { from: number; plain: PlainWindow | null }) => {
        this.#asked.get(answer.from)?.resolve(answer.plain);
        this.#asked.delete(answer.from);
      });
      worker.on("error", (error) => this.#fail(error as Error));
      worker.on("exit", (code) => this.#fail(new Error(`a verifying thread ended with ${code}`)));
      return worker;
    });
  }

  get width(): number {
    return this.#workers.length * AHEAD;
  }

  ask(request: WindowRequest): void {
    if (this.#answers.has(request.from)) return;
    const answer = new Promise<PlainWindow | null>((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      this.#asked.set(request.from, { resolve, reject });
    });
    // It may never be taken: after a gap the walk goes on elsewhere.
    answer.catch(() => undefined);
    this.#answers.set(request.from, answer);
    this.#workers[this.#turn++ % this.#workers.length]?.postMessage(request);
  }

  async take(from: number): Promise<PlainWindow | null> {
    const answer = this.#answers.get(from);
    // What lies before was asked for ahead of a gap.
    for (const asked of this.#answers.keys()) if (asked <= from) this.#answers.delete(asked);
    return (await answer) ?? null;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#asked.values()) reject(error);
    this.#asked.clear();
  }

  /** Ends the threads, and their connections with them. */
  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
