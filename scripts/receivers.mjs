// `npm run test:receivers`: streams against real receivers, installed here from Debian's and npm's packages.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { ensure, root } from "./ensure.mjs";

const DEBIAN = [
  "rsyslog",
  "rsyslog-openssl",
  "openssl",
  "ceph-mon",
  "ceph-osd",
  "ceph-common",
  "radosgw",
];

process.chdir(root);
await ensure(["dependencies", "generated"]);

function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, {
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  if (error) throw error;
  return status ?? 1;
}

const isInstalled = (name) => spawnSync("dpkg", ["-s", name], { stdio: "ignore" }).status === 0;
const missing = DEBIAN.filter((name) => !isInstalled(name));
if (missing.length > 0) {
  const quiet = { DEBIAN_FRONTEND: "noninteractive" };
  if (run("apt-get", ["update", "-q"], quiet) !== 0) process.exit(1);
  const args = ["install", "-y", "-q", "--no-install-recommends", ...missing];
  if (run("apt-get", args, quiet) !== 0) process.exit(1);
}
// Apart from the project's own packages: it brings hundreds along.
const AZURITE = "azurite@3.35.0";
const azuriteDir = path.join(root, ".build/azurite");
if (!existsSync(path.join(azuriteDir, "node_modules/azurite"))) {
  const args = ["install", "--prefix", azuriteDir, "--no-audit", "--no-fund", AZURITE];
  if (run("npm", args) !== 0) process.exit(1);
}
process.exitCode = run(process.execPath, [
  "node_modules/vitest/vitest.mjs",
  ...["run", "--project", "receivers", ...process.argv.slice(2)],
]);
