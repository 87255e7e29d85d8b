import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import path from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import type { DatabaseUrls } from "@/lib/db/embedded";
import { migrate } from "@/lib/db/migrate";
import { AppError } from "@/lib/errors";
import type { ArchiveManifest } from "../schema";
import { fileOfTable, TEXT_FORMAT } from "./archive";
import { differenceOf } from "./files";

const { escapeIdentifier } = pg;

/**
 * Makes an archive's database out of an empty one: the migrations that the archive was made under, its rows in one
 * transaction, then the newer migrations.
 * @param backup the archive's directory, whose files were checked
 * @param migrations the directory of this release's
 * @throws AppError conflict where there is a Trailseal database already, or the archive is of a newer release
 */
export async function loadArchive(
  urls: DatabaseUrls,
  backup: string,
  manifest: ArchiveManifest,
  migrations: string,
  onProgress: (table: string) => void = () => undefined,
): Promise<void> {
  const client = new pg.Client({
    connectionString: urls.ownerUrl,
    application_name: "trailseal-restore",
  });
  client.on("error", () => undefined);
  await client.connect();
  try {
    await refuseUsed(client, manifest.migration);
    await migrate({ ...urls, directory: migrations, through: manifest.migration });
    await client.query("SET statement_timeout = 0");
    for (const setting of TEXT_FORMAT) await client.query(setting);
    await client.query("BEGIN");
    // What migrations put there is in the archive, too.
    const names = manifest.tables.map(({ name, parent }) => escapeIdentifier(parent ?? name));
    await client.query(`TRUNCATE ${[...new Set(names)].join(", ")}`);
    for (const table of manifest.tables) {
      if (table.rows === 0) continue;
      onProgress(table.name);
      await loadTable(client, backup, table, manifest.files);
    }
    for (const { name, value } of manifest.sequences)
      await client.query("SELECT setval($1::regclass, $2::bigint)", [
        escapeIdentifier(name),
        value,
      ]);
    await client.query("COMMIT");
    await migrate({ ...urls, directory: migrations });
    await client.query("ANALYZE");
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Tables that a restore made before it failed are none: it may be tried again. */
async function refuseUsed(client: pg.Client, migration: string): Promise<void> {
  const tables = await client.query<{ hasOwn: boolean }>(
    `SELECT to_regclass('public.organizations') IS NOT NULL AS "hasOwn" FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> '_prisma_migrations' LIMIT 1`,
  );
  if (!tables.rows[0]) return;
  if (tables.rows[0].hasOwn) {
    const { rows } = await client.query<{ isUsed: boolean }>(
      `SELECT EXISTS (SELECT 1 FROM organizations)
         OR $1 <> (SELECT max(migration_name) FROM _prisma_migrations) AS "isUsed"`,
      [migration],
    );
    if (rows[0]?.isUsed === false) return;
  }
  throw new AppError(
    "conflict",
    "The database is not empty: an archive is restored into a new one. Create it, and set DATABASE_URL and DATABASE_OWNER_URL to it.",
  );
}

async function loadTable(
  client: pg.Client,
  backup: string,
  { name, parent, begins, columns, rows }: ArchiveManifest["tables"][number],
  files: ArchiveManifest["files"],
): Promise<void> {
  if (begins) await client.query("SELECT ensure_partitions($1::timestamptz)", [begins]);
  const list = columns.map(escapeIdentifier).join(", ");
  const target = client.query(
    copyFrom(`COPY ${escapeIdentifier(parent ?? name)} (${list}) FROM STDIN`),
  );
  const hash = createHash("sha256");
  let bytes = 0;
  // What was checked before may lie where others can write.
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  const file = fileOfTable(name);
  await pipeline(createReadStream(path.join(backup, file)), counted, createGunzip(), target);
  const wanted = files.find((one) => one.path === file);
  const found = { bytes, sha256: hash.digest("hex") };
  if (!wanted || differenceOf(wanted, found) !== null)
    throw new Error(`${file} was changed while it was restored: somebody writes in ${backup}.`);
  if (target.rowCount !== rows)
    throw new Error(`${name}: ${target.rowCount} rows came in, ${rows} were archived.`);
}
