import { sendPortalMails } from "@/lib/auth/server/portal-mail";
import { pause } from "./pause";

const IDLE_MS = 2_000;

export async function mailPortalLinks(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const sent = await sendPortalMails();
    if (sent === 0) await pause(IDLE_MS, signal);
  }
}
