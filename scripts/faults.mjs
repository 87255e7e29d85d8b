// `npm run faults`: streams through every fault of receivers and of their own processes; prints a Markdown table.
import { spawnSync } from "node:child_process";
import { ensure, root } from "./ensure.mjs";

process.chdir(root);
await ensure(["dependencies", "generated"]);
const { build } = await import("esbuild");
const outfile = ".build/test/faults.mjs";
await build({
  entryPoints: ["bench/faults.ts"],
  outfile,
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  packages: "external",
  logLevel: "warning",
});
const { status } = spawnSync(process.execPath, [outfile, ...process.argv.slice(2)], {
  stdio: "inherit",
});
process.exitCode = status ?? 1;
