import type { Metadata } from "next";
import { formatBytes } from "@/components/exports/words";
import { formatMoment } from "@/components/integrity/words";
import { Facts } from "@/components/operations/facts";
import { InstanceHeader } from "@/components/operations/instance-header";
import { Processes } from "@/components/operations/processes";
import { Queries } from "@/components/operations/queries";
import { TestMail } from "@/components/operations/test-mail";
import { count, formatDay } from "@/components/overview/words";
import { pageInstanceScope } from "@/lib/auth/server/require-scope";
import { type Concern, concernsOf } from "@/lib/operations/concerns";
import { forecast } from "@/lib/operations/forecast";
import { COUNTED, type Operations } from "@/lib/operations/schema";
import { readOperations } from "@/lib/operations/server/operations";
import { sendTestMailAction } from "./actions";

export const metadata: Metadata = { title: "Instance" };

export default async function InstancePage() {
  const scope = await pageInstanceScope("page:/instance");
  const operations = await readOperations(scope, process.cwd());
  const concerns = concernsOf(operations, Date.now());
  return (
    <main className="mx-auto grid w-full max-w-[1080px] grid-cols-[minmax(0,1fr)] gap-8 px-4 py-12">
      <InstanceHeader
        title={`Trailseal ${operations.version}`}
        other={{ label: "Portal", href: "/instance/portal" }}
      />
      <Concerns concerns={concerns} />
      <div className="grid grid-cols-2 gap-x-10 gap-y-8 max-md:grid-cols-[minmax(0,1fr)]">
        <Processes processes={operations.processes} />
        <Facts title="Waiting" note="of all organizations" facts={queueFacts(operations)} />
        <Facts title="Storage" facts={storageFacts(operations)} />
        <Facts title="Release" facts={releaseFacts(operations)} />
        <Facts title="Keys" note="since when each is in use" facts={keyFacts(operations)} />
        <div className="grid content-start gap-8">
          <Facts title="Backup and mail" facts={backupFacts(operations)} />
          <Queries running={operations.running} slowest={operations.slowest} />
        </div>
      </div>
    </main>
  );
}

function Concerns({ concerns }: { concerns: Concern[] }) {
  return (
    <section>
      <h1 className="text-[22px] leading-7 font-semibold tracking-[-0.02em]">
        {concerns.length === 0
          ? "Everything runs"
          : concerns.length === 1
            ? "One thing to look at"
            : `${concerns.length} things to look at`}
      </h1>
      <ul className="mt-3 grid gap-3">
        {concerns.map(({ title, advice }) => (
          <li key={title} className="border-l-2 border-(--in-fetch-line) pl-3.5">
            <p className="font-medium">{title}</p>
            <p className="max-w-[92ch] text-(--text-2)">{advice}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function queueFacts({ queues }: Operations) {
  return {
    Exports: `${count(queues.exportsRunning)} running, ${count(queues.exportsWaiting)} waiting`,
    Verifications: count(queues.verifications),
    "Alerts tried again": count(queues.alertsUnsent),
    "Behind in streams": `${count(queues.streamLag)} events`,
    "Set aside": `${queues.deadLetters > COUNTED ? `more than ${count(COUNTED)}` : count(queues.deadLetters)} events`,
    "Not signed yet": `${count(queues.unsigned)} events`,
    "Not counted yet": `${count(queues.uncounted)} events`,
  };
}

function storageFacts({ storage }: Operations) {
  const { disk, events, eventBytes } = storage;
  const growth = forecast(storage);
  return {
    Database: formatBytes(storage.databaseBytes),
    Events: `${count(events)}, ${events > 0 ? `${count(Math.round(eventBytes / events))} bytes each with indexes` : formatBytes(eventBytes)}`,
    "Sealed in all": count(storage.eventsSealed),
    Growth: growth
      ? `${formatBytes(Math.max(0, growth.bytesPerDay))} and ${count(Math.round(growth.eventsPerDay))} events a day`
      : "known after a day",
    "Disk of the data": `${formatBytes(disk.freeBytes)} of ${formatBytes(disk.totalBytes)} free`,
    "Disk lasts": !disk.holdsDatabase
      ? "the database's disk is not seen from here"
      : !growth
        ? "known after a day"
        : growth.daysLeft === null
          ? "it does not fill up"
          : `about ${count(growth.daysLeft)} days`,
  };
}

function releaseFacts({ node, postgres, isEmbedded, pendingMigrations }: Operations) {
  return {
    "Node.js": node,
    PostgreSQL: `${postgres}, ${isEmbedded ? "the embedded server" : "an external server"}`,
    Migrations:
      pendingMigrations.length > 0 ? `pending: ${pendingMigrations.join(", ")}` : "all done",
  };
}

function keyFacts({ secrets, apiKeys }: Operations) {
  return {
    ...Object.fromEntries(
      secrets.map(({ name, since }) => [name, since ? formatDay(since) : "not on this host"]),
    ),
    "API keys": `${count(apiKeys.alive)} work, ${count(apiKeys.neverUsed)} never used, ${count(apiKeys.olderThanYear)} older than a year`,
  };
}

function backupFacts({ backup, hasMailServer }: Operations) {
  return {
    "Last backup": backup
      ? `covers all until ${formatMoment(backup.at)}${backup.withKeys ? ", with keys" : ", without keys"}`
      : "none by trailseal backup",
    Mail: hasMailServer ? (
      <TestMail send={sendTestMailAction} />
    ) : (
      "no mail server: set TRAILSEAL_SMTP_URL"
    ),
  };
}
