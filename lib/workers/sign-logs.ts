import { type Cut, cutCheckpoint, logsToSign } from "@/lib/integrity/server/signer";
import { log } from "@/lib/log";
import { traced } from "@/lib/tracing";
import { pause } from "./pause";

const IDLE_MS = 1_000;

const cut = (organizationId: string) =>
  traced("checkpoint", { "trailseal.organization_id": organizationId }, () =>
    cutCheckpoint(organizationId),
  );

/**
 * Signs every log whose cut is due, and at the end all that a shutdown would leave uncovered. A log that it refuses
 * is told once, until that changes.
 */
export async function signLogs(signal: AbortSignal): Promise<void> {
  const refused = new Map<string, string>();
  while (!signal.aborted) {
    for (const organizationId of await logsToSign()) {
      if (signal.aborted) break;
      tell(organizationId, await cut(organizationId), refused);
    }
    await pause(IDLE_MS, signal);
  }
  for (const organizationId of await logsToSign({ isLast: true }))
    tell(organizationId, await cut(organizationId), refused);
}

function tell(organizationId: string, cut: Cut, refused: Map<string, string>): void {
  if (cut.kind !== "refused") {
    refused.delete(organizationId);
    return;
  }
  if (refused.get(organizationId) === cut.why) return;
  refused.set(organizationId, cut.why);
  log().error(
    { organization_id: organizationId, why: cut.why, signed_size: cut.signedSize },
    "the database does not extend what was signed: nothing is signed for this log",
  );
}
