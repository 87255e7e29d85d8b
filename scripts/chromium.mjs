// Finds the browser that the tests drive, installing it where none is.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

const PLACES = [
  process.env.TRAILSEAL_CHROMIUM,
  // The engine without a browser around it, as Playwright itself takes: a third faster.
  "/usr/bin/chromium-headless-shell",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

const run = (command, args) => spawnSync(command, args, { stdio: ["ignore", 2, 2] }).status === 0;

function installed() {
  return PLACES.find((place) => place && existsSync(place));
}

/** @returns the executable's path; empty: Playwright's own download is used. */
export function ensureChromium() {
  const found = installed();
  if (found) return found;
  console.error("[trailseal] installing a browser for the tests…");
  const apt = existsSync("/usr/bin/apt-get") && process.getuid?.() === 0;
  if (apt && run("apt-get", ["update", "-q"])) {
    const install = ["install", "-y", "-q", "--no-install-recommends"];
    run("apt-get", [...install, "chromium-headless-shell"]) ||
      run("apt-get", [...install, "chromium"]);
    const now = installed();
    if (now) return now;
  }
  if (run(process.execPath, ["node_modules/@playwright/test/cli.js", "install", "chromium"]))
    return "";
  throw new Error(
    "No Chromium could be installed. Install one and set TRAILSEAL_CHROMIUM to its path.",
  );
}
