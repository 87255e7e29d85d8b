// Starts this release on a data directory that the previous commit's release made, and verifies it.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { root } from "./ensure.mjs";

const EVENTS = 2_000;

const git = (...args) =>
  execFileSync("git", args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  }).trim();

function previousCommit() {
  try {
    return git("rev-parse", "--verify", git("status", "--porcelain") === "" ? "HEAD^" : "HEAD");
  } catch {
    return null;
  }
}

class Skip extends Error {}

function cli(directory, dataDir, args) {
  const result = spawnSync(process.execPath, ["scripts/trailseal.mjs", ...args, "--json"], {
    cwd: directory,
    encoding: "utf8",
    stdio: ["ignore", "pipe", 2],
    env: {
      ...process.env,
      TRAILSEAL_DATA_DIR: dataDir,
      ...{
        DATABASE_URL: "",
        DATABASE_OWNER_URL: "",
        DATABASE_SIGNER_URL: "",
        DATABASE_RETENTION_URL: "",
      },
    },
  });
  if (result.status !== 0) throw new Error(`${args.join(" ")} failed: ${result.stdout}`);
  return JSON.parse(result.stdout);
}

/** The lock file decides whether this clone's installed tree serves the old release too. */
function shareDependencies(previous) {
  const lock = (directory) => readFileSync(path.join(directory, "package-lock.json"), "utf8");
  if (lock(previous) === lock(root)) {
    symlinkSync(path.join(root, "node_modules"), path.join(previous, "node_modules"), "dir");
  }
}

const commit = previousCommit();
const work = mkdtempSync(path.join(os.tmpdir(), "trailseal-upgrade-"));
const previous = path.join(work, "previous");
try {
  if (!commit) throw new Skip("there is no previous commit");
  git("worktree", "add", "--detach", previous, commit);
  if (!existsSync(path.join(previous, "lib/cli/seed.ts"))) {
    throw new Skip("the previous commit has no release to come from");
  }
  shareDependencies(previous);
  const dataDir = path.join(work, "data");
  const { id } = cli(previous, dataDir, ["orgs", "create", "--name", "Upgraded"]);
  cli(previous, dataDir, ["seed", "--org", id, "--events", String(EVENTS)]);
  const verdict = cli(root, dataDir, ["verify", "--org", id]);
  if (!verdict.ok || verdict.checked !== EVENTS) {
    throw new Error(
      `this release does not verify the previous one's data: ${JSON.stringify(verdict)}`,
    );
  }
  console.log(`upgrade: data of ${commit.slice(0, 12)} verified, ${verdict.checked} events`);
} catch (error) {
  const isSkip = error instanceof Skip;
  console.error(`upgrade: ${isSkip ? "skipped, " : ""}${error.message}`);
  if (!isSkip) process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
  spawnSync("git", ["worktree", "prune"], { cwd: root });
}
