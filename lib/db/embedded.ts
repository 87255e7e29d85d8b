import { type ChildProcess, spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import pg from "pg";
import { readSecret, type SecretName } from "@/lib/secrets";
import {
  type Binaries,
  choosePrivileges,
  ended,
  findBinaries,
  type Privileges,
  run,
} from "./binaries";
import { initialise, OWNER, openToServer } from "./cluster";

const APP = "trailseal";
/** These logins are the roles that migrations would make. */
const SIGNER = "trailseal_signer";
const RETENTION = "trailseal_retention";
const DATABASE = "trailseal";
const LOG_LIMIT_BYTES = 10_000_000;

const SETTINGS: Record<string, string> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  password_encryption: "scram-sha-256",
  max_connections: "80",
  shared_buffers: "256MB",
  effective_cache_size: "1GB",
  work_mem: "16MB",
  maintenance_work_mem: "128MB",
  max_wal_size: "2GB",
  wal_compression: "on",
  random_page_cost: "1.1",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
};

export interface DatabaseUrls {
  /** Migrates; owns the tables. */
  ownerUrl: string;
  /** Serves; a member of trailseal_app. */
  appUrl: string;
  /** Stores what is signed; a member of trailseal_signer. Absent: the app's login does. */
  signerUrl?: string;
  /** Deletes what is past retention; a member of trailseal_retention. Absent: nothing is deleted by itself. */
  retentionUrl?: string;
}

export interface EmbeddedServer extends Required<DatabaseUrls> {
  port: number;
  /** Resolves when the server process has ended, for whatever reason. */
  exited: Promise<void>;
  stop(): Promise<void>;
}

