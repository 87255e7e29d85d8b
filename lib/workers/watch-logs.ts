import { logsToWatch, watchLog } from "@/lib/integrity/server/log-watch";
import { pause } from "./pause";

const IDLE_MS = 5_000;

/** Checks what is new in every log, one log after another. */
export async function watchLogs(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const organizationId of await logsToWatch()) {
      if (signal.aborted) return;
      await watchLog(organizationId, signal);
    }
    await pause(IDLE_MS, signal);
  }
}
