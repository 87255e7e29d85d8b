import { setTimeout as sleep } from "node:timers/promises";

/** Waits, or returns at once when asked to stop. */
export async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  await sleep(durationMs, undefined, { signal }).catch(() => undefined);
}
