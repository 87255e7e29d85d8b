import { deleteOldAlerts } from "@/lib/alerts/server/alerts";
import { deleteOldInvitations } from "@/lib/auth/server/invitations";
import { deleteOldPortalSessions } from "@/lib/auth/server/portal-sessions";
import { deleteOldSessions } from "@/lib/auth/server/sessions";
import { deleteOldAttempts } from "@/lib/auth/server/throttle";
import { writePool } from "@/lib/db/pool";
import { deleteExpiredKeys } from "@/lib/events/server/idempotency";
import {
  deleteExpiredFiles,
  deleteOldExports,
  runExports,
  sweepFiles,
} from "@/lib/exports/server/export-jobs";
import { deleteOldAnswers } from "@/lib/http/answer-once";
import { expireImports, runImports, sweepImports } from "@/lib/import/server/import-jobs";
import { removeRetiredSeeds } from "@/lib/integrity/server/signing-keys";
import {
  deleteOldVerifications,
  runVerificationJobs,
} from "@/lib/integrity/server/verification-jobs";
import { deleteOldProcesses, HEARTBEAT_MS, Heartbeat } from "@/lib/operations/server/heartbeat";
import { sampleSizes } from "@/lib/operations/server/storage";
import { deleteOldDeliveries } from "@/lib/streams/server/attempts";
import { deliverDue } from "@/lib/streams/server/deliver";
import { watchClocks } from "./clock-watch";
import { followLogs } from "./followers";
import { keepDirectory } from "./keep-directory";
import { pause } from "./pause";
import { pruneLogs } from "./prune-logs";
import { publishAll } from "./publish-checkpoints";
import { reconcileStreams } from "./reconcile-streams";
import { runDrills } from "./run-drills";
import { sendAlerts } from "./send-alerts";
import { mailPortalLinks } from "./send-portal-mails";
import { signLogs } from "./sign-logs";
import { watchLogs } from "./watch-logs";
import { watchStreams } from "./watch-streams";

type Loop = (signal: AbortSignal) => Promise<void>;

const HOUSEKEEPING_INTERVAL_MS = 3_600_000;

/** Keeps three months of partitions ahead, and clears what has run out. */
async function keepHouse(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await writePool().query("SELECT ensure_partitions()");
    await deleteExpiredKeys();
    await deleteOldAttempts();
    await deleteOldAnswers();
    await deleteOldAlerts();
    await deleteOldDeliveries();
    await deleteExpiredFiles();
    await sweepFiles();
    await deleteOldExports();
    await expireImports();
    await sweepImports();
    await deleteOldVerifications();
    await deleteOldSessions();
    await deleteOldPortalSessions();
    await deleteOldInvitations();
    await deleteOldProcesses();
    await sampleSizes();
    removeRetiredSeeds();
    await pause(HOUSEKEEPING_INTERVAL_MS, signal);
  }
}

/** One for the process, however often its loop begins anew. */
const heartbeat = new Heartbeat("worker");

async function tellOfWorker(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await heartbeat.beat();
    await pause(HEARTBEAT_MS, signal);
  }
  await heartbeat.end();
}

/** Everything the worker process runs, side by side. */
export const loops: Record<string, Loop> = {
  housekeeping: keepHouse,
  heartbeat: tellOfWorker,
  followers: followLogs,
  delivery: (signal) => deliverDue(signal),
  streams: watchStreams,
  verification: (signal) => runVerificationJobs(signal),
  // Two each, so that a small one need not wait for a large one.
  exports: (signal) => runExports(signal),
  "more exports": (signal) => runExports(signal),
  imports: (signal) => runImports(signal),
  "more imports": (signal) => runImports(signal),
  signer: signLogs,
  watch: watchLogs,
  "witness directory": (signal) => publishAll("directory", signal),
  "HTTP witness": (signal) => publishAll("http", signal),
  clocks: watchClocks,
  alerts: sendAlerts,
  "portal mails": mailPortalLinks,
  drills: runDrills,
  directory: keepDirectory,
  reconciliation: reconcileStreams,
  retention: pruneLogs,
};
