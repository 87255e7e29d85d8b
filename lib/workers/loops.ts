import { setTimeout as sleep } from "node:timers/promises";
import { deleteOldAttempts } from "@/lib/auth/server/throttle";
import { writePool } from "@/lib/db/pool";
import { deliverDue } from "@/lib/streams/server/deliver";

type Loop = (signal: AbortSignal) => Promise<void>;

const HOUSEKEEPING_INTERVAL_MS = 3_600_000;

function pause(durationMs: number, signal: AbortSignal): Promise<unknown> {
  return sleep(durationMs, undefined, { signal }).catch(() => undefined);
}

/** Keeps three months of partitions ahead; forgets failed sign-ins. */
async function keepHouse(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await writePool().query("SELECT ensure_partitions()");
    await deleteOldAttempts();
    await pause(HOUSEKEEPING_INTERVAL_MS, signal);
  }
}

/** Everything the worker process runs, side by side. */
export const loops: Record<string, Loop> = {
  housekeeping: keepHouse,
  delivery: (signal) => deliverDue(signal),
};
