import type { Operations } from "./schema";

/**
 * What monitoring reads, in Prometheus' text format 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/).
 */

type Labels = Record<string, string>;
type Sample = [value: number, labels?: Labels, suffix?: string];

interface Requests {
  byClass: ReadonlyMap<string, number>;
  duration: { buckets: [number, number][]; sumS: number; count: number };
}

const escaped = (text: string) =>
  text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');

function labelled(labels: Labels = {}): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return parts.length > 0 ? `{${parts.join(",")}}` : "";
}

function family(
  name: string,
  type: "gauge" | "counter" | "histogram",
  help: string,
  samples: Sample[],
): string {
  const lines = samples.map(
    ([value, labels, suffix = ""]) => `trailseal_${name}${suffix}${labelled(labels)} ${value}`,
  );
  return [`# HELP trailseal_${name} ${help}`, `# TYPE trailseal_${name} ${type}`, ...lines].join(
    "\n",
  );
}

export function renderMetrics(operations: Operations, requests: Requests, nowMs: number): string {
  const { processes, storage, queues, backup, version } = operations;
  const alive = processes.filter(({ isSilent }) => !isSilent);
  const kinds = ["server", "worker"] as const;
  const { buckets, sumS, count } = requests.duration;
  const gauge = (name: string, help: string, ...samples: Sample[]) =>
    family(name, "gauge", help, samples);
  return [
    gauge("build_info", "Release that answers.", [1, { version }]),
    gauge(
      "processes",
      "Processes that told of themselves lately.",
      ...kinds.map((kind): Sample => [alive.filter((one) => one.kind === kind).length, { kind }]),
    ),
    gauge(
      "clock_ahead_seconds",
      "The database's clock minus the process's.",
      ...alive.map(
        ({ kind, host, pid, databaseAheadMs }): Sample => [
          databaseAheadMs / 1_000,
          { kind, host, pid: String(pid) },
        ],
      ),
    ),
    gauge("database_bytes", "Size of the database.", [storage.databaseBytes]),
    gauge("event_bytes", "Size of events with their indexes.", [storage.eventBytes]),
    gauge("disk_free_bytes", "Room left where the data directory lies.", [storage.disk.freeBytes]),
    gauge("events", "Events in all logs.", [storage.events]),
    family("events_sealed_total", "counter", "Events sealed since the logs began.", [
      [storage.eventsSealed],
    ]),
    gauge("events_unsigned", "Events that no signed checkpoint covers yet.", [queues.unsigned]),
    gauge("stream_lag_events", "Events that streams have yet to deliver.", [queues.streamLag]),
    gauge("streams_in_error", "Streams that do not deliver.", [queues.streamsInError]),
    gauge("dead_letters", "Events that streams set aside, 10001 for more than 10000.", [
      queues.deadLetters,
    ]),
    gauge(
      "jobs",
      "Work that waits or is being done.",
      [queues.exportsWaiting, { kind: "export", state: "queued" }],
      [queues.exportsRunning, { kind: "export", state: "running" }],
      [queues.verifications, { kind: "verification", state: "open" }],
      [queues.alertsUnsent, { kind: "alert", state: "unsent" }],
    ),
    gauge("pending_migrations", "Migrations that the database lacks.", [
      operations.pendingMigrations.length,
    ]),
    gauge(
      "backup_age_seconds",
      "Since the moment that the last backup covers; absent without one.",
      ...(backup ? [[Math.round((nowMs - Date.parse(backup.at)) / 1_000)] as Sample] : []),
    ),
    family(
      "http_requests_total",
      "counter",
      "Requests that this process answered.",
      [...requests.byClass].map(([status, value]) => [value, { status }]),
    ),
    family("http_request_duration_seconds", "histogram", "How long they took.", [
      ...buckets.map(([end, value]): Sample => [value, { le: String(end) }, "_bucket"]),
      [count, { le: "+Inf" }, "_bucket"],
      [sumS, {}, "_sum"],
      [count, {}, "_count"],
    ]),
    "",
  ].join("\n");
}
