import { deliverAlerts } from "@/lib/alerts/server/alerts";
import { pause } from "./pause";

const IDLE_MS = 2_000;

export async function sendAlerts(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const sent = await deliverAlerts();
    if (sent === 0) await pause(IDLE_MS, signal);
  }
}
