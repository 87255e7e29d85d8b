// `npm run bench -- --events 1000000`: prepares the clone, then measures; prints a Markdown table.
import { pathToFileURL } from "node:url";
import { ensure, root } from "./ensure.mjs";

process.env.NODE_ENV = "production";
process.chdir(root);
await ensure(["dependencies", "generated", "bundle", "build"]);
const { main } = await import(pathToFileURL(`${root}/.build/bench.mjs`).href);
await main(process.argv, root);
