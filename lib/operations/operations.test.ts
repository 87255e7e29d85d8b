import { expect, test } from "vitest";
import { concernsOf } from "./concerns";
import { forecast } from "./forecast";
import { renderMetrics } from "./metrics";
import type { Operations } from "./schema";

const NOW = Date.parse("2026-11-29T12:00:00.000Z");
const DAY = 86_400_000;

const worker = {
  kind: "worker" as const,
  host: "a",
  pid: 1,
  version: "1.0.0",
  startedAt: "2026-11-29T00:00:00.000Z",
  seenAt: "2026-11-29T12:00:00.000Z",
  isSilent: false,
  databaseAheadMs: 0,
};

const healthy: Operations = {
  version: "1.0.0",
  node: "20.20.2",
  postgres: "18.4",
  isEmbedded: true,
  processes: [worker],
  pendingMigrations: [],
  storage: {
    databaseBytes: 1_000,
    eventBytes: 800,
    events: 10,
    eventsSealed: 12,
    samples: [],
    disk: { freeBytes: 900, totalBytes: 1_000, holdsDatabase: true },
  },
  queues: {
    exportsWaiting: 0,
    exportsRunning: 0,
    verifications: 0,
    alertsUnsent: 0,
    streamLag: 0,
    streamsInError: 0,
    deadLetters: 0,
    unsigned: 0,
    unsignedLogs: 0,
    uncounted: 0,
  },
  running: [],
  slowest: null,
  secrets: [],
  apiKeys: { alive: 0, neverUsed: 0, olderThanYear: 0 },
  backup: { at: "2026-11-29T00:00:00.000Z", withKeys: true },
  hasMailServer: false,
};

const titles = (change: Partial<Operations>) =>
  concernsOf({ ...healthy, ...change }, NOW).map(({ title }) => title);

const { storage, queues } = healthy;

test("a healthy instance worries nobody", () => {
  expect(titles({})).toEqual([]);
});

test.each<[string, Partial<Operations>, string]>([
  ["no worker", { processes: [] }, "No worker runs"],
  ["a silent worker", { processes: [{ ...worker, isSilent: true }] }, "No worker runs"],
  [
    "versions",
    { processes: [worker, { ...worker, version: "0.9.0" }] },
    "Processes of different versions run",
  ],
  [
    "a clock",
    { processes: [{ ...worker, databaseAheadMs: -2_500 }] },
    "The clock of the worker on a is off by 2.5 s",
  ],
  ["a migration", { pendingMigrations: ["0099_x"] }, "1 migration is pending"],
  ["signing", { queues: { ...queues, unsignedLogs: 1 } }, "1 log waits for a signature"],
  ["streams", { queues: { ...queues, streamsInError: 2 } }, "2 streams do not deliver"],
  ["dead letters", { queues: { ...queues, deadLetters: 3 } }, "3 events were set aside by streams"],
  ["alerts", { queues: { ...queues, alertsUnsent: 1 } }, "1 alert could not be sent yet"],
  ["no backup", { backup: null }, "No backup was made yet"],
  [
    "an old backup",
    { backup: { at: "2026-11-20T00:00:00.000Z", withKeys: true } },
    "The last backup is older than a week",
  ],
  [
    "little room",
    { storage: { ...storage, disk: { freeBytes: 99, totalBytes: 1_000, holdsDatabase: true } } },
    "Less than a tenth of the disk is free",
  ],
])("%s is told", (_name, change, title) => {
  expect(titles(change)).toEqual([title]);
});

test("the disk's end is told from how the last 30 days grew, and only of the database's own disk", () => {
  const sample = (ago: number, databaseBytes: number, eventsSealed: number) => ({
    day: new Date(NOW - ago * DAY).toISOString().slice(0, 10),
    databaseBytes,
    eventsSealed,
  });
  const grown = {
    ...storage,
    samples: [sample(300, 0, 0), sample(10, 500, 50), sample(0, 1_000, 150)],
  };
  expect(forecast(grown)).toEqual({ bytesPerDay: 50, eventsPerDay: 10, daysLeft: 18 });
  expect(titles({ storage: grown })).toEqual(["The disk is full in about 18 days"]);
  const elsewhere = { ...grown, disk: { ...storage.disk, holdsDatabase: false } };
  expect(forecast(elsewhere)?.daysLeft).toBeNull();
  expect(forecast({ ...grown, samples: grown.samples.slice(2) })).toBeNull();
  expect(forecast(storage)).toBeNull();
});

test("metrics are in the text format: a help and a type line each, labels escaped, buckets that add up", () => {
  const text = renderMetrics(
    { ...healthy, processes: [{ ...worker, host: 'a"\\\n' }] },
    {
      byClass: new Map([["2xx", 3]]),
      duration: {
        buckets: [
          [0.1, 2],
          [1, 3],
        ],
        sumS: 0.7,
        count: 3,
      },
    },
    NOW,
  );
  expect(text.endsWith("\n")).toBe(true);
  const lines = text.trimEnd().split("\n");
  const sample =
    /^trailseal_[a-z_]+(\{[a-z_]+="(\\.|[^"\\])*"(,[a-z_]+="(\\.|[^"\\])*")*\})? -?[\d.]+$/;
  for (const line of lines.filter((one) => !one.startsWith("# "))) expect(line).toMatch(sample);
  const names = lines.flatMap((line) => /^# TYPE (\S+)/.exec(line)?.[1] ?? []);
  expect(new Set(names).size).toBe(names.length);
  expect(lines).toContain(
    'trailseal_clock_ahead_seconds{kind="worker",host="a\\"\\\\\\n",pid="1"} 0',
  );
  expect(lines).toContain('trailseal_http_request_duration_seconds_bucket{le="1"} 3');
  expect(lines).toContain('trailseal_http_request_duration_seconds_bucket{le="+Inf"} 3');
  expect(lines).toContain("trailseal_backup_age_seconds 43200");
});
