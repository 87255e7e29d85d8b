import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { to as copyTo } from "pg-copy-streams";
import type { Scope } from "@/lib/auth/scope";
import { longPool } from "@/lib/db/pool";
import { parseExportInput } from "@/lib/exports/schema";
import { deleteExport, getExport, requestExport } from "@/lib/exports/server/exports";
import { megabytes, PLAIN_CSV, rate } from "./bulk";
import { inTurn, quantiles, type Row } from "./measure";
import { proc } from "./processes";

const RUNS = 3;
const POLL_MS = 20;
const MOST_BYTES = 250_000_000;

/** Highest resident memory so far, bytes. */
const peakOf = (child: ChildProcess) =>
  Number(/^VmHWM:\s+(\d+)/m.exec(proc(child.pid as number, "status"))?.[1]) * 1_024;

/**
 * Jobs of the exports page by a worker of its own, each with hashes of its rows, a signed manifest and an fsync; bare:
 * COPY into a file.
 */
export async function benchExports(root: string, scope: Scope, events: number): Promise<Row[]> {
  const directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-bare-"));
  const worker = spawn(process.execPath, [path.join(root, ".build/worker.mjs"), "exports"], {
    env: process.env,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const bare = async () => {
    const client = await longPool().connect();
    try {
      const sql = PLAIN_CSV.replace("ORG", scope.organizationId);
      const copy = client.query(copyTo(`COPY (${sql}) TO STDOUT (FORMAT csv, HEADER)`));
      await pipeline(copy, createWriteStream(path.join(directory, "bare.csv")));
    } finally {
      client.release();
    }
  };
  try {
    const rows: Row[] = [];
    for (const format of ["csv", "ndjson"] as const) {
      const ours = async () => {
        const request = { format, q: "", from: null, to: null, options: {} };
        const { id } = await requestExport(scope, parseExportInput(request));
        let state = "queued";
        while (state === "queued" || state === "running") {
          await new Promise((resolve) => setTimeout(resolve, POLL_MS));
          const found = await getExport(scope, id);
          if (found.error) throw new Error(found.error);
          state = found.state;
        }
        await deleteExport(scope, id);
      };
      const samples = await inTurn(RUNS, ours, bare);
      const memory = peakOf(worker);
      const [mine, plain] = [quantiles(samples.ours), quantiles(samples.bare)];
      rows.push({
        what: `export of everything as ${format.toUpperCase()}, from request to ready (bare: COPY as CSV into a file)`,
        ours: rate(events, mine.p50),
        bare: rate(events, plain.p50),
        ratio: plain.p50 / mine.p50,
        target: format === "csv" ? { floor: 0.7, goal: 0.8, atLeast: true } : null,
        note: `peak memory of the worker ${megabytes(memory)}${memory > MOST_BYTES ? ": MISS" : ""}`,
      });
    }
    return rows;
  } finally {
    worker.kill("SIGTERM");
    rmSync(directory, { recursive: true, force: true });
  }
}
