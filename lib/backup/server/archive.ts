import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import type { ArchiveManifest, Contents } from "../schema";
import { describeInstance } from "./describe";
import type { Part } from "./files";

/**
 * An archive: the rows of every table as COPY writes them, in PostgreSQL's text format, which every version reads.
 * It needs no superuser, so it is how an external database is archived, and how one moves to a newer PostgreSQL.
 */

/** Beyond this gzip takes much longer for little. */
const GZIP_LEVEL = 3;

/** How values are written, whatever the login's settings are. */
export const TEXT_FORMAT = [
  "SET client_encoding = 'UTF8'",
  "SET TimeZone = 'UTC'",
  "SET DateStyle = 'ISO, YMD'",
  "SET IntervalStyle = 'postgres'",
  "SET bytea_output = 'hex'",
  "SET extra_float_digits = 3",
];

interface Table {
  name: string;
  parent: string | null;
  /** `FOR VALUES FROM ('2026-11-01 00:00:00+00') TO (…)` */
  bound: string | null;
  columns: string[];
  /** Tables that have to be filled before. */
  needs: string[];
}

/** Those that hold rows: plain tables and partitions. Generated columns follow from the others. */
const TABLES = `
  SELECT c.relname AS name, parent.relname AS parent, pg_get_expr(c.relpartbound, c.oid) AS bound,
    ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
      AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum) AS columns,
    ARRAY(SELECT DISTINCT f.relname::text FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid
      WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid) AS needs
  FROM pg_class c
  LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
  LEFT JOIN pg_class parent ON parent.oid = i.inhparent
  WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relname <> '_prisma_migrations'
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
  ORDER BY c.relname`;

/**
 * Writes one consistent state of the database into `part`.
 * @param beforeSnapshot copies what must not know more than the database does: the signer's memory
 */
export async function writeTables(
  ownerUrl: string,
  part: Part,
  beforeSnapshot: () => Promise<void>,
  onProgress: (table: string) => void = () => undefined,
): Promise<Contents<ArchiveManifest>> {
  const client = new pg.Client({
    connectionString: ownerUrl,
    application_name: "trailseal-backup",
  });
  client.on("error", () => undefined);
  await client.connect();
  try {
    await client.query("SET statement_timeout = 0");
    for (const setting of TEXT_FORMAT) await client.query(setting);
    await beforeSnapshot();
    const coversUntil = new Date().toISOString();
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const described = await describeInstance(client);
    const { rows } = await client.query<Table>(TABLES);
    // None is dropped meanwhile.
    for (const { name } of rows)
      await client.query(`LOCK TABLE ${pg.escapeIdentifier(name)} IN ACCESS SHARE MODE`);
    const tables: ArchiveManifest["tables"] = [];
    await fs.mkdir(path.join(part.directory, "tables"), { mode: 0o700 });
    for (const table of inOrder(rows)) {
      onProgress(table.name);
      const { name, parent, columns, bound } = table;
      const begins = bound && (/FROM \('([^']+)'\)/.exec(bound)?.[1] ?? null);
      tables.push({ name, parent, begins, columns, rows: await writeTable(client, table, part) });
    }
    const sequences = await client.query<{ name: string; value: string }>(
      `SELECT sequencename AS name, last_value::text AS value FROM pg_sequences
       WHERE schemaname = 'public' AND last_value IS NOT NULL ORDER BY 1`,
    );
    await client.query("COMMIT");
    return {
      kind: "archive",
      ...described,
      covers_until: coversUntil,
      tables,
      sequences: sequences.rows,
    };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Tables after those that their foreign keys name. */
function inOrder(tables: Table[]): Table[] {
  const ordered: Table[] = [];
  const placed = new Set<string>();
  const place = (table: Table): void => {
    if (placed.has(table.name)) return;
    placed.add(table.name);
    for (const other of tables) if (table.needs.includes(other.name)) place(other);
    ordered.push(table);
  };
  tables.forEach(place);
  return ordered;
}

export const fileOfTable = (name: string) => `tables/${name}.copy.gz`;

/** @returns how many rows */
async function writeTable(
  client: pg.Client,
  { name, columns }: Table,
  part: Part,
): Promise<number> {
  const list = columns.map(pg.escapeIdentifier).join(", ");
  const rows = client.query(
    copyTo(`COPY (SELECT ${list} FROM ${pg.escapeIdentifier(name)}) TO STDOUT`),
  );
  const hash = createHash("sha256");
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      bytes += chunk.length;
      done(null, chunk);
    },
  });
  const file = path.join(part.directory, fileOfTable(name));
  await pipeline(
    rows,
    createGzip({ level: GZIP_LEVEL }),
    count,
    createWriteStream(file, { flags: "wx", mode: 0o600, flush: true }),
  );
  part.files.push({ path: fileOfTable(name), bytes, sha256: hash.digest("hex") });
  return rows.rowCount;
}
