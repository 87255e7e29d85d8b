import { raiseAlertOnce } from "@/lib/alerts/server/alerts";
import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import { longPool, retentionPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { log } from "@/lib/log";
import { DAY_MS } from "@/lib/retention/server/plan";
import { type RunOutcome, runRetention } from "@/lib/retention/server/run";
import { pause } from "./pause";

const INTERVAL_MS = 3_600_000;
/** A server that was just started has other things to do. */
const SETTLE_MS = 60_000;
const TOLD_AGAIN_MS = 7 * DAY_MS;

/** Deletes what is past retention, once an hour. Without a login for it, nothing. */
export async function pruneLogs(signal: AbortSignal): Promise<void> {
  await pause(SETTLE_MS, signal);
  while (!signal.aborted) {
    const pool = retentionPool();
    if (pool) {
      try {
        const { logs, skipped, dropped } = await runRetention(pool, systemInstanceScope("worker"), {
          signal,
        });
        for (const outcome of logs) await tell(outcome);
        for (const { organizationId, error } of skipped) await tellOfFailure(organizationId, error);
        for (const { month, bytes } of dropped)
          log().info({ month, bytes }, "a month that no log needs was dropped");
      } catch (error) {
        // Somebody runs it by hand.
        if (!(error instanceof AppError)) throw error;
        log().info({ reason: error.message }, "retention did not run");
      }
    }
    await pause(INTERVAL_MS, signal);
  }
}

function alert(organizationId: string, kind: string, title: string, detail: string): Promise<void> {
  return raiseAlertOnce(
    longPool(),
    systemScope("worker", organizationId),
    { kind, title, detail, path: `/o/${organizationId}/settings` },
    new Date(Date.now() - TOLD_AGAIN_MS),
  );
}

async function tellOfFailure(organizationId: string, reason: string): Promise<void> {
  log().error({ organization_id: organizationId, reason }, "a log could not be pruned");
  const detail = `${reason} The next run tries it again.`;
  await alert(
    organizationId,
    "retention.failed",
    "Not all that is past retention was deleted",
    detail,
  );
}

async function tell(outcome: RunOutcome): Promise<void> {
  const { organizationId, state, events, removed, behind, refusal, error } = outcome;
  const about = { organization_id: organizationId, events, removed };
  if (removed > 0) log().info(about, "events past retention were deleted");
  if (refusal !== null) {
    log().error({ ...about, reason: refusal }, "retention refused a log");
    await alert(organizationId, "retention.refused", "Retention was refused", refusal);
  }
  if (error !== null && error !== refusal) await tellOfFailure(organizationId, error);
  if (state === "behind") {
    log().warn({ ...about, streams: behind }, "streams hold back what is past retention");
    const detail = `${events} events are kept, since they are not delivered yet by ${behind.join(", ")}. Let the streams deliver, discard what they set aside, or choose under Settings that deletion does not wait.`;
    await alert(
      organizationId,
      "retention.held_back",
      "Streams hold back what is past retention",
      detail,
    );
  }
}
