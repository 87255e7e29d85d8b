// `npm run worker`: does the work of a server that others serve; names of loops as arguments run these alone.
import { pathToFileURL } from "node:url";
import { ensure, root } from "./ensure.mjs";

process.env.NODE_ENV = "production";
process.chdir(root);
if (!process.env.DATABASE_URL) {
  console.error(
    "[trailseal] DATABASE_URL is not set. With the embedded database `npm start` runs the worker itself.",
  );
  process.exit(1);
}
await ensure(["dependencies", "generated", "bundle"]);
await import(pathToFileURL(`${root}/.build/worker.mjs`).href);
