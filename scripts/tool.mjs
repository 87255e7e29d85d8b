// `npm run screenshots`, `npm run bench:interactions`: what drives a browser but checks nothing.
import { spawnSync } from "node:child_process";
import { ensureChromium } from "./chromium.mjs";
import { ensure, root } from "./ensure.mjs";

process.chdir(root);
await ensure(["dependencies", "generated", "bundle", "build"]);
const { status } = spawnSync(
  process.execPath,
  [
    "node_modules/@playwright/test/cli.js",
    "test",
    `e2e/tools/.*${process.argv[2]}.spec.ts`,
    "--reporter=list",
  ],
  {
    stdio: "inherit",
    env: { ...process.env, TRAILSEAL_TOOL: "1", TRAILSEAL_CHROMIUM: ensureChromium() },
  },
);
process.exitCode = status ?? 1;
