// `npm test`: does all set-up and runs every check that blocks a merge. `--long` adds the large sizes.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { stripVTControlCharacters } from "node:util";
import { ensureChromium } from "./chromium.mjs";
import { ensure, root } from "./ensure.mjs";

const long = process.argv.includes("--long");
const results = mkdtempSync(path.join(os.tmpdir(), "trailseal-results-"));
const seed = process.env.TEST_SEED ?? String(Date.now() % 2 ** 31);
const totals = { passed: 0, failed: 0 };
/** Named once more at the end, since what a long run printed may be cut. */
const told = [];
const TOLD_LENGTH = 2_000;

/**
 * A test of what happens in time may miss a beat on a busy machine, not twice: the second try decides (with the
 * same seed), and the first is told.
 */
function tell(isTriedAgain, test, message) {
  const outcome = isTriedAgain ? "failed at first" : "failed";
  told.push(`${outcome}: ${test}: ${stripVTControlCharacters(String(message))}`);
}

process.chdir(root);
process.env.NEXT_TELEMETRY_DISABLED = "1";
console.log(`Property tests use TEST_SEED=${seed}${long ? "; large sizes" : ""}`);

/** @param stderr "pipe": what is written there is shown when the script ended, and returned */
function run(script, args, env = {}, stderr = "inherit") {
  const result = spawnSync(process.execPath, [script, ...args], {
    stdio: ["inherit", "inherit", stderr],
    encoding: "utf8",
    maxBuffer: Number.POSITIVE_INFINITY,
    env: { ...process.env, TEST_SEED: seed, TRAILSEAL_LONG: long ? "1" : "", ...env },
  });
  const errors = result.stderr ?? "";
  process.stderr.write(errors);
  return { ok: result.status === 0, errors };
}

function readReport(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : null;
}

/** A check that is one yes or no. */
function single(script, ...args) {
  const { ok } = run(script, args);
  return { passed: ok ? 1 : 0, failed: ok ? 0 : 1 };
}

function vitest(project, isAgain = false) {
  const file = path.join(results, `${project}.json`);
  const reporters = ["--reporter=dot", "--reporter=json", `--outputFile.json=${file}`];
  const args = ["run", "--project", project, ...reporters];
  const { ok, errors } = run("node_modules/vitest/vitest.mjs", args, {}, "pipe");
  const report = readReport(file);
  for (const { name, assertionResults, message } of report?.testResults ?? []) {
    const where = path.relative(root, name);
    if (message) tell(false, where, message);
    for (const { fullName, status, failureMessages } of assertionResults) {
      if (failureMessages.length > 0)
        tell(status === "passed", `${where} › ${fullName}`, failureMessages[0]);
    }
  }
  const passed = report?.numPassedTests ?? 0;
  const failed = report?.numFailedTests ?? 0;
  if (!ok && failed === 0) {
    // Thrown outside of any test, in a teardown for one.
    const isRepeated = !isAgain && !long;
    tell(isRepeated, project, errors.trim().slice(-TOLD_LENGTH));
    if (isRepeated) return vitest(project, true);
  }
  return { passed, failed: ok ? failed : Math.max(failed, 1) };
}

const specsOf = ({ specs = [], suites = [] }) => [...specs, ...suites.flatMap(specsOf)];

function playwright(executable) {
  const file = path.join(results, "e2e.json");
  const { ok } = run("node_modules/@playwright/test/cli.js", ["test", "--reporter=list,json"], {
    PLAYWRIGHT_JSON_OUTPUT_FILE: file,
    TRAILSEAL_CHROMIUM: executable,
  });
  const report = readReport(file) ?? {};
  for (const { file: where, title, tests } of specsOf(report)) {
    for (const { status, results: tries } of tests) {
      if (status === "unexpected" || status === "flaky")
        tell(status === "flaky", `e2e/${where} › ${title}`, tries[0]?.error?.message);
    }
  }
  const { expected = 0, unexpected = 0, flaky = 0 } = report.stats ?? {};
  return { passed: expected + flaky, failed: ok ? unexpected : Math.max(unexpected, 1) };
}

async function suite(name, check) {
  const started = Date.now();
  let outcome;
  try {
    outcome = await check();
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    outcome = { passed: 0, failed: 1 };
  }
  totals.passed += outcome.passed;
  totals.failed += outcome.failed;
  if (outcome.failed > 0) told.push(`failed: ${name}`);
  const seconds = Math.round((Date.now() - started) / 1000);
  console.log(`── ${name}: ${outcome.passed} passed, ${outcome.failed} failed (${seconds} s)`);
}

async function ensured(...names) {
  await ensure(names);
  return { passed: 1, failed: 0 };
}

try {
  await ensure(["dependencies", "generated"]);
  await suite("format and lint", () => single("node_modules/@biomejs/biome/bin/biome", "ci", "."));
  await suite("secrets and known holes", () => single("scripts/audit.mjs"));
  await suite("types", () =>
    single("node_modules/typescript/bin/tsc", "--noEmit", "--incremental", "false"));
  await suite("bundle", () => ensured("bundle"));
  await suite("unit", () => vitest("unit"));
  await suite("database", () => vitest("db"));
  await suite("build", () => ensured("build"));
  await suite("upgrade", () => single("scripts/upgrade-check.mjs"));
  await suite("contract, crash and browser", () => playwright(ensureChromium()));
  if (long) {
    await suite("real receivers", () => single("scripts/receivers.mjs"));
    await suite("faults of streams", () => single("scripts/faults.mjs"));
    await suite("tamper drill", () =>
      single("scripts/trailseal.mjs", "drill", "--events", "100000"));
  }
} catch (error) {
  told.push(`failed: ${error.message}`);
  totals.failed += 1;
} finally {
  rmSync(results, { recursive: true, force: true });
}

for (const line of told) console.log(line.slice(0, TOLD_LENGTH + 200));
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed === 0 ? 0 : 1;
