import { existsSync } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import type { InstanceScope } from "@/lib/auth/scope";
import { readLastBackup } from "@/lib/backup/server/last-backup";
import { readPool } from "@/lib/db/pool";
import { getEnv } from "@/lib/env";
import { log } from "@/lib/log";
import { secretNames } from "@/lib/secrets";
import type { KeyAge, Operations, ProcessState, SlowQuery } from "../schema";
import { version } from "../version";
import { SILENT_AFTER } from "./heartbeat";
import { readQueues } from "./queues";
import { readStorage } from "./storage";

/** How long a statement has to run to be shown. */
const SLOW = "1 second";
const SHOWN = 5;

/** @param root of the project: where its migrations are */
export async function readOperations(scope: InstanceScope, root: string): Promise<Operations> {
  // PostgreSQL keeps this file while it runs.
  const isEmbedded = existsSync(path.join(getEnv().TRAILSEAL_DATA_DIR, "pg/postmaster.pid"));
  const [
    server,
    processes,
    pendingMigrations,
    storage,
    queues,
    running,
    slowest,
    secrets,
    apiKeys,
    backup,
  ] = await Promise.all([
    readPool().query<{ version: string }>("SELECT current_setting('server_version') AS version"),
    readProcesses(scope),
    readPendingMigrations(root),
    readStorage(scope, isEmbedded),
    readQueues(scope),
    readRunning(),
    readSlowest(),
    readSecretAges(),
    readApiKeys(),
    readLastBackup(scope),
  ]);
  return {
    version,
    node: process.versions.node,
    postgres: server.rows[0]?.version ?? "",
    isEmbedded,
    processes,
    pendingMigrations,
    storage,
    queues,
    running,
    slowest,
    secrets,
    apiKeys,
    backup: backup && { at: backup.covers_until, withKeys: backup.with_keys },
    hasMailServer: getEnv().TRAILSEAL_SMTP_URL !== undefined,
  };
}

async function readProcesses(_scope: InstanceScope): Promise<ProcessState[]> {
  const { rows } = await readPool().query(
    `SELECT kind, host, pid, version, started_at AS "startedAt", seen_at AS "seenAt",
       database_ahead_ms AS "databaseAheadMs", seen_at < now() - $1::interval AS "isSilent"
     FROM processes ORDER BY kind, host, started_at DESC`,
    [SILENT_AFTER],
  );
  return rows.map((row) => ({
    ...row,
    startedAt: row.startedAt.toISOString(),
    seenAt: row.seenAt.toISOString(),
  }));
}

/** Those of this release that the database has not. */
async function readPendingMigrations(root: string): Promise<string[]> {
  const [entries, applied] = await Promise.all([
    fs.readdir(path.join(root, "prisma/migrations"), { withFileTypes: true }),
    readPool().query<{ migration_name: string }>(
      "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL",
    ),
  ]);
  const known = new Set(applied.rows.map(({ migration_name }) => migration_name));
  return entries
    .filter((entry) => entry.isDirectory() && !known.has(entry.name))
    .map(({ name }) => name)
    .sort();
}

/** Statements of our logins that run for long now; values never stand in them. */
async function readRunning(): Promise<SlowQuery[]> {
  const { rows } = await readPool().query<SlowQuery>(
    `SELECT left(query, 300) AS text, extract(epoch FROM clock_timestamp() - query_start) * 1000 AS ms, NULL AS calls
     FROM pg_stat_activity
     WHERE datname = current_database() AND usename = current_user AND state = 'active'
       AND query_start < now() - $1::interval
     ORDER BY query_start LIMIT $2`,
    [SLOW, SHOWN],
  );
  return rows.map((row) => ({ ...row, ms: Number(row.ms) }));
}

/** Null also where the extension is there and cannot be read: it is no part of what has to work. */
async function readSlowest(): Promise<SlowQuery[] | null> {
  const installed = await readPool().query<{ name: string }>(
    `SELECT quote_ident(n.nspname) || '.pg_stat_statements' AS name
     FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'`,
  );
  const [extension] = installed.rows;
  if (!extension) return null;
  const read = readPool().query<SlowQuery>(
    `SELECT left(query, 300) AS text, mean_exec_time AS ms, calls FROM ${extension.name} s
     JOIN pg_database d ON d.oid = s.dbid
     WHERE d.datname = current_database() AND s.userid = to_regrole(quote_ident(current_user))
     ORDER BY total_exec_time DESC LIMIT $1`,
    [SHOWN],
  );
  return read.then(
    ({ rows }) => rows,
    (error) => {
      log().debug({ err: error }, "pg_stat_statements cannot be read");
      return null;
    },
  );
}

async function readSecretAges(): Promise<KeyAge[]> {
  const directory = path.join(getEnv().TRAILSEAL_DATA_DIR, "secrets");
  return Promise.all(
    secretNames.map(async (name) => ({
      name,
      since: await fs.stat(path.join(directory, name)).then(
        ({ mtime }) => mtime.toISOString(),
        () => null,
      ),
    })),
  );
}

async function readApiKeys(): Promise<Operations["apiKeys"]> {
  const { rows } = await readPool().query<Operations["apiKeys"]>(
    `SELECT count(*) AS alive, count(*) FILTER (WHERE last_used_at IS NULL) AS "neverUsed",
       count(*) FILTER (WHERE created_at < now() - interval '1 year') AS "olderThanYear"
     FROM api_keys WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
  );
  return rows[0] as Operations["apiKeys"];
}
