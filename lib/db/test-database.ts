import { randomUUID } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import pg from "pg";
import { startEmbedded } from "./embedded";
import { migrate } from "./migrate";
import { closePools } from "./pool";

const TEMPLATE = "trailseal_template";

function onDatabase(url: string, database: string): string {
  const target = new URL(url);
  target.pathname = `/${database}`;
  return target.toString();
}

async function asOwner(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** Vitest's global setup: one embedded server for the run, with a migrated template database. */
export default async function setup(): Promise<() => Promise<void>> {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-test-"));
  // Durability is the crash test's subject, with the real settings; here it would only cost time.
  const settings = {
    fsync: "off",
    full_page_writes: "off",
    synchronous_commit: "off",
    max_connections: "200",
  };
  const server = await startEmbedded(dataDir, { settings });
  await asOwner(onDatabase(server.ownerUrl, "postgres"), `CREATE DATABASE ${TEMPLATE}`);
  const directory = path.resolve("prisma/migrations");
  const ownerUrl = onDatabase(server.ownerUrl, TEMPLATE);
  const { appUrl, signerUrl, retentionUrl } = server;
  await migrate({ ownerUrl, appUrl, signerUrl, retentionUrl, directory });
  process.env.TRAILSEAL_TEST_OWNER_URL = server.ownerUrl;
  process.env.TRAILSEAL_TEST_APP_URL = appUrl;
  process.env.TRAILSEAL_TEST_SIGNER_URL = signerUrl;
  process.env.TRAILSEAL_TEST_RETENTION_URL = retentionUrl;
  process.env.TRAILSEAL_DATA_DIR = dataDir;
  return async () => {
    await server.stop();
    fs.rmSync(dataDir, { recursive: true, force: true });
  };
}

export interface TestDatabase {
  ownerUrl: string;
  appUrl: string;
  owner: pg.Pool;
  app: pg.Pool;
  close(): Promise<void>;
}

/** A fresh migrated database; DATABASE_URL of this process names it from now on. */
export async function testDatabase(): Promise<TestDatabase> {
  const {
    TRAILSEAL_TEST_OWNER_URL: owner,
    TRAILSEAL_TEST_APP_URL: app,
    TRAILSEAL_TEST_SIGNER_URL: signer,
    TRAILSEAL_TEST_RETENTION_URL: retention,
  } = process.env;
  if (!owner || !app || !signer || !retention)
    throw new Error("Run through vitest's db project: its setup starts the server");
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  const maintenance = onDatabase(owner, "postgres");
  await asOwner(maintenance, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE} STRATEGY file_copy`);
  const ownerUrl = onDatabase(owner, name);
  const appUrl = onDatabase(app, name);
  process.env.DATABASE_URL = appUrl;
  process.env.DATABASE_OWNER_URL = ownerUrl;
  process.env.DATABASE_SIGNER_URL = onDatabase(signer, name);
  process.env.DATABASE_RETENTION_URL = onDatabase(retention, name);
  const pools = {
    owner: new pg.Pool({ connectionString: ownerUrl, max: 4 }),
    app: new pg.Pool({ connectionString: appUrl, max: 4 }),
  };
  for (const pool of Object.values(pools)) pool.on("error", () => undefined);
  return {
    ownerUrl,
    appUrl,
    ...pools,
    async close() {
      await closePools();
      await Promise.all([pools.owner.end(), pools.app.end()]);
      await asOwner(maintenance, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    },
  };
}
