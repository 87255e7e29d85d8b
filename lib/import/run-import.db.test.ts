import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { deleteExpiredKeys } from "@/lib/events/server/idempotency";
import { createTestLog } from "@/lib/events/server/test-log";
import { verifyLog } from "@/lib/integrity/server/verify";
import { runImport } from "./run-import";

let db: TestDatabase;
let directory: string;

beforeAll(async () => {
  db = await testDatabase();
  directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-import-"));
});

afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await db.close();
});

const line = (extra: object = {}) => ({
  action: "a",
  occurred_at: "2026-01-02T03:04:05Z",
  actor: { type: "user", id: "u1" },
  targets: [],
  ...extra,
});

function write(name: string, content: string | Buffer): string {
  const file = path.join(directory, name);
  writeFileSync(file, content);
  return file;
}

const expireEverything = async () => {
  await db.owner.query("UPDATE idempotency_keys SET expires_at = '2000-01-01'");
  await deleteExpiredKeys();
};

describe("runImport", () => {
  test("NDJSON: good lines are stored, bad ones come out with line numbers and reasons, a re-run stores nothing", async () => {
    const organizationId = await createTestLog(db);
    const scope = systemScope("cli", organizationId);
    const rejectsFile = path.join(directory, "rejects.ndjson");
    const file = write(
      "events.ndjson",
      [
        JSON.stringify(line({ id: "source-1" })),
        "",
        "{broken",
        JSON.stringify(line({ actor: { type: "user" } })),
        JSON.stringify({ organization_id: organizationId, event: line({ action: "b" }) }),
        JSON.stringify({ organization_id: "org_OTHER", event: line() }),
        JSON.stringify(line({ metadata: { nested: { deep: [1, 2] } } })),
        "[]",
      ].join("\n"),
    );
    const options = { format: "ndjson" as const, files: [file], rejectsFile };
    expect(await runImport(scope, options)).toEqual({
      read: 7,
      stored: 3,
      already_there: 0,
      repeats: 0,
      rejected: 4,
    });
    const rejects = readFileSync(rejectsFile, "utf8")
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text));
    expect(rejects.map(({ number }) => number)).toEqual([3, 4, 6, 8]);
    expect(rejects[1].reasons).toEqual(["actor.id is required"]);
    await expireEverything();
    expect(await runImport(scope, options)).toEqual({
      read: 7,
      stored: 0,
      already_there: 3,
      repeats: 0,
      rejected: 4,
    });
  });

  test("what is kept of rejected records is bounded, in their reasons too", async () => {
    const scope = systemScope("cli", await createTestLog(db));
    const rejectsFile = path.join(directory, "long.rejects");
    const long = "x".repeat(400_000);
    const targets = Array.from({ length: 5_000 }, () => ({ id: 1 }));
    const content = [
      { organization_id: `org_${long}`, event: line() },
      line({ targets }),
      line({ metadata: { [long]: { at: long } } }),
    ];
    const file = write("long.ndjson", content.map((one) => JSON.stringify(one)).join("\n"));
    const heard: string[][] = [];
    const summary = await runImport(scope, {
      ...{ format: "ndjson", files: [file], rejectsFile },
      onRejected: ({ reasons }) => heard.push(reasons),
    });
    expect(summary.rejected).toBe(3);
    expect(heard[0]?.[0]).toMatch(/^belongs to organization org_x{900,}…$/);
    for (const reasons of heard) {
      expect(reasons.length).toBeLessThanOrEqual(51);
      expect(reasons.every((reason) => reason.length <= 1_001)).toBe(true);
    }
    expect(readFileSync(rejectsFile).length).toBeLessThan(500_000);
  });

  test("a packed file is read like a plain one; the same records in both are stored once", async () => {
    const scope = systemScope("cli", await createTestLog(db));
    const text = JSON.stringify(line({ id: "packed" }));
    const files = [write("a.ndjson", text), write("a.ndjson.gz", gzipSync(text))];
    const summary = await runImport(scope, {
      format: "ndjson",
      files,
      rejectsFile: path.join(directory, "none"),
    });
    expect(summary).toEqual({ read: 2, stored: 1, already_there: 1, repeats: 0, rejected: 0 });
    expect(existsSync(path.join(directory, "none"))).toBe(false);
  });

  test("a file that is something else is rejected by name; the others are stored", async () => {
    const scope = systemScope("cli", await createTestLog(db));
    const record = {
      eventID: "e1",
      eventTime: "2026-01-02T03:04:05Z",
      eventSource: "iam.amazonaws.com",
      eventName: "GetUser",
    };
    const files = [
      write("LICENSE", "not JSON"),
      write("other.json", "{}"),
      write("trail.json", JSON.stringify({ Records: [record] })),
    ];
    const rejectsFile = path.join(directory, "files.rejects");
    const summary = await runImport(scope, { format: "cloudtrail", files, rejectsFile });
    expect(summary).toEqual({ read: 3, stored: 1, already_there: 0, repeats: 0, rejected: 2 });
    expect(readFileSync(rejectsFile, "utf8")).toMatch(
      /LICENSE.*not JSON[\s\S]*other\.json.*no list of Records/,
    );
  });

  const folder = path.join(process.env.TRAILSEAL_TEST_DATA ?? "../shared/data", "cloudtrail");

  test.skipIf(!existsSync(folder))(
    `a real trail: 2,900 records, each stored once, and it verifies (skipped without ${folder})`,
    async () => {
      const organizationId = await createTestLog(db);
      const scope = systemScope("cli", organizationId);
      const files = readdirSync(folder)
        .filter((name) => name.endsWith(".json"))
        .map((name) => path.join(folder, name));
      const options = {
        format: "cloudtrail" as const,
        files,
        rejectsFile: path.join(directory, "none"),
      };
      expect(await runImport(scope, options)).toEqual({
        read: 2_900,
        stored: 2_900,
        already_there: 0,
        repeats: 0,
        rejected: 0,
      });
      await expireEverything();
      expect(await runImport(scope, options)).toEqual({
        read: 2_900,
        stored: 0,
        already_there: 2_900,
        repeats: 0,
        rejected: 0,
      });
      expect(await verifyLog(scope)).toMatchObject({ ok: true, checked: 2_900 });
    },
  );
});
