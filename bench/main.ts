import { spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Command } from "commander";
import pg from "pg";
import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import { followTiles } from "@/lib/chain/server/tiles";
import { seedOrganization, zipfShares } from "@/lib/cli/seed";
import { closePools } from "@/lib/db/pool";
import { parseEnv } from "@/lib/env";
import { followRollups } from "@/lib/events/server/rollups";
import { enableWindowThreads } from "@/lib/integrity/server/window-threads";
import { createOrganization } from "@/lib/orgs/server/organizations";
import { openDatabase } from "@/lib/server/instance";
import { benchCsv, benchVerify } from "./bulk";
import { benchExports } from "./exports";
import { benchIngest } from "./ingest";
import { type Row, table } from "./measure";
import { proc, processesBelow, processorMs } from "./processes";
import { benchProofs } from "./proofs";
import { benchReads } from "./reads";
import { benchRetention } from "./retention";
import { soak } from "./soak";
import { benchStreams } from "./streams";

const SETTLE_MS = 5_000;
const LONGEST_SETTLE_MS = 180_000;
/** A tenth of a core. */
const IDLE_MS = 500;
const STREAMED = 100_000;
const say = (message: string) => process.stderr.write(`${message}\n`);

interface Options {
  events: number;
  organizations: number;
  dir?: string;
  streams?: boolean;
  exports?: boolean;
  retention?: boolean;
  soak?: number;
}

/** Fills the organizations; the first gets the most. @returns their ids. */
/** What an earlier run left in the directory, the largest first; null: nothing. @throws when it has another number */
async function seeded(ownerUrl: string, { events }: Options): Promise<string[] | null> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    const { rows } = await client.query(
      `SELECT o.id, h.next_seq::integer AS events FROM organizations o JOIN log_heads h ON h.organization_id = o.id
       WHERE o.name LIKE 'Bench %' ORDER BY h.next_seq DESC`,
    );
    if (rows.length === 0) return null;
    const found = rows.reduce((sum, row) => sum + row.events, 0);
    // A run adds exports and the like, of which the log tells.
    if (found < events || found > events * 1.01)
      throw new Error(
        `The directory has ${found} events, not ${events}: ask for these, or for another directory.`,
      );
    return rows.map(({ id }) => id);
  } finally {
    await client.end();
  }
}

async function seed(options: Options): Promise<string[]> {
  const ids: string[] = [];
  const end = new Date(`${new Date().toISOString().slice(0, 10)}T00:00:00Z`);
  for (const [rank, share] of zipfShares(options.events, options.organizations).entries()) {
    const { id } = await createOrganization(systemInstanceScope("cli"), {
      name: `Bench ${rank + 1}`,
    });
    const started = performance.now();
    await seedOrganization(id, share, {
      seed: rank + 1,
      days: 365,
      end,
      actors: 50_000,
      targets: 500_000,
    });
    await followTiles(id);
    await followRollups(id);
    say(
      `${id}: ${share.toLocaleString("en-US")} events in ${Math.round((performance.now() - started) / 1_000)} s`,
    );
    ids.push(id);
  }
  return ids;
}

async function diskRow(ownerUrl: string): Promise<Row> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    await client.query("VACUUM ANALYZE");
    const { rows } = await client.query(
      `SELECT sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relname ~ '^(events|event_targets)_[0-9]')::float8 AS rows,
         sum(pg_total_relation_size(c.oid)) FILTER (WHERE c.relname IN ('idempotency_keys', 'tiles', 'rollup_hourly', 'rollup_actions_daily', 'rollup_keys_hourly'))::float8 AS beside,
         (SELECT count(*) FROM events)::float8 AS events
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r'`,
    );
    const perEvent = (bytes: number) => Math.round(bytes / rows[0].events);
    const all = perEvent(rows[0].rows + rows[0].beside);
    return {
      what: "disk per event",
      ours: `${all.toLocaleString("en-US")} B`,
      bare: "",
      ratio: null,
      target: null,
      note: `rows, targets and indexes ${perEvent(rows[0].rows)} B; keys, tiles, rollups ${perEvent(rows[0].beside)} B; floor 2,500, goal 2,200${all > 2_500 ? ": MISS" : ""}`,
    };
  } finally {
    await client.end();
  }
}

/** Proportional memory of them, megabytes by command. */
function memoryBelow(root: number): Record<string, number> {
  const used: Record<string, number> = {};
  for (const pid of processesBelow(root)) {
    const kilobytes = Number(/^Pss:\s+(\d+)/m.exec(proc(pid, "smaps_rollup"))?.[1] ?? 0);
    const command = proc(pid, "cmdline");
    const name = command.includes("postgres")
      ? "database"
      : command.includes("worker.mjs")
        ? "worker"
        : "server";
    used[name] = (used[name] ?? 0) + kilobytes / 1_000;
  }
  return used;
}

