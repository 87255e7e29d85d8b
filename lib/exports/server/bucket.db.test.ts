import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { KEYS, type ObjectStore, startObjectStore } from "@/e2e/fixtures/object-store";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { appendEvents, createTestLog, testEvents } from "@/lib/events/server/test-log";
import { parseExportInput } from "../schema";
import { openObject, putFile } from "./bucket";
import { deleteExport, openExport, requestExport } from "./exports";
import { contentOf, filesOf, made, startRunner, stopRunners } from "./test-exports";

let store: ObjectStore;
let db: TestDatabase;
let log: string;
let directory: string;

beforeAll(async () => {
  store = await startObjectStore("s3");
  Object.assign(process.env, {
    TRAILSEAL_EXPORT_S3_URL: `${store.url}/audit/exports`,
    TRAILSEAL_EXPORT_S3_KEY_ID: KEYS.accessKeyId,
    TRAILSEAL_EXPORT_S3_SECRET: KEYS.secretAccessKey,
  });
  db = await testDatabase();
  log = await createTestLog(db);
  await appendEvents(log, testEvents(300));
  directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-bucket-"));
});
afterEach(async () => {
  await stopRunners();
  store.setFault({ mode: "ok" });
});
afterAll(async () => {
  await store.close();
  await db.close();
  rmSync(directory, { recursive: true });
});

const scope = () => systemScope("cli", log);
const ask = async () => {
  const input = { format: "csv", q: "", from: null, to: null, options: {} };
  return (await requestExport(scope(), parseExportInput(input))).id;
};

test("a file and its manifest lie in the bucket, are read from there, and go with the export", async () => {
  const id = await ask();
  startRunner();
  // With the event that tells of the request.
  expect(await made(id, log)).toMatchObject({ state: "ready", events: 301 });
  const names = [`audit/exports/${id}.1.csv`, `audit/exports/${id}.1.csv.manifest`];
  expect(store.names()).toEqual(names);
  await expect.poll(() => filesOf(id)).toEqual([]);
  expect(await contentOf(id, log)).toBe(store.objects.get(names[0] as string)?.bytes.toString());
  expect(await contentOf(id, log, true)).toContain("trailseal-export/1");
  await deleteExport(scope(), id);
  expect(store.names()).toEqual([]);
});

test("a bucket that answers 503 for a while delays an export, one that refuses says why", async () => {
  store.setFault({ mode: "fail", failure: [503, "SlowDown"], times: 1 });
  startRunner();
  const id = await ask();
  expect(await made(id, log)).toMatchObject({ state: "ready" });
  store.setFault({ mode: "fail", failure: [403, "AccessDenied"] });
  const refused = await made(await ask(), log);
  expect(refused).toMatchObject({
    state: "failed",
    error: expect.stringContaining("AccessDenied"),
  });
  await expect(openExport(scope(), id)).rejects.toThrow("AccessDenied");
  store.setFault({ mode: "ok" });
  await deleteExport(scope(), id);
});

test("a large file goes in parts, and nothing of it is an object before the last", async () => {
  const file = path.join(directory, "large");
  const bytes = randomBytes(16_777_216 + 5);
  writeFileSync(file, bytes);
  store.setFault({ mode: "fail", failure: [400, "Bad"], after: 2 });
  await expect(putFile("large", file)).rejects.toThrow("answered 400");
  store.setFault({ mode: "ok" });
  expect(await openObject("large")).toBeNull();
  await putFile("large", file);
  const stream = await openObject("large");
  expect(stream && (await buffer(stream)).equals(bytes)).toBe(true);
});
