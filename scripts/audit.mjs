// Known holes in what is installed, and secrets in what is committed.
import { execFileSync, spawnSync } from "node:child_process";
import { root } from "./ensure.mjs";

process.chdir(root);

function hasSecrets() {
  const files = execFileSync("git", ["ls-files", "-z"], { encoding: "utf8" }).split("\0");
  const linter = "node_modules/secretlint/bin/secretlint.js";
  const args = ["--secretlintrc", ".secretlintrc.json", ...files.filter(Boolean)];
  return spawnSync(process.execPath, [linter, ...args], { stdio: "inherit" }).status !== 0;
}

/** Where the registry cannot be asked, nothing is known: that is said, and holds nobody up. */
function hasHoles() {
  const args = ["audit", "--omit=dev", "--audit-level=high", "--json"];
  const { stdout } = spawnSync("npm", args, {
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  const { vulnerabilities } = readJson(stdout);
  if (!vulnerabilities) {
    console.warn("Known holes of dependencies: not checked, the registry does not tell.");
    return false;
  }
  const grave = Object.values(vulnerabilities).filter(({ severity }) =>
    /high|critical/.test(severity),
  );
  for (const { name, severity, range } of grave) console.error(`${name} ${range}: ${severity}`);
  return grave.length > 0;
}

function readJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

const found = [hasSecrets(), hasHoles()];
process.exitCode = found.includes(true) ? 1 : 0;