/** Until they have nothing to do: after its start the product verifies every log whole, once. */
async function settled(root: number): Promise<void> {
  for (let left = LONGEST_SETTLE_MS; left > 0; left -= SETTLE_MS) {
    const before = processorMs(processesBelow(root));
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    if (processorMs(processesBelow(root)) - before < IDLE_MS) return;
  }
}

/** The product itself on the seeded directory, left alone until it has nothing to do. */
async function idleRow(root: string, dataDir: string): Promise<Row> {
  const env = {
    ...process.env,
    TRAILSEAL_DATA_DIR: dataDir,
    PORT: "0",
    DATABASE_URL: "",
    DATABASE_OWNER_URL: "",
    DATABASE_SIGNER_URL: "",
    DATABASE_RETENTION_URL: "",
  };
  const child = spawn(process.execPath, ["scripts/start.mjs"], {
    cwd: root,
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    await new Promise<void>((resolve, reject) => {
      child.once("exit", () => reject(new Error("The server did not start")));
      child.stdout.on("data", (chunk: Buffer) => chunk.includes("ready:") && resolve());
    });
    await settled(child.pid as number);
    const used = memoryBelow(child.pid as number);
    const total = Object.values(used).reduce((sum, value) => sum + value, 0);
    const parts = Object.entries(used).map(([name, value]) => `${name} ${Math.round(value)}`);
    return {
      what: "idle memory",
      ours: `${Math.round(total)} MB`,
      bare: "",
      ratio: null,
      target: null,
      note: parts.join(", "),
    };
  } finally {
    child.kill("SIGTERM");
    await new Promise((resolve) => child.once("exit", resolve));
  }
}

export async function main(argv: string[], root: string): Promise<void> {
  const program = new Command("bench")
    .option("--events <n>", "events to seed, over all organizations", Number, 200_000)
    .option("--organizations <n>", "organizations; the first gets the most", Number, 3)
    .option("--exports", "only how fast exports are made")
    .option("--streams", "only how fast a stream delivers")
    .option(
      "--retention",
      "only what retention of a year of three logs does to who writes and reads",
    )
    .option("--soak <minutes>", "only write, change and verify a log for so long", Number)
    .option("--dir <dir>", "keep the data here instead of in a temporary directory")
    .parse(argv);
  enableWindowThreads(new URL("./check-windows.mjs", import.meta.url));
  const options = program.opts<Options>();
  const dataDir = options.dir
    ? path.resolve(options.dir)
    : fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-bench-"));
  if (!options.dir)
    process.once("exit", () => fs.rmSync(dataDir, { recursive: true, force: true }));
  process.env.TRAILSEAL_DATA_DIR = dataDir;
  process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";
  delete process.env.DATABASE_URL;
  delete process.env.DATABASE_OWNER_URL;
  delete process.env.DATABASE_SIGNER_URL;
  delete process.env.DATABASE_RETENTION_URL;
  const opened = await openDatabase(parseEnv(process.env), "cli", root);
  if (!("appUrl" in opened)) throw new Error(`${dataDir} is in use`);
  const rows: Row[] = [];
  let largest = 0;
  try {
    if (options.soak !== undefined) {
      process.stdout.write(`${await soak(options.soak, say)}\n`);
      return;
    }
    if (options.retention) {
      process.stdout.write(`\n${table(await benchRetention(options.events, say))}\n`);
      return;
    }
    if (options.streams) {
      say("streams…");
      const found = await benchStreams(root, options.events);
      process.stdout.write(`\n${table(found)}\n`);
      return;
    }
    if (!options.exports) {
      say("ingest…");
      rows.push(...(await benchIngest()));
    }
    const [first] = (await seeded(opened.ownerUrl, options)) ?? (await seed(options));
    largest = zipfShares(options.events, options.organizations)[0] as number;
    const scope = systemScope("cli", first as string);
    if (options.exports) {
      process.stdout.write(`\n${table(await benchExports(root, scope, largest))}\n`);
      return;
    }
    rows.push(await diskRow(opened.ownerUrl));
    say("reads…");
    rows.push(...(await benchReads(scope)));
    say("csv…");
    rows.push(await benchCsv(scope, largest));
    say("verify…");
    rows.push(await benchVerify(scope, largest));
    say("exports…");
    rows.push(...(await benchExports(root, scope, largest)));
    say("proofs…");
    rows.push(...(await benchProofs(scope, largest)));
    say("streams…");
    rows.push(...(await benchStreams(root, STREAMED)));
  } finally {
    await closePools();
    await opened.close();
  }
  rows.push(await idleRow(root, dataDir));
  process.stdout.write(
    `\n${options.events.toLocaleString("en-US")} events, ${options.organizations} organizations; the largest, which is measured, has ${largest.toLocaleString("en-US")}.\n\n${table(rows)}\n`,
  );
}
