// Brings a clone to the point where it can run: dependencies, generated client, bundles, build.
// Plain JavaScript without imports from node_modules, since nothing may be installed yet.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";

export const root = path.resolve(import.meta.dirname, "..");
const stateDir = path.join(root, ".build");
const lockFile = path.join(stateDir, "lock");

const log = (message) => console.error(`[trailseal] ${message}`);

function filesBelow(place) {
  const full = path.join(root, place);
  if (!existsSync(full)) return [];
  if (statSync(full).isFile()) return [place];
  return readdirSync(full, { withFileTypes: true })
    .filter((entry) => !["generated", "node_modules"].includes(entry.name))
    .filter((entry) => !/\.test\.tsx?$/.test(entry.name))
    .flatMap((entry) => filesBelow(path.join(place, entry.name)));
}

function hashOf(places, salt = "") {
  const hash = createHash("sha256").update(salt);
  for (const file of places.flatMap(filesBelow).sort()) {
    hash.update(`\0${file}\0`).update(readFileSync(path.join(root, file)));
  }
  return hash.digest("hex");
}

/** Only what decides the installed tree, so that editing a script does not reinstall. */
function dependencyHash() {
  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const { dependencies, devDependencies, optionalDependencies } = manifest;
  const wanted = JSON.stringify({ dependencies, devDependencies, optionalDependencies });
  return hashOf(["package-lock.json"], wanted + process.platform + process.arch);
}

/** What a step was last done for. The dependencies' stamp goes with the tree that it describes. */
function stampFile(name) {
  return path.join(
    name === "dependencies" ? path.join(root, "node_modules") : stateDir,
    `.${name}.stamp`,
  );
}

function isDone(name) {
  const file = stampFile(name);
  return (
    steps[name].present() && existsSync(file) && readFileSync(file, "utf8") === steps[name].hash()
  );
}

function run(command, args, env = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    // stdout belongs to the command that called us (`--json` output must stay clean).
    stdio: ["ignore", 2, 2],
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: "1", CHECKPOINT_DISABLE: "1", ...env },
  });
  if (result.error) throw result.error;
  if (result.status !== 0) {
    throw new Error(
      `\`${[path.basename(command), ...args].join(" ")}\` failed (${result.status ?? result.signal})`,
    );
  }
}

function runNpm(args) {
  const cli = process.env.npm_execpath;
  if (cli?.endsWith(".js")) run(process.execPath, [cli, ...args]);
  else run(process.platform === "win32" ? "npm.cmd" : "npm", args);
}

const bundleSources = [
  "lib",
  "bench",
  "prisma/schema.prisma",
  "tsconfig.json",
  "scripts/ensure.mjs",
];
const buildSources = [
  "app",
  "components",
  "public",
  "next.config.mjs",
  "tailwind.config.ts",
  "postcss.config.mjs",
];
const rootModules = ["proxy.ts", "instrumentation.ts"];

const databaseClient = path.join(root, "lib/generated/prisma/client.ts");
const proofScript = path.join(root, "lib/generated/proof-script.ts");
const proofWorker = path.join(root, "public/proof-worker.js");

/** The chain code with the browser's cryptography, as one program. */
async function bundleForBrowser(entry) {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    minify: true,
    platform: "browser",
    format: "iife",
    target: "es2022",
    charset: "ascii",
    write: false,
    inject: ["lib/integrity/proof-page/buffer.ts"],
    plugins: [
      {
        name: "browser-cryptography",
        setup({ onResolve }) {
          onResolve({ filter: /^\.\/(sha256|ed25519)$/ }, ({ path: name, resolveDir }) => ({
            path: path.join(resolveDir, `${name}-browser.ts`),
          }));
        },
      },
    ],
  });
  return outputFiles[0].text.trim();
}

