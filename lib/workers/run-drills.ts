import { runDueDrill } from "@/lib/integrity/server/drill-runs";
import { pause } from "./pause";

/** A server that was just started has other things to do. */
const SETTLE_MS = 600_000;
const IDLE_MS = 5_000;

export async function runDrills(signal: AbortSignal): Promise<void> {
  const started = Date.now();
  while (!signal.aborted) {
    await runDueDrill(signal, { isScheduled: Date.now() - started > SETTLE_MS });
    await pause(IDLE_MS, signal);
  }
}
