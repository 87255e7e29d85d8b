import { closePools } from "@/lib/db/pool";
import { log } from "@/lib/log";
import { loops } from "./loops";

const RETRY_DELAY_MS = 1_000;

const stopping = new AbortController();

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

const GRACE_MS = 8_000;

function stop(): void {
  stopping.abort();
  setTimeout(() => process.exit(0), GRACE_MS).unref();
}

process.on("SIGTERM", stop);
// Ctrl-C reaches the whole process group; the server then asks for the stop itself.
process.on("SIGINT", () => undefined);
process.on("disconnect", stop);

await Promise.all(Object.entries(loops).map(([name, run]) => keepRunning(name, run)));
await closePools();
process.exit(0);
