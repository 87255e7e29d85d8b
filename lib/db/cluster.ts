import type { ChildProcess } from "node:child_process";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import pg from "pg";
import { readSecret } from "@/lib/secrets";
import {
  type Binaries,
  choosePrivileges,
  ended,
  findBinaries,
  type Privileges,
  run,
} from "./binaries";

/** The embedded server's files, `pg` in the data directory: made anew, or put there by a restore. */

export const OWNER = "trailseal_owner";

/** Makes a cluster beside its final place and renames it there, so that a kill leaves no half cluster. */
export async function initialise(
  binaries: Binaries,
  privileges: Privileges,
  cluster: string,
  password: string,
): Promise<void> {
  const fresh = freshDirectory(cluster);
  const passwordFile = path.join(fresh, "..", `pg-password.${process.pid}`);
  fs.writeFileSync(passwordFile, password, { mode: 0o600 });
  const { uid, gid } = privileges.options;
  if (uid !== undefined && gid !== undefined) {
    fs.chownSync(fresh, uid, gid);
    fs.chownSync(passwordFile, uid, gid);
  }
  const args = [
    "-D",
    fresh,
    "-U",
    OWNER,
    "-A",
    "scram-sha-256",
    `--pwfile=${passwordFile}`,
    "-E",
    "UTF8",
  ];
  const locale = [
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
  ];
  try {
    const child = run(privileges, binaries.initdb, [...args, ...locale], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { code, output } = await outputOf(child);
    if (code !== 0) throw new Error(`initdb failed:\n${output}`);
  } finally {
    fs.rmSync(passwordFile, { force: true });
  }
  fs.renameSync(fresh, cluster);
}

function freshDirectory(cluster: string): string {
  const fresh = `${cluster}.new`;
  fs.rmSync(fresh, { recursive: true, force: true });
  fs.mkdirSync(fresh, { recursive: true, mode: 0o700 });
  return fresh;
}

async function outputOf(child: ChildProcess): Promise<{ code: number | null; output: string }> {
  let output = "";
  const collect = (chunk: Buffer) => {
    output += chunk.toString();
  };
  child.stdout?.on("data", collect);
  child.stderr?.on("data", collect);
  return { code: await ended(child), output };
}

/** Others may pass through, so that the server's own user reaches its cluster; nobody may list. */
export function openToServer(dataDir: string): void {
  fs.mkdirSync(dataDir, { recursive: true });
  fs.chmodSync(dataDir, 0o711);
}

/**
 * Puts a cluster that `fill` writes in its place in a data directory that has none, as the server's own.
 * @param options.isOwnerNew the password of the owner's login is lost: it gets the one of this data directory
 */
export async function placeCluster(
  dataDir: string,
  fill: (directory: string) => Promise<void>,
  options: { isOwnerNew: boolean },
): Promise<void> {
  openToServer(dataDir);
  const cluster = path.join(dataDir, "pg");
  const binaries = await findBinaries();
  const privileges = choosePrivileges(binaries, cluster);
  const fresh = freshDirectory(cluster);
  await fill(fresh);
  const { uid, gid } = privileges.options;
  if (uid !== undefined && spawnSync("chown", ["-R", `${uid}:${gid}`, fresh]).status !== 0)
    throw new Error(`${fresh} could not be given to the user that the database runs as.`);
  if (options.isOwnerNew) {
    const password = pg.escapeLiteral(readSecret("database-owner", dataDir));
    await runAlone(binaries, privileges, fresh, `ALTER ROLE ${OWNER} PASSWORD ${password}`);
  }
  fs.renameSync(fresh, cluster);
}

/** Runs a statement on a cluster that no server runs on, without a login. */
async function runAlone(
  binaries: Binaries,
  privileges: Privileges,
  cluster: string,
  statement: string,
): Promise<void> {
  const child = run(privileges, binaries.postgres, ["--single", "-D", cluster, "postgres"], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin?.on("error", () => undefined).end(`${statement}\n`);
  const { code, output } = await outputOf(child);
  // It ends well also when the statement failed. What it prints repeats the statement, a password included.
  if (code !== 0 || /\b(ERROR|FATAL|PANIC):/.test(output))
    throw new Error("PostgreSQL did not take the new password of its owner.");
}
