import { createHash, randomUUID } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import { AppError } from "@/lib/errors";
import type { DatabaseUrls } from "./embedded";
import { splitStatements } from "./sql-statements";

/** The advisory lock Prisma Migrate takes, so that the two never run at once. */
const MIGRATION_LOCK = 72707369;

/** The ledger Prisma Migrate keeps: `prisma migrate status` agrees with this runner. */
const LEDGER = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id varchar(36) PRIMARY KEY NOT NULL, checksum varchar(64) NOT NULL, finished_at timestamptz,
  migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz,
  started_at timestamptz NOT NULL DEFAULT now(), applied_steps_count integer NOT NULL DEFAULT 0)`;

interface Migration {
  name: string;
  checksum: string;
  statements: string[];
}

async function readMigrations(directory: string): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(path.join(directory, name, "migration.sql"), "utf8");
      return {
        name,
        checksum: createHash("sha256").update(sql).digest("hex"),
        statements: splitStatements(sql),
      };
    }),
  );
}

/**
 * Brings the database to the newest migration, each in one transaction, and makes the logins members of
 * trailseal_app, trailseal_signer and, where one is set for it, trailseal_retention.
 * @param options.through the last one to apply, for the rows of an archive that was made under it
 * @returns names of the migrations applied now.
 * @throws Error naming the migration and statement; the database stays as it was before that migration.
 */
export async function migrate(
  options: DatabaseUrls & { directory: string; through?: string },
): Promise<string[]> {
  const migrations = upTo(options.through, await readMigrations(options.directory));
  const client = new pg.Client({
    connectionString: options.ownerUrl,
    connectionTimeoutMillis: 10_000,
    application_name: "trailseal-migrate",
  });
  await client.connect();
  try {
    await client.query("SELECT pg_advisory_lock($1)", [MIGRATION_LOCK]);
    await client.query(LEDGER);
    const applied = await appliedMigrations(client);
    refuseUnknown(applied, migrations);
    const fresh = migrations.filter((migration) => !applied.has(migration.name));
    for (const migration of fresh) await apply(client, migration);
    await grantRoles(client, options);
    await client.query("SELECT ensure_partitions()");
    return fresh.map((migration) => migration.name);
  } finally {
    await client.end();
  }
}

function upTo(last: string | undefined, migrations: Migration[]): Migration[] {
  if (last === undefined) return migrations;
  const at = migrations.findIndex(({ name }) => name === last);
  if (at < 0)
    throw new AppError(
      "conflict",
      `It was made under migration ${last}, which this release does not know: use the release that made it, or a newer one.`,
    );
  return migrations.slice(0, at + 1);
}

async function appliedMigrations(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ migration_name: string; checksum: string }>(
    "SELECT migration_name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL",
  );
  return new Map(rows.map((row) => [row.migration_name, row.checksum]));
}

function refuseUnknown(applied: Map<string, string>, migrations: Migration[]): void {
  const known = new Map(migrations.map((migration) => [migration.name, migration.checksum]));
  for (const [name, checksum] of applied) {
    if (!known.has(name)) {
      throw new Error(
        `The database has migration ${name}, which this release does not know. It was made by a newer release: start that one, or restore a backup.`,
      );
    }
    if (known.get(name) !== checksum) {
      throw new Error(
        `Migration ${name} was edited after it was applied: restore the released file.`,
      );
    }
  }
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  let running = "";
  await client.query("BEGIN");
  try {
    for (running of migration.statements) await client.query(running);
    await client.query(
      `INSERT INTO _prisma_migrations (id, checksum, finished_at, migration_name, applied_steps_count)
       VALUES ($1, $2, now(), $3, 1)`,
      [randomUUID(), migration.checksum, migration.name],
    );
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    const reason = error instanceof Error ? error.message : String(error);
    const hint =
      (error as { code?: string }).code === "42501"
        ? " DATABASE_OWNER_URL must own the schema and may need CREATEROLE; or create the roles trailseal_app, trailseal_eraser, trailseal_retention and trailseal_signer (NOLOGIN) beforehand."
        : "";
    throw new Error(
      `Migration ${migration.name} failed and was rolled back: ${reason}.${hint} Statement: ${running.slice(0, 200)}`,
      { cause: error },
    );
  }
}

const loginOf = (url: string) => decodeURIComponent(new URL(url).username);

async function grantRoles(
  client: pg.Client,
  { ownerUrl, appUrl, signerUrl, retentionUrl }: DatabaseUrls,
): Promise<void> {
  const [app, signer] = [loginOf(appUrl), loginOf(signerUrl ?? appUrl)];
  if (app === loginOf(ownerUrl)) {
    throw new Error(
      "DATABASE_URL and DATABASE_OWNER_URL use the same login. Give DATABASE_URL a login of its own, which owns nothing: the app must not be able to change events.",
    );
  }
  if (retentionUrl && [app, signer, loginOf(ownerUrl)].includes(loginOf(retentionUrl))) {
    throw new Error(
      "DATABASE_RETENTION_URL uses the login of another setting. Give it one of its own, or leave it out: whoever serves must not be able to delete events.",
    );
  }
  const isMember = async (login: string, role: string) => {
    const { rows } = await client.query("SELECT pg_has_role($1, $2, 'MEMBER') AS member", [
      login,
      role,
    ]);
    return rows[0]?.member as boolean;
  };
  for (const [login, role] of [
    [app, "trailseal_app"],
    [signer, "trailseal_signer"],
    ...(retentionUrl ? [[loginOf(retentionUrl), "trailseal_retention"] as const] : []),
  ] as const) {
    if (!(await isMember(login, role)))
      await client.query(`GRANT ${role} TO ${pg.escapeIdentifier(login)}`);
  }
  // From before the signer had a login of its own.
  if (signer !== app && (await isMember(app, "trailseal_signer")))
    await client.query(`REVOKE trailseal_signer FROM ${pg.escapeIdentifier(app)}`);
}
