import { randomUUID } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import pg from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import type { DatabaseUrls } from "@/lib/db/embedded";
import { closePools } from "@/lib/db/pool";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { appendEvents, createTestLog, testEvents } from "@/lib/events/server/test-log";
import { cutCheckpoint } from "@/lib/integrity/server/signer";
import { verifyLog } from "@/lib/integrity/server/verify";
import type { ArchiveManifest } from "../schema";
import { writeTables } from "./archive";
import { type FinishedBackup, findDamage, writeBackup } from "./files";
import { readLastBackup, recordBackup } from "./last-backup";
import { loadArchive } from "./load-archive";

const EVENTS = 600;
/** Characters that COPY, JSON or an encoding could stumble over. */
const AWKWARD = 'tab\t line\n return\r back\\slash \\N \\. "quoted" \u{1F512} \u0001';

let db: TestDatabase;
let log: string;
let place: string;
let archive: FinishedBackup & { manifest: ArchiveManifest };
let appended = 0;
const targets: string[] = [];

function onDatabase(url: string, database: string): string {
  const target = new URL(url);
  target.pathname = `/${database}`;
  return target.toString();
}

const maintain = async (sql: string) => {
  const client = new pg.Client({ connectionString: onDatabase(db.ownerUrl, "postgres") });
  await client.connect();
  await client.query(sql).finally(() => client.end());
};

async function emptyDatabase(): Promise<Required<DatabaseUrls>> {
  const name = `restore_${randomUUID().replaceAll("-", "")}`;
  targets.push(name);
  await maintain(`CREATE DATABASE ${name}`);
  return {
    ownerUrl: onDatabase(db.ownerUrl, name),
    appUrl: onDatabase(db.appUrl, name),
    signerUrl: onDatabase(process.env.DATABASE_SIGNER_URL as string, name),
    retentionUrl: onDatabase(process.env.DATABASE_RETENTION_URL as string, name),
  };
}

