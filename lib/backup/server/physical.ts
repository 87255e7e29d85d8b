import type { Dirent } from "node:fs";
import fs from "node:fs/promises";
import path from "node:path";
import pg from "pg";
import { AppError } from "@/lib/errors";
import type { Contents, PhysicalManifest } from "../schema";
import { describeInstance } from "./describe";
import { addFile, addText, type Part } from "./files";
import { walSegments } from "./wal";

/**
 * A base backup by PostgreSQL's low-level API (manual, 25.3.4): the files are copied as they are while the server
 * writes on, and the WAL of that time makes them one state again. That state is the one of the end: everything that
 * was committed before it is in.
 */

/** Contents that the server makes anew; the directories themselves have to be there. */
const EMPTIED = new Set([
  "pg_dynshmem",
  "pg_notify",
  "pg_replslot",
  "pg_serial",
  "pg_snapshots",
  "pg_stat_tmp",
  "pg_subtrans",
  "pg_wal",
]);
const LEFT_OUT =
  /^(postmaster\.(pid|opts)|backup_(label|manifest)(\.old)?|tablespace_map(\.old)?|pg_internal\.init(\.\d+)?|pgsql_tmp.*|.*\.tmp)$/;
const CONTROL_FILE = "global/pg_control";

/**
 * Copies the cluster of a running server into `part`, under `pg`.
 * @param ownerUrl of a superuser, on any database of it
 * @param beforeEnd copies what must not know more than the database does: the signer's memory
 */
export async function copyCluster(
  ownerUrl: string,
  cluster: string,
  part: Part,
  beforeEnd: () => Promise<void>,
): Promise<Contents<PhysicalManifest>> {
  const client = new pg.Client({
    connectionString: ownerUrl,
    application_name: "trailseal-backup",
  });
  // A server that goes fails the statement that ends the backup.
  client.on("error", () => undefined);
  await client.connect();
  try {
    await refuseOther(client, cluster);
    const described = await describeInstance(client);
    // Keeps the WAL from now on until this connection ends, however it ends.
    await client.query("SELECT pg_create_physical_replication_slot($1, true, true)", [
      `trailseal_backup_${process.pid}`,
    ]);
    const started = await client.query<{ lsn: string }>("SELECT pg_backup_start($1, true) AS lsn", [
      part.name,
    ]);
    const directories = await copyTree(cluster, part);
    await addControlFile(cluster, part);
    await beforeEnd();
    const coversUntil = new Date().toISOString();
    const stopped = await client.query<{
      lsn: string;
      label: string;
      timeline: string;
      size: string;
    }>(
      `SELECT lsn, labelfile AS label, substr(pg_walfile_name(lsn), 1, 8) AS timeline,
         (SELECT setting FROM pg_settings WHERE name = 'wal_segment_size') AS size
       FROM pg_backup_stop(wait_for_archive => false)`,
    );
    const [start, stop] = [started.rows[0], stopped.rows[0]];
    if (!start || !stop) throw new Error("PostgreSQL did not say where the backup ended.");
    for (const name of walSegments(start.lsn, stop.lsn, Number(stop.size), stop.timeline))
      await addFile(part, path.join(cluster, "pg_wal", name), `pg/pg_wal/${name}`);
    await addText(part, "pg/backup_label", stop.label);
    return { kind: "physical", ...described, covers_until: coversUntil, directories };
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** @throws AppError conflict where the server is not the one whose files these are */
async function refuseOther(client: pg.Client, cluster: string): Promise<void> {
  const { rows } = await client.query<{ setting: string }>(
    "SELECT setting FROM pg_settings WHERE name = 'data_directory'",
  );
  // The server says what it was started with, symbolic links and all.
  const [own, said] = await Promise.all(
    [cluster, rows[0]?.setting ?? ""].map((place) => fs.realpath(place).catch(() => null)),
  );
  if (own === null || said !== own)
    throw new AppError(
      "conflict",
      "DATABASE_URL names a server whose files are not here. Make an archive with --archive, or back it up with its own tools: the README says what goes with it.",
    );
}

/** @returns all directories, also those that stay empty */
async function copyTree(cluster: string, part: Part): Promise<string[]> {
  const directories: string[] = [];
  const walk = async (below: string): Promise<void> => {
    const target = path.posix.join("pg", below);
    directories.push(target);
    await fs.mkdir(path.join(part.directory, target), { mode: 0o700 });
    for (const entry of await listDirectory(path.join(cluster, below))) {
      const name = path.posix.join(below, entry.name);
      if (LEFT_OUT.test(entry.name) || name === CONTROL_FILE || EMPTIED.has(below)) continue;
      if (entry.isDirectory()) await walk(name);
      else if (entry.isFile()) await addUnlessGone(part, path.join(cluster, name), `pg/${name}`);
      else
        throw new AppError(
          "conflict",
          `${name} in the database's directory is no ordinary file: tablespaces elsewhere are not backed up. Use --archive.`,
        );
    }
  };
  await walk("");
  return directories;
}

const isGone = (error: unknown) => (error as NodeJS.ErrnoException).code === "ENOENT";

/** A directory or file that goes while it is copied belongs to what was dropped; the WAL says so, too. */
async function listDirectory(directory: string): Promise<Dirent[]> {
  try {
    return await fs.readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

async function addUnlessGone(part: Part, from: string, name: string): Promise<void> {
  try {
    await addFile(part, from, name);
  } catch (error) {
    if (!isGone(error)) throw error;
    await fs.rm(path.join(part.directory, name), { force: true });
  }
}

/** Read until it is twice the same: the server may be writing it. */
async function addControlFile(cluster: string, part: Part): Promise<void> {
  const name = `pg/${CONTROL_FILE}`;
  for (;;) {
    const before = await fs.readFile(path.join(cluster, CONTROL_FILE));
    await addFile(part, path.join(cluster, CONTROL_FILE), name);
    const copied = await fs.readFile(path.join(part.directory, name));
    if (copied.equals(before)) return;
    part.files.pop();
    await fs.rm(path.join(part.directory, name));
  }
}