/** Stops the server a killed launcher left behind, or clears a pid file that names something else. */
async function clearLeftover(cluster: string): Promise<void> {
  const pidFile = path.join(cluster, "postmaster.pid");
  if (!fs.existsSync(pidFile)) return;
  const pid = Number(fs.readFileSync(pidFile, "utf8").split("\n")[0]);
  const alive = () => {
    try {
      process.kill(pid, 0);
      return !/^State:\s+Z/m.test(readProc(pid, "status"));
    } catch {
      return false;
    }
  };
  const commandLine = readProc(pid, "cmdline");
  const isOurs = commandLine === "" || commandLine.split("\0").includes(cluster);
  if (Number.isInteger(pid) && pid > 1 && alive() && isOurs) {
    process.kill(pid, "SIGINT");
    const deadline = Date.now() + 30_000;
    while (alive()) {
      if (Date.now() > deadline) process.kill(pid, "SIGQUIT");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  fs.rmSync(pidFile, { force: true });
}

function readProc(pid: number, file: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return "";
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

export function embeddedUrls(dataDir: string, port: number): Required<DatabaseUrls> {
  const url = (user: string, secret: SecretName) =>
    `postgresql://${user}:${readSecret(secret, dataDir)}@127.0.0.1:${port}/${DATABASE}`;
  return {
    ownerUrl: url(OWNER, "database-owner"),
    appUrl: url(APP, "database-app"),
    signerUrl: url(SIGNER, "database-signer"),
    retentionUrl: url(RETENTION, "database-retention"),
  };
}

async function waitUntilReady(url: string, exited: Promise<void>, logFile: string): Promise<void> {
  let gone = false;
  void exited.then(() => {
    gone = true;
  });
  for (;;) {
    if (gone) {
      const tail = fs.readFileSync(logFile, "utf8").trim().split("\n").slice(-8).join("\n");
      throw new Error(`The embedded PostgreSQL did not start:\n${tail}`);
    }
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    try {
      await client.connect();
      return;
    } catch (error) {
      const { code } = error as { code?: string };
      // 57P03: recovering after a crash, which may take a while.
      if (code !== "ECONNREFUSED" && code !== "57P03" && code !== undefined) throw error;
      await new Promise((resolve) => setTimeout(resolve, 40));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

/** Database and logins, made once by the owner; passwords follow the secret files. */
async function prepareDatabase(
  { appUrl, signerUrl, retentionUrl }: Required<DatabaseUrls>,
  maintenanceUrl: string,
): Promise<void> {
  const client = new pg.Client({ connectionString: maintenanceUrl });
  await client.connect();
  try {
    for (const url of [appUrl, signerUrl, retentionUrl]) {
      const { username, password } = new URL(url);
      const login = await client.query("SELECT 1 FROM pg_roles WHERE rolname = $1", [username]);
      await client.query(
        `${login.rowCount ? "ALTER" : "CREATE"} ROLE ${username} LOGIN PASSWORD ${pg.escapeLiteral(password)}`,
      );
    }
    const database = await client.query("SELECT 1 FROM pg_database WHERE datname = $1", [DATABASE]);
    if (!database.rowCount) await client.query(`CREATE DATABASE ${DATABASE}`);
  } finally {
    await client.end();
  }
}

interface Launch {
  dataDir: string;
  cluster: string;
  binaries: Binaries;
  privileges: Privileges;
  port: number;
  settings: Record<string, string>;
}

/** Starts the server process. The kernel asks it to shut down when this process dies, however it dies. */
function launch(options: Launch): { child: ChildProcess; exited: Promise<void>; logFile: string } {
  const { cluster, binaries, privileges } = options;
  const logFile = path.join(options.dataDir, "postgres.log");
  if (fs.existsSync(logFile) && fs.statSync(logFile).size > LOG_LIMIT_BYTES) {
    fs.renameSync(logFile, `${logFile}.1`);
  }
  const settings = { ...SETTINGS, port: String(options.port), ...options.settings };
  const args = [
    "-D",
    cluster,
    ...Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
  ];
  const tied =
    spawnSync("setpriv", ["--version"]).status === 0 ? ["setpriv", "--pdeathsig", "INT", "--"] : [];
  const [command, ...rest] = [...tied, binaries.postgres, ...args] as [string, ...string[]];
  const log = fs.openSync(logFile, "a", 0o600);
  // Its own process group: Ctrl-C reaches the server by us, after the clients are done.
  const child = run(privileges, command, rest, { stdio: ["ignore", log, log], detached: true });
  fs.closeSync(log);
  return { child, exited: ended(child).then(() => undefined), logFile };
}

/** Backends of a killed server hold its shared memory for a moment longer. */
const STILL_ENDING = /pre-existing shared memory block|lock file .* already exists/;
const ENDING_PATIENCE_MS = 30_000;

async function launchReady(options: Launch, maintenanceUrl: string) {
  const deadline = Date.now() + ENDING_PATIENCE_MS;
  for (;;) {
    const launched = launch(options);
    try {
      await waitUntilReady(maintenanceUrl, launched.exited, launched.logFile);
      return launched;
    } catch (error) {
      if (!STILL_ENDING.test(String(error)) || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/**
 * Starts PostgreSQL on `dataDir/pg`, making it first if it is not there. Works for root too. The caller
 * holds the data directory's lock.
 * @param options.settings extra server settings (tests switch fsync off).
 * @param options.port the port to listen on; a free one when absent.
 */
export async function startEmbedded(
  dataDir: string,
  options: { port?: number; settings?: Record<string, string> } = {},
): Promise<EmbeddedServer> {
  openToServer(dataDir);
  const cluster = path.join(dataDir, "pg");
  const binaries = await findBinaries();
  const privileges = choosePrivileges(binaries, cluster);
  if (!fs.existsSync(cluster)) {
    await initialise(binaries, privileges, cluster, readSecret("database-owner", dataDir));
  }
  await clearLeftover(cluster);
  const port = options.port ?? (await freePort());
  const urls = embeddedUrls(dataDir, port);
  const maintenanceUrl = urls.ownerUrl.replace(/\/[^/]*$/, "/postgres");
  const settings = options.settings ?? {};
  const { child, exited } = await launchReady(
    { dataDir, cluster, binaries, privileges, port, settings },
    maintenanceUrl,
  );
  await prepareDatabase(urls, maintenanceUrl);
  return {
    ...urls,
    port,
    exited,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGINT");
      await exited;
    },
  };
}