/** The program of HTML proofs, as a string; and the worker that checks the events on a page. */
async function bundleProofScripts() {
  writeFileSync(proofWorker, await bundleForBrowser("lib/integrity/proof-page/worker.ts"));
  // "</script" would end the element that holds it.
  const text = (await bundleForBrowser("lib/integrity/proof-page/script.ts")).replaceAll(
    "</",
    "<\\/",
  );
  mkdirSync(path.dirname(proofScript), { recursive: true });
  writeFileSync(proofScript, `export const proofScript = ${JSON.stringify(text)};\n`);
}

const steps = {
  dependencies: {
    hash: dependencyHash,
    present: () => existsSync(path.join(root, "node_modules/next/package.json")),
    make() {
      log("installing dependencies…");
      runNpm(["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"]);
    },
  },
  generated: {
    hash: () =>
      hashOf([
        ...["prisma/schema.prisma", "prisma.config.ts", "package-lock.json"],
        ...["lib/chain", "lib/integrity/proof-page", "scripts/ensure.mjs"],
      ]),
    present: () => [databaseClient, proofScript, proofWorker].every((file) => existsSync(file)),
    async make() {
      log("generating the database client…");
      run(process.execPath, ["node_modules/prisma/build/index.js", "generate"]);
      await bundleProofScripts();
    },
  },
  bundle: {
    hash: () => hashOf([...bundleSources, "package-lock.json"]),
    present: () =>
      ["serve", "worker", "cli", "bench", "check-windows", "read-thread"].every((name) =>
        existsSync(path.join(stateDir, `${name}.mjs`)),
      ),
    async make() {
      const { build } = await import("esbuild");
      for (const old of readdirSync(stateDir)) {
        if (/\.mjs(\.map)?$/.test(old)) rmSync(path.join(stateDir, old));
      }
      await build({
        absWorkingDir: root,
        entryPoints: {
          serve: "lib/server/main.ts",
          worker: "lib/workers/main.ts",
          cli: "lib/cli/main.ts",
          bench: "bench/main.ts",
          "check-windows": "lib/integrity/server/check-windows.ts",
          "read-thread": "bench/read-thread.ts",
        },
        outdir: ".build",
        outExtension: { ".js": ".mjs" },
        bundle: true,
        splitting: true,
        platform: "node",
        format: "esm",
        target: "node20",
        packages: "external",
        sourcemap: true,
        logLevel: "warning",
      });
    },
  },
  build: {
    hash: () => hashOf([...bundleSources, ...buildSources, ...rootModules, "package-lock.json"]),
    present: () => existsSync(path.join(root, ".next/BUILD_ID")),
    make() {
      log("building the dashboard…");
      run(process.execPath, ["node_modules/next/dist/bin/next", "build"], {
        NODE_ENV: "production",
      });
    },
  },
};

const isAlive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
};

/** One preparation at a time per clone; a lock whose process died is taken over. */
async function withLock(work) {
  mkdirSync(stateDir, { recursive: true });
  for (let announced = false; ; ) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: "wx" });
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const holder = Number(existsSync(lockFile) ? readFileSync(lockFile, "utf8") : 0);
    if (holder > 0 && !isAlive(holder)) rmSync(lockFile, { force: true });
    else {
      if (!announced) log(`waiting for another start (process ${holder}) to finish preparing…`);
      announced = true;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
  try {
    return await work();
  } finally {
    rmSync(lockFile, { force: true });
  }
}

/**
 * Makes sure the named steps are done for the sources as they are now.
 * @param {(keyof typeof steps)[]} names in order of need
 */
export async function ensure(names) {
  if (names.every(isDone)) return;
  await withLock(async () => {
    for (const name of names) {
      if (isDone(name)) continue;
      const wanted = steps[name].hash();
      await steps[name].make();
      writeFileSync(stampFile(name), wanted);
    }
  });
}

if (process.argv[1] === import.meta.filename) {
  const full = process.argv.includes("--build");
  await ensure(["dependencies", "generated", "bundle", ...(full ? ["build"] : [])]);
}
