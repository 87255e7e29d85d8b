import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemInstanceScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { appendEvents, createTestLog, newEvent } from "@/lib/events/server/test-log";
import { cutCheckpoint } from "@/lib/integrity/server/signer";
import { deleteOldProcesses, Heartbeat } from "./heartbeat";
import { readOperations } from "./operations";
import { sampleSizes } from "./storage";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const root = path.resolve(import.meta.dirname, "../../..");
const read = () => readOperations(systemInstanceScope("worker"), root);

test("a process tells of itself until it ends; one that falls silent is told apart, and forgotten in a day", async () => {
  const [one, two] = [new Heartbeat("server"), new Heartbeat("worker")];
  await one.beat();
  await two.beat();
  await two.beat();
  expect((await read()).processes).toMatchObject([
    { kind: "server", pid: process.pid, isSilent: false },
    { kind: "worker", isSilent: false },
  ]);
  expect(Math.abs((await read()).processes[0]?.databaseAheadMs ?? 9e9)).toBeLessThan(2_000);
  await two.end();
  await db.owner.query("UPDATE processes SET seen_at = now() - interval '51 seconds'");
  expect((await read()).processes).toMatchObject([{ kind: "server", isSilent: true }]);
  await deleteOldProcesses();
  expect((await read()).processes).toHaveLength(1);
  await db.owner.query("UPDATE processes SET seen_at = now() - interval '25 hours'");
  await deleteOldProcesses();
  expect((await read()).processes).toEqual([]);
});

test("sizes and counts are what the logs hold, and each day keeps its last sample", async () => {
  const log = await createTestLog(db);
  await appendEvents(log, [newEvent({}), newEvent({}), newEvent({})]);
  await sampleSizes();
  await appendEvents(log, [newEvent({})]);
  await sampleSizes();
  await db.owner.query(
    "INSERT INTO size_samples (day, database_bytes, events_sealed) VALUES (current_date - 401, 1, 1)",
  );
  await sampleSizes();
  const { storage, queues } = await read();
  expect(storage).toMatchObject({ events: 4, eventsSealed: 4 });
  expect(storage.samples).toMatchObject([{ eventsSealed: 4 }]);
  expect(storage.eventBytes).toBeGreaterThan(0);
  expect(storage.databaseBytes).toBeGreaterThan(storage.eventBytes);
  expect(queues).toMatchObject({ unsigned: 4, uncounted: 4, streamLag: 0, deadLetters: 0 });
  expect(queues.unsignedLogs).toBe(0);
  await db.owner.query(
    "UPDATE log_heads SET last_recorded_at = now() - interval '6 minutes' WHERE organization_id = $1",
    [log],
  );
  expect((await read()).queues.unsignedLogs).toBe(1);
  await cutCheckpoint(log);
  expect((await read()).queues).toMatchObject({ unsigned: 0, unsignedLogs: 0 });
});

test("a migration of the release that the database lacks is pending", async () => {
  expect((await read()).pendingMigrations).toEqual([]);
  await db.owner.query(
    "UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = '0020_operations'",
  );
  expect((await read()).pendingMigrations).toEqual(["0020_operations"]);
  await db.owner.query(
    "UPDATE _prisma_migrations SET finished_at = now() WHERE migration_name = '0020_operations'",
  );
});

test("a statement that runs for long is shown", async () => {
  const busy = db.app.query("SELECT pg_sleep(2.5)");
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const { running } = await read();
  expect(running.map(({ text }) => text)).toEqual(["SELECT pg_sleep(2.5)"]);
  expect(running[0]?.ms).toBeGreaterThan(1_000);
  await busy;
});
