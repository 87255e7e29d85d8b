import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";
import { ensureAdminFromEnv, mintSetupToken } from "@/lib/auth/server/setup";
import { startEmbedded } from "@/lib/db/embedded";
import { closePools } from "@/lib/db/pool";
import { type Env, parseEnv, publicUrl } from "@/lib/env";
import { announceShutdown } from "@/lib/http/shutdown";
import { log } from "@/lib/log";
import { HEARTBEAT_MS, Heartbeat } from "@/lib/operations/server/heartbeat";
import { startTracing } from "@/lib/operations/server/start-tracing";
import { readSecret } from "@/lib/secrets";
import { createFront } from "./front";
import { type OpenDatabase, openDatabase, writeInstanceInfo } from "./instance";
import { listen } from "./listen";

/** What the program tells whoever started it; events worth keeping go to the log. */
const announce = (message: string) => console.log(`[trailseal] ${message}`);
const RESTART_DELAY_MS = 1_000;
const DRAIN_MS = 10_000;

/**
 * Serves until a signal arrives: database, HTTP front with Next behind it, one worker process.
 * Everything started here is stopped here.
 */
export async function serve(options: { dev: boolean; root: string }): Promise<void> {
  const env = parseEnv(process.env);
  const opened = await openDatabase(env, "server", options.root);
  if (!("appUrl" in opened)) {
    announce(`already running on this data directory: ${opened.url} (process ${opened.pid})`);
    return;
  }
  let stopping = false;
  const isStopping = () => stopping;
  const front = createFront(env.TRUSTED_PROXIES, env.TRAILSEAL_URL);
  const port = await listen(front.server, env.PORT, env.HOST);
  if (port !== env.PORT && env.PORT !== 0) announce(`port ${env.PORT} is taken: using ${port}`);
  process.env.PORT = String(port);
  const url = publicUrl({ ...env, PORT: port });
  exportSessionSettings(env, url);

  const endTracing = await startTracing("server");
  const { default: next } = await import("next");
  const dashboard = next({ dev: options.dev, dir: options.root, hostname: "localhost", port });
  await dashboard.prepare();
  const worker = env.TRAILSEAL_WORKER === "on" ? keepWorker(options.root, isStopping) : null;
  const heartbeat = tellOfServer();
  const database = keepDatabase(env, opened, isStopping);
  writeInstanceInfo(env, { pid: process.pid, url, databasePort: opened.embedded?.port ?? null });
  front.ready(dashboard.getRequestHandler());
  await announceReady(url);

  const stop = async () => {
    if (stopping) return;
    stopping = true;
    announce("stopping…");
    announceShutdown();
    setTimeout(() => front.server.closeAllConnections(), DRAIN_MS).unref();
    front.server.closeIdleConnections();
    await new Promise((resolve) => front.server.close(resolve));
    await worker?.stop();
    await heartbeat.stop();
    await dashboard.close();
    await endTracing();
    await closePools();
    await database.stop();
    process.exit(0);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

function exportSessionSettings(env: Env, url: string): void {
  readSecret("session", env.TRAILSEAL_DATA_DIR);
  readSecret("envelope", env.TRAILSEAL_DATA_DIR);
  readSecret("signing", env.TRAILSEAL_DATA_DIR);
  if (env.TRAILSEAL_URL) process.env.NEXTAUTH_URL = url;
  // Without a configured address people arrive by any name of this machine.
  else process.env.AUTH_TRUST_HOST = "true";
}

async function announceReady(url: string): Promise<void> {
  await ensureAdminFromEnv();
  const token = await mintSetupToken();
  announce(`ready: ${url}`);
  if (token) announce(`create the first administrator: ${url}/setup?token=${token}`);
}

/** While the database is away nothing is told: the others see that, too. */
function tellOfServer(): { stop(): Promise<void> } {
  const heartbeat = new Heartbeat("server");
  const beat = () =>
    heartbeat
      .beat()
      .catch((error) => log().debug({ err: error }, "no sign of life could be given"));
  void beat();
  const timer = setInterval(beat, HEARTBEAT_MS);
  return {
    async stop() {
      clearInterval(timer);
      await heartbeat.end().catch(() => undefined);
    },
  };
}

/** Runs the worker process and starts it anew when it ends by itself. */
function keepWorker(root: string, isStopping: () => boolean): { stop(): Promise<void> } {
  let child: ChildProcess;
  let ended: Promise<void>;
  const start = () => {
    child = fork(path.join(root, ".build/worker.mjs"), {
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    ended = new Promise((resolve) => child.once("exit", () => resolve()));
    child.once("exit", (code, signal) => {
      if (isStopping()) return;
      log().warn(`the worker ended (${signal ?? code}): starting it again`);
      setTimeout(() => !isStopping() && start(), RESTART_DELAY_MS);
    });
  };
  start();
  return {
    async stop() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

/** Brings the embedded database back on its port when it dies under a running server. */
function keepDatabase(
  env: Env,
  opened: OpenDatabase,
  isStopping: () => boolean,
): { stop(): Promise<void> } {
  let { embedded } = opened;
  const watch = (): void => {
    void embedded?.exited.then(async () => {
      while (!isStopping()) {
        log().warn("the embedded database ended: starting it again");
        try {
          embedded = await startEmbedded(env.TRAILSEAL_DATA_DIR, { port: opened.embedded?.port });
          return watch();
        } catch (error) {
          log().error({ err: error }, "the embedded database did not start");
          await new Promise((resolve) => setTimeout(resolve, RESTART_DELAY_MS));
        }
      }
    });
  };
  watch();
  return {
    async stop() {
      await embedded?.stop();
      await opened.close();
    },
  };
}
