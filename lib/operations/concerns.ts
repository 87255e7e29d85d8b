import { CLOCK_TOLERANCE_MS } from "@/lib/clock";
import { forecast } from "./forecast";
import type { Operations } from "./schema";

/** What an operator should do something about, worst first, each as what is wrong and what to do. */

export interface Concern {
  title: string;
  advice: string;
}

const DAY_MS = 86_400_000;
const DISK_DAYS = 30;
const DISK_SHARE = 0.1;
const BACKUP_DAYS = 7;

export function concernsOf(operations: Operations, nowMs: number): Concern[] {
  const { processes, storage, queues, pendingMigrations, backup } = operations;
  const alive = processes.filter(({ isSilent }) => !isSilent);
  const left = forecast(storage)?.daysLeft ?? null;
  const { freeBytes, totalBytes } = storage.disk;
  const found: (Concern | false)[] = [
    !alive.some(({ kind }) => kind === "worker") && {
      title: "No worker runs",
      advice:
        "Nothing is signed, delivered or exported. Start one with npm run worker, or set TRAILSEAL_WORKER=on.",
    },
    left !== null &&
      left < DISK_DAYS && {
        title: `The disk is full in about ${left} ${left === 1 ? "day" : "days"}`,
        advice: "Make the disk larger, or let retention delete more.",
      },
    freeBytes < DISK_SHARE * totalBytes && {
      title: "Less than a tenth of the disk is free",
      advice: "Make room: without it nothing can be stored any more.",
    },
    pendingMigrations.length > 0 && {
      title: `${pendingMigrations.length} ${pendingMigrations.length === 1 ? "migration is" : "migrations are"} pending`,
      advice: "Start a server of this version again: it migrates when it starts.",
    },
    new Set(alive.map(({ version }) => version)).size > 1 && {
      title: "Processes of different versions run",
      advice: "Bring every host to the newest of them.",
    },
    ...alive
      .filter(({ databaseAheadMs }) => Math.abs(databaseAheadMs) > CLOCK_TOLERANCE_MS)
      .map(({ host, kind, databaseAheadMs }) => ({
        title: `The clock of the ${kind} on ${host} is off by ${(Math.abs(databaseAheadMs) / 1_000).toFixed(1)} s`,
        advice: "Let NTP keep the clocks of all hosts and of the database.",
      })),
    queues.unsignedLogs > 0 && {
      title: `${queues.unsignedLogs} ${queues.unsignedLogs === 1 ? "log waits" : "logs wait"} for a signature`,
      advice:
        "Their newest events have been unsigned for minutes. Their integrity pages say why the signer refuses, or the worker's log says what it lacks.",
    },
    queues.streamsInError > 0 && {
      title: `${queues.streamsInError} ${queues.streamsInError === 1 ? "stream does" : "streams do"} not deliver`,
      advice: "Their pages say why.",
    },
    queues.deadLetters > 0 && {
      title: `${queues.deadLetters.toLocaleString("en-US")} events were set aside by streams`,
      advice: "Send them again or discard them on the streams' pages.",
    },
    queues.alertsUnsent > 0 && {
      title: `${queues.alertsUnsent} ${queues.alertsUnsent === 1 ? "alert" : "alerts"} could not be sent yet`,
      advice: "npx trailseal alert test says what the receiver answers.",
    },
    (!backup || nowMs - Date.parse(backup.at) > BACKUP_DAYS * DAY_MS) && {
      title: backup ? "The last backup is older than a week" : "No backup was made yet",
      advice:
        "npx trailseal backup makes one; what backs up an external database by other means is not seen here.",
    },
  ];
  return found.filter((concern): concern is Concern => concern !== false);
}
