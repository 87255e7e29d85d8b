import { getEnv } from "@/lib/env";
import { newestCheckpoints, publishCheckpoints } from "@/lib/integrity/server/witness-directory";
import { log } from "@/lib/log";
import { pause } from "./pause";

const IDLE_MS = 2_000;

/** Keeps the witness directory up with what is signed. One that cannot be written is told once, and tried on. */
export async function publishAll(signal: AbortSignal): Promise<void> {
  const published = new Map<string, number>();
  let isFailing = false;
  while (!signal.aborted) {
    if (!getEnv().TRAILSEAL_WITNESS_DIR) {
      await pause(60_000, signal);
      continue;
    }
    try {
      for (const [organizationId, size] of await newestCheckpoints()) {
        if (signal.aborted) return;
        if (published.get(organizationId) === size) continue;
        await publishCheckpoints(organizationId);
        published.set(organizationId, size);
      }
      if (isFailing) log().info("checkpoints are published again");
      isFailing = false;
    } catch (error) {
      if (!isFailing) log().error({ err: error }, "checkpoints cannot be published");
      isFailing = true;
    }
    await pause(IDLE_MS, signal);
  }
}
