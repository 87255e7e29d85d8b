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
      const { finding } = await reconcileStream(systemScope("worker", organizationId), id, {
        signal,
      });
      if (finding)
        log().error(
          { stream_id: id, finding },
          "what a stream delivered is not what the log holds",
        );
    }
    await pause(IDLE_MS, signal);
  }
}
