#!/usr/bin/env node
// The `trailseal` command inside a clone: prepares what the command line needs, then runs it.
import { pathToFileURL } from "node:url";
import { ensure, root } from "./ensure.mjs";

process.env.NODE_ENV ??= "production";

try {
  await ensure(["dependencies", "generated", "bundle"]);
  const { main } = await import(pathToFileURL(`${root}/.build/cli.mjs`).href);
  process.exitCode = await main(process.argv, root);
} catch (error) {
  console.error(`trailseal: ${error.message}`);
  if (process.env.TRAILSEAL_DEBUG) console.error(error);
  process.exitCode = 1;
}
