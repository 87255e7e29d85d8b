import { deleteOldAttempts } from "@/lib/auth/server/throttle";
import { writePool } from "@/lib/db/pool";
import { deleteExpiredKeys } from "@/lib/events/server/idempotency";
import { deleteExpiredFiles, runExports } from "@/lib/exports/server/export-jobs";
import { deleteOldAnswers } from "@/lib/http/answer-once";
import { runVerificationJobs } from "@/lib/integrity/server/verification-jobs";
import { deliverDue } from "@/lib/streams/server/deliver";
import { watchClocks } from "./clock-watch";
import { followLogs } from "./followers";
import { pause } from "./pause";
import { publishAll } from "./publish-checkpoints";
import { signLogs } from "./sign-logs";
import { watchLogs } from "./watch-logs";

type Loop = (signal: AbortSignal) => Promise<void>;

const HOUSEKEEPING_INTERVAL_MS = 3_600_000;

/** Keeps three months of partitions ahead, and clears what has run out. */
async function keepHouse(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await writePool().query("SELECT ensure_partitions()");
    await deleteExpiredKeys();
    await deleteOldAttempts();
    await deleteOldAnswers();
    await deleteExpiredFiles();
    await pause(HOUSEKEEPING_INTERVAL_MS, signal);
  }
}

/** Everything the worker process runs, side by side. */
export const loops: Record<string, Loop> = {
  housekeeping: keepHouse,
  followers: followLogs,
  delivery: (signal) => deliverDue(signal),
  verification: (signal) => runVerificationJobs(signal),
  // Two, so that a small export need not wait for a large one.
  exports: (signal) => runExports(signal),
  "more exports": (signal) => runExports(signal),
  signer: signLogs,
  watch: watchLogs,
  witness: publishAll,
  clocks: watchClocks,
};
