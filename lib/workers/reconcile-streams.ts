import { systemScope } from "@/lib/auth/server/system-scope";
import { reconcileStream, streamsToReconcile } from "@/lib/integrity/server/reconcile";
import { log } from "@/lib/log";
import { pause } from "./pause";

const IDLE_MS = 60_000;

/** Once a day, holds what every stream put into a store against the log, one stream after another. */
export async function reconcileStreams(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    for (const { organizationId, id } of await streamsToReconcile()) {
      if (signal.aborted) return;
      const scope = systemScope("worker", organizationId);
      // One that fails holds up no other; it is looked at again in the next round.
      const found = await reconcileStream(scope, id, { signal }).catch((error: unknown) => {
        signal.throwIfAborted();
        log().error({ err: error, stream_id: id }, "a store could not be compared with the log");
        return null;
      });
      if (found?.finding)
        log().error(
          { stream_id: id, finding: found.finding },
          "what a stream delivered is not what the log holds",
        );
    }
    await pause(IDLE_MS, signal);
  }
}
