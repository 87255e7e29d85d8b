import { existsSync, readdirSync } from "node:fs";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { KEYS, type ObjectStore, startObjectStore } from "@/e2e/fixtures/object-store";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { openObject } from "@/lib/exports/server/bucket";
import { listImports } from "./imports";
import { directory, line, newScope, upload } from "./test-imports";

let store: ObjectStore;
let db: TestDatabase;

beforeAll(async () => {
  store = await startObjectStore("s3");
  Object.assign(process.env, {
    TRAILSEAL_EXPORT_S3_URL: `${store.url}/audit/files`,
    TRAILSEAL_EXPORT_S3_KEY_ID: KEYS.accessKeyId,
    TRAILSEAL_EXPORT_S3_SECRET: KEYS.secretAccessKey,
  });
  db = await testDatabase();
});
afterAll(async () => {
  await store.close();
  await db.close();
});

test("a bucket that refuses an upload leaves nothing of it on this host's disk", async () => {
  const scope = await newScope(db);
  const files = () => (existsSync(directory()) ? readdirSync(directory()) : []);
  const before = files();
  store.setFault({ mode: "fail", failure: [403, "AccessDenied"] });
  await expect(upload(scope, "events.ndjson", line(1))).rejects.toThrow();
  expect(files()).toEqual(before);
  expect(await listImports(scope, null, 10)).toEqual([]);
  store.setFault({ mode: "ok" });
  const { id } = await upload(scope, "events.ndjson", line(1));
  const stored = await openObject(`${id}.upload`);
  expect(stored && (await text(stored))).toBe(line(1));
});
