// `npm start` and `npm run dev`: prepares the clone, then becomes the server.
import { pathToFileURL } from "node:url";
import { ensure, root } from "./ensure.mjs";

const dev = process.argv.includes("--dev");
process.env.NEXT_TELEMETRY_DISABLED = "1";
process.env.NODE_ENV = dev ? "development" : "production";
process.chdir(root);

try {
  await ensure(["dependencies", "generated", "bundle", ...(dev ? [] : ["build"])]);
  const { serve } = await import(pathToFileURL(`${root}/.build/serve.mjs`).href);
  await serve({ dev, root });
} catch (error) {
  console.error(`[trailseal] ${error.message}`);
  if (process.env.TRAILSEAL_DEBUG) console.error(error);
  process.exit(1);
}
