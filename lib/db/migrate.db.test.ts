import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { migrate } from "./migrate";
import { type TestDatabase, testDatabase } from "./test-database";

let db: TestDatabase;
let directory: string;

beforeAll(async () => {
  db = await testDatabase();
});

afterAll(() => db.close());

beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-migrations-"));
  cpSync("prisma/migrations", directory, { recursive: true });
  return () => rmSync(directory, { recursive: true, force: true });
});

function add(name: string, sql: string): void {
  mkdirSync(path.join(directory, name));
  writeFileSync(path.join(directory, name, "migration.sql"), sql);
}

const run = () => migrate({ ownerUrl: db.ownerUrl, appUrl: db.appUrl, directory });
const exists = async (table: string) =>
  (await db.owner.query("SELECT to_regclass($1) AS found", [table])).rows[0].found !== null;

describe("migrate", () => {
  test("a database that is up to date is left alone", async () => {
    expect(await run()).toEqual([]);
  });

  test("a migration that fails leaves nothing behind and says which statement failed", async () => {
    add("0002_fails", "CREATE TABLE half_way (x int); SELECT 1/0; CREATE TABLE never (x int);");
    await expect(run()).rejects.toThrow(
      /0002_fails failed and was rolled back: division by zero.*SELECT 1\/0/,
    );
    expect(await exists("half_way")).toBe(false);
    expect(await exists("never")).toBe(false);
  });

  test("several starts at once apply each migration once", async () => {
    add("0002_once", "CREATE TABLE once (x int); INSERT INTO once VALUES (1);");
    const applied = await Promise.all([run(), run(), run()]);
    expect(applied.flat()).toEqual(["0002_once"]);
    expect((await db.owner.query("SELECT count(*)::int AS n FROM once")).rows[0].n).toBe(1);
  });

  test("a database made by a newer release is refused", async () => {
    await expect(run()).rejects.toThrow(/0002_once, which this release does not know/);
  });

  test("a migration edited after it was applied is refused", async () => {
    add("0002_once", "CREATE TABLE once (y int);");
    await expect(run()).rejects.toThrow(/0002_once was edited after it was applied/);
  });

  test("without a login of its own for the signer the app's stores checkpoints, with one it may not", async () => {
    const isSigner = async () =>
      (await db.app.query("SELECT has_table_privilege('checkpoints', 'INSERT') AS may")).rows[0]
        .may;
    add("0002_once", "CREATE TABLE once (x int); INSERT INTO once VALUES (1);");
    await run();
    expect(await isSigner()).toBe(true);
    await migrate({
      ownerUrl: db.ownerUrl,
      appUrl: db.appUrl,
      signerUrl: process.env.DATABASE_SIGNER_URL as string,
      directory,
    });
    expect(await isSigner()).toBe(false);
  });

  test("the login for retention is nobody else's", async () => {
    add("0002_once", "CREATE TABLE once (x int); INSERT INTO once VALUES (1);");
    const urls = { ownerUrl: db.ownerUrl, appUrl: db.appUrl, directory };
    for (const retentionUrl of [db.appUrl, db.ownerUrl])
      await expect(migrate({ ...urls, retentionUrl })).rejects.toThrow(/DATABASE_RETENTION_URL/);
  });

  test("the app's login may not be the owner", async () => {
    add("0002_once", "CREATE TABLE once (x int); INSERT INTO once VALUES (1);");
    await expect(
      migrate({ ownerUrl: db.ownerUrl, appUrl: db.ownerUrl, directory }),
    ).rejects.toThrow(/same login/);
  });
});
