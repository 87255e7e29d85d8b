import { logsToWatch, watchLog } from "@/lib/integrity/server/log-watch";
import { refusedLogs } from "@/lib/integrity/server/signer";
import { log } from "@/lib/log";
import { pause } from "./pause";

const IDLE_MS = 5_000;

/** Checks what is new in every log, one log after another. */
export async function watchLogs(signal: AbortSignal): Promise<void> {
  // What was turned back while nothing ran does not move by itself.
  for (const { organizationId, why, signedSize, nextSeq } of await refusedLogs()) {
    const command = `trailseal epoch begin --org ${organizationId} --reason "…"`;
    log().error(
      { organization_id: organizationId, why, signed_size: signedSize, stored_size: nextSeq },
      `the database does not extend what was signed, as after a restore of an older backup: restore a newer one, or run ${command}`,
    );
    await watchLog(organizationId, signal);
  }
  while (!signal.aborted) {
    for (const organizationId of await logsToWatch()) {
      if (signal.aborted) return;
      // A log that cannot be read to its end keeps nobody from looking at the others.
      await watchLog(organizationId, signal).catch((error: unknown) => {
        if (!signal.aborted)
          log().error({ err: error, organization_id: organizationId }, "a log cannot be checked");
      });
    }
    await pause(IDLE_MS, signal);
  }
}
