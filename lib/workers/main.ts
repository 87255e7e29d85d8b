import { setMaxListeners } from "node:events";
import os from "node:os";
import v8 from "node:v8";
import { closePools } from "@/lib/db/pool";
import { enableWindowThreads } from "@/lib/integrity/server/window-threads";
import { log } from "@/lib/log";
import { startTracing } from "@/lib/operations/server/start-tracing";
import { loops } from "./loops";

// What streams, exports and verification read lies outside of the heap, and the collector counts it: by default every
// twenty megabytes of it have the whole heap marked, a third of a busy worker's processor time. What that costs in
// memory is measured where most is needed (bench/exports.ts).
v8.setFlagsFromString("--heap-growing-percent=300");

const RETRY_DELAY_MS = 1_000;

const stopping = new AbortController();
// Every loop listens, some of them more than once.
setMaxListeners(0, stopping.signal);

/** A loop that fails (the database is away) is started again; the others go on meanwhile. */
async function keepRunning(
  name: string,
  run: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  while (!stopping.signal.aborted) {
    try {
      await run(stopping.signal);
    } catch (error) {
      if (stopping.signal.aborted) return;
      log().error({ err: error, loop: name }, "a loop failed");
      await new Promise((resolve) => setTimeout(resolve, RETRY_DELAY_MS));
    }
  }
}

// One core is left to those who are served meanwhile.
enableWindowThreads(new URL("./check-windows.mjs", import.meta.url), {
  threads: Math.max(1, os.availableParallelism() - 1),
});

const GRACE_MS = 8_000;

function stop(): void {
  stopping.abort();
  setTimeout(() => process.exit(0), GRACE_MS).unref();
}

/** All loops, or those that the command line names; each process tells of itself. */
function chosen(names: string[]): [string, (signal: AbortSignal) => Promise<void>][] {
  const unknown = names.find((name) => !loops[name]);
  if (unknown !== undefined) {
    console.error(
      `[trailseal] There is no loop ${unknown}. Known: ${Object.keys(loops).join(", ")}.`,
    );
    process.exit(2);
  }
  return Object.entries(loops).filter(
    ([name]) => names.length === 0 || names.includes(name) || name === "heartbeat",
  );
}

const endTracing = await startTracing("worker");
const running = chosen(process.argv.slice(2));
process.on("SIGTERM", stop);
// Ctrl-C reaches the whole process group; a server then asks its worker for the stop itself.
process.on("SIGINT", () => {
  if (!process.send) stop();
});
process.on("disconnect", stop);

await Promise.all(running.map(([name, run]) => keepRunning(name, run)));
await endTracing();
await closePools();
process.exit(0);
