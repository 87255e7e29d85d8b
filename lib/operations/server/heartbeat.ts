import os from "node:os";
import { databaseAheadMs } from "@/lib/clock";
import { readPool, writePool } from "@/lib/db/pool";
import { newUlid } from "@/lib/ids";
import { version } from "../version";

/** Processes tell of themselves; who has not for a while is silent. */

export const HEARTBEAT_MS = 15_000;
/** Three of them missed. */
export const SILENT_AFTER = "50 seconds";
/** Those that ended are remembered for a day. */
const KEPT = "1 day";

/** Tells of this process, until it ends. */
export class Heartbeat {
  readonly #id = newUlid();
  readonly #startedAt = new Date();

  constructor(private readonly kind: "server" | "worker") {}

  /** @throws the driver's error when the database is away */
  async beat(): Promise<void> {
    const beforeMs = Date.now();
    const { rows } = await readPool().query<{ now_ms: number }>(
      "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now_ms",
    );
    const afterMs = Date.now();
    const databaseMs = rows[0]?.now_ms ?? afterMs;
    await writePool().query(
      `INSERT INTO processes (id, kind, host, pid, version, database_ahead_ms, started_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (id) DO UPDATE SET seen_at = now(), database_ahead_ms = EXCLUDED.database_ahead_ms`,
      [
        ...[this.#id, this.kind, os.hostname(), process.pid, version],
        ...[databaseAheadMs({ databaseMs, beforeMs, afterMs }), this.#startedAt],
      ],
    );
  }

  /** What ends in order is not missed. */
  async end(): Promise<void> {
    await writePool().query("DELETE FROM processes WHERE id = $1", [this.#id]);
  }
}

export async function deleteOldProcesses(): Promise<void> {
  await writePool().query("DELETE FROM processes WHERE seen_at < now() - $1::interval", [KEPT]);
}