/** The rows of each table, in an order of their own, so that two databases can be compared. */
async function contentsOf(url: string): Promise<Record<string, string[]>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace
         AND relkind IN ('r', 'p') AND NOT relispartition AND relname <> '_prisma_migrations' ORDER BY 1`,
    );
    const contents: Record<string, string[]> = {};
    for (const { name } of rows) {
      const found = await client.query<{ row: string }>(
        `SELECT t::text AS row FROM ${name} t ORDER BY 1`,
      );
      contents[name] = found.rows.map(({ row }) => row);
    }
    return contents;
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  db = await testDatabase();
  place = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-archive-"));
  log = await createTestLog(db);
  await appendEvents(log, testEvents(EVENTS));
  await cutCheckpoint(log);
  // Types and values that the log's own tables do not have; and a month without a partition in a new database.
  const insert = (sql: string, values: unknown[] = []) => db.owner.query(sql, values);
  await insert("UPDATE organizations SET name = $1, metadata = $2", [
    AWKWARD,
    JSON.stringify({ [AWKWARD.replace("\u0001", "")]: null, number: 1e-7 }),
  ]);
  await insert(
    "INSERT INTO streams (organization_id, id, name, destination, config) VALUES ($1, 's', $2, 'webhook', '{}')",
    [log, AWKWARD],
  );
  await insert(
    `INSERT INTO stream_state (organization_id, stream_id, state, cursor_seq, skipped, alerted, last_attempt_at)
     VALUES ($1, 's', 'active', 9007199254740993, '{[1,5),[9,)}', ARRAY['', $2, NULL, 'a,b"c'], '0001-01-01 00:00:00+00 BC')`,
    [log, AWKWARD],
  );
  await insert("INSERT INTO prunes VALUES ('other', 0, $1, $2, 0)", [
    Buffer.from([0, 255, 92]),
    [Buffer.from([0]), Buffer.alloc(0)],
  ]);
  await insert("SELECT ensure_partitions('2023-11-30')");
  await insert(
    `INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, actor, targets, context, salts, chain_hash, ip)
     VALUES ('other', 0, '2024-02-29 23:59:59.999+00', '0001-01-01', 1, 'audit_event_x', $1, '{"id":"é"}', '[]', NULL, '', '', '2001:db8::/33')`,
    [AWKWARD],
  );
  archive = (await writeBackup(place, (part) =>
    writeTables(
      db.ownerUrl,
      part,
      async () => undefined,
      // Whatever comes while it is written is not in it, whole or in part.
      async () => {
        if (appended > 0) return;
        appended = 40;
        await appendEvents(log, testEvents(appended, 2));
      },
    ),
  )) as typeof archive;
});

afterAll(async () => {
  await closePools();
  for (const name of targets) await maintain(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  fs.rmSync(place, { recursive: true, force: true });
  await db.close();
});

let urls: Required<DatabaseUrls>;

beforeEach(async () => {
  urls = await emptyDatabase();
});

const load = (migrations = "prisma/migrations", manifest = archive.manifest) =>
  loadArchive(urls, archive.directory, manifest, migrations);

describe("an archive", () => {
  test("gives every row of every table back, byte for byte, as of one moment; and the log verifies", async () => {
    expect(await findDamage(archive)).toEqual([]);
    await load();
    const [before, after] = [await contentsOf(db.ownerUrl), await contentsOf(urls.ownerUrl)];
    expect(Object.keys(after)).toEqual(Object.keys(before));
    // What came while it was written: the newest events, and what moved with them.
    const moved = ["events", "event_targets", "idempotency_keys", "log_heads"];
    for (const [table, rows] of Object.entries(after)) {
      if (!moved.includes(table)) expect(rows, table).toEqual(before[table]);
      else if (table !== "log_heads")
        expect(before[table], table).toEqual(expect.arrayContaining(rows));
    }
    expect(after.events).toHaveLength(EVENTS + 1);
    expect(before.events).toHaveLength(EVENTS + 1 + appended);
    process.env.DATABASE_URL = urls.appUrl;
    try {
      expect(await verifyLog(systemScope("cli", log))).toMatchObject({ ok: true, checked: EVENTS });
      const scope = systemInstanceScope("cli");
      expect(await readLastBackup(scope)).toBeNull();
      await recordBackup(scope, archive.manifest, false);
      expect(await readLastBackup(scope)).toMatchObject({ events: EVENTS, with_keys: false });
    } finally {
      process.env.DATABASE_URL = db.appUrl;
    }
  });

  test("of an older release gets the migrations that came since, on its rows", async () => {
    const migrations = path.join(place, "migrations");
    fs.cpSync("prisma/migrations", migrations, { recursive: true });
    fs.mkdirSync(path.join(migrations, "9999_later"));
    fs.writeFileSync(
      path.join(migrations, "9999_later/migration.sql"),
      "ALTER TABLE organizations ADD COLUMN later text; UPDATE organizations SET later = 'was there';",
    );
    await load(migrations);
    expect((await contentsOf(urls.ownerUrl)).organizations?.[0]).toMatch(/,"?was there"?\)$/);
  });

  test("of a newer release is refused, and so is a database with something in it", async () => {
    const newer = { ...archive.manifest, migration: "9999_later" };
    await expect(load(undefined, newer)).rejects.toThrow("9999_later, which this release does not");
    await load();
    await expect(load()).rejects.toThrow("not empty");
  });

  test("whose rows cannot be loaded leaves no row", async () => {
    const { manifest } = archive;
    const tables = manifest.tables.map((table) =>
      table.name === "settings" || table.parent === "events" ? { ...table, rows: 10_000 } : table,
    );
    await expect(load(undefined, { ...manifest, tables })).rejects.toThrow("were archived");
    expect(Object.values(await contentsOf(urls.ownerUrl)).flat()).toEqual([]);
    // And can be tried again.
    await load();
  });
});
