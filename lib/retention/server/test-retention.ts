import type pg from "pg";
import { vi } from "vitest";
import type { Scope } from "@/lib/auth/scope";
import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import { followTiles } from "@/lib/chain/server/tiles";
import type { TestDatabase } from "@/lib/db/test-database";
import { followRollups } from "@/lib/events/server/rollups";
import { appendEvents, newEvent } from "@/lib/events/server/test-log";
import { cutCheckpoint } from "@/lib/integrity/server/signer";
import { verifyLog } from "@/lib/integrity/server/verify";
import { setRetention } from "@/lib/orgs/server/retention";
import { DAY_MS } from "./plan";
import { runRetention } from "./run";

/** What tests of retention do: logs with a past, a run as the worker makes it, and what is left. */
export function retentionSuite(current: () => { db: TestDatabase; login: pg.Pool }) {
  const worker = systemInstanceScope("worker");
  const scopeOf = (log: string) => systemScope("worker", log);
  const run = (options = {}) => runRetention(current().login, worker, options);

  /** Appends as the server did so many days ago. */
  async function appendAgo(log: string, days: number, count: number): Promise<void> {
    const then = new Date(Date.now() - days * DAY_MS);
    await current().db.owner.query("SELECT ensure_partitions($1)", [then]);
    vi.useFakeTimers({ toFake: ["Date"], now: then });
    const events = Array.from({ length: count }, (_, at) =>
      newEvent({
        occurredAt: then.toISOString(),
        targets: [
          { type: "doc", id: `doc_${at}` },
          { type: "team", id: "team_1" },
        ],
        metadata: { at: String(at) },
      }),
    );
    await appendEvents(log, events);
    vi.useRealTimers();
  }

  /** Long ago: a period that was just sealed deletes nothing yet. */
  async function setPeriod(scope: Scope, ...policy: [number | null, ("hold" | "delete")?]) {
    await setRetention(scope, ...policy);
    await sealLongAgo(scope.organizationId);
  }

  async function sealLongAgo(log: string) {
    await cutCheckpoint(log);
    await current().db.owner.query(
      "UPDATE checkpoints SET created_at = '2020-01-01' WHERE organization_id = $1",
      [log],
    );
  }

  async function follow(log: string): Promise<void> {
    await followTiles(log);
    await followRollups(log);
    await cutCheckpoint(log);
  }

  const verdictOf = async (log: string) => {
    await follow(log);
    return verifyLog(scopeOf(log));
  };
  const good = { ok: true, findings: [] };

  async function count(sql: string, ...values: unknown[]): Promise<number> {
    return Number((await current().db.owner.query(sql, values)).rows[0].count);
  }
  const kept = (table: string, log: string, below = Number.MAX_SAFE_INTEGER) =>
    count(`SELECT count(*) FROM ${table} WHERE organization_id = $1 AND seq < $2`, log, below);

  const monthsOf = async (sql: string) =>
    (await current().db.owner.query(sql)).rows.map(({ name }) => name as string);
  const months = () =>
    monthsOf(
      "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = 'events'::regclass ORDER BY 1",
    );

  return {
    worker,
    scopeOf,
    run,
    appendAgo,
    setPeriod,
    sealLongAgo,
    follow,
    verdictOf,
    good,
    count,
    kept,
    monthsOf,
    months,
  };
}
