import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";

const root = path.resolve(import.meta.dirname, "..");
const START_TIMEOUT_MS = 60_000;

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

const sleep = (durationMs: number) => new Promise((resolve) => setTimeout(resolve, durationMs));

/** A real server on a data directory of its own, started the way an operator starts it. */
export class TestServer {
  readonly dataDir: string;
  readonly env: Record<string, string>;
  url = "";
  output = "";
  private child: ChildProcess | null = null;

  constructor(env: Record<string, string> = {}, dataDir?: string) {
    this.dataDir = dataDir ?? mkdtempSync(path.join(os.tmpdir(), "trailseal-e2e-"));
    this.env = {
      TRAILSEAL_DATA_DIR: this.dataDir,
      PORT: "0",
      TRAILSEAL_EGRESS_ALLOW: "127.0.0.0/8,::1",
      // None of its own accord: a long run would meet one in its middle.
      TRAILSEAL_DRILL_HOURS: "0",
      ...env,
    };
  }

  get pid(): number {
    if (!this.child?.pid) throw new Error("The server is not running");
    return this.child.pid;
  }

  /** Resolves once requests are served. */
  async start(): Promise<void> {
    this.output = "";
    const child = spawn(process.execPath, ["scripts/start.mjs"], {
      cwd: root,
      env: { ...process.env, ...this.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => {
        this.output += chunk.toString();
      });
    }
    const deadline = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      const ready = /ready: (\S+)/.exec(this.output);
      if (ready?.[1]) {
        this.url = ready[1];
        return;
      }
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`The server did not start:\n${this.output}`);
      }
      await sleep(25);
    }
  }

  private async ended(): Promise<void> {
    const child = this.child;
    if (child && child.exitCode === null && child.signalCode === null) {
      await new Promise((resolve) => child.once("exit", resolve));
    }
  }

  async stop(): Promise<void> {
    this.child?.kill("SIGTERM");
    await this.ended();
  }

  /** Ends the server process without a chance to clean up. */
  async kill(): Promise<void> {
    this.child?.kill("SIGKILL");
    await this.ended();
  }

  /** Process id of the embedded database. */
  databasePid(): number {
    const pid = Number(
      readFileSync(path.join(this.dataDir, "pg/postmaster.pid"), "utf8").split("\n")[0],
    );
    if (!Number.isInteger(pid)) throw new Error("No postmaster.pid");
    return pid;
  }

  /** Connection string of the embedded database's owner, for damage and counts. */
  ownerUrl(): string {
    return this.databaseUrl("trailseal_owner", "database-owner");
  }

  /** The login that serves. */
  appUrl(): string {
    return this.databaseUrl("trailseal", "database-app");
  }

  private databaseUrl(user: string, secret: string): string {
    const info = JSON.parse(readFileSync(path.join(this.dataDir, "instance.json"), "utf8")) as {
      databasePort: number;
    };
    const password = readFileSync(path.join(this.dataDir, "secrets", secret), "utf8");
    return `postgresql://${user}:${password}@127.0.0.1:${info.databasePort}/trailseal`;
  }

  /** Runs the command line against this server's data directory. */
  cli(...args: string[]): Promise<CliResult> {
    return this.cliWith("", ...args);
  }

  /** The same with something on standard input. */
  cliWith(input: string, ...args: string[]): Promise<CliResult> {
    return new Promise((resolve) => {
      const options = { cwd: root, env: { ...process.env, ...this.env }, maxBuffer: 64_000_000 };
      const child = execFile(
        process.execPath,
        ["scripts/trailseal.mjs", ...args],
        options,
        (error, stdout, stderr) => {
          resolve({ code: error ? Number(error.code ?? 1) : 0, stdout, stderr });
        },
      );
      child.stdin?.end(input);
    });
  }

  /** Runs a command with --json and returns what it printed. */
  async cliJson<T>(...args: string[]): Promise<T> {
    const result = await this.cli(...args, "--json");
    if (result.code !== 0) throw new Error(`${args.join(" ")}: ${result.stderr || result.stdout}`);
    return JSON.parse(result.stdout) as T;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
