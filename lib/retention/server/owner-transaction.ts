import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { inTransaction, longPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";

/**
 * What takes something out of a log runs as the database's owner, from the command line, or as the worker's login for
 * retention: the login that serves may only add. Each step is one transaction.
 */

export type EventRole = "trailseal_eraser" | "trailseal_retention";

/** A hold takes it alone, whatever removes takes it shared: a hold is placed after a step or before it, never within. */
const HOLD_LOCK = 7203202;

const PRUNING_LOCK = 7203203;

export async function lockForHold(client: pg.PoolClient): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock($1)", [HOLD_LOCK]);
}

/** @throws AppError conflict while a legal hold is open, by the table or by the log */
export async function withoutHold<T>(
  pool: pg.Pool,
  { organizationId }: Scope,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  return inTransaction(pool, async (client) => {
    await client.query("SELECT pg_advisory_xact_lock_shared($1)", [HOLD_LOCK]);
    const { rows } = await client.query<{ id: string; reason: string; is_only_sealed: boolean }>(
      "SELECT id, reason, is_only_sealed FROM open_holds WHERE organization_id = $1 LIMIT 1",
      [organizationId],
    );
    if (rows[0])
      throw new AppError(
        "conflict",
        `A legal hold is open (${rows[0].id}: ${rows[0].reason}). Nothing is erased or pruned until it is released.${rows[0].is_only_sealed ? " It was released or removed in the database, but the log has no event of that." : ""}`,
      );
    return work(client);
  });
}

export async function asRole<T>(
  client: pg.PoolClient,
  role: EventRole,
  work: () => Promise<T>,
): Promise<T> {
  await client.query(`SET LOCAL ROLE ${role}`);
  const result = await work();
  await client.query("RESET ROLE");
  return result;
}

/** A transaction as the role that may remove events, whoever logged in. */
export function asRetention<T>(
  pool: pg.Pool,
  scope: Scope,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  return withoutHold(pool, scope, (client) =>
    asRole(client, "trailseal_retention", () => work(client)),
  );
}

/**
 * One pruning at a time, of whatever log: the lock is a connection's, and goes with it.
 * @throws AppError conflict while another is under way
 */
export async function alone<T>(work: () => Promise<T>): Promise<T> {
  const client = await longPool().connect();
  let isStuck = false;
  try {
    const { rows } = await client.query<{ ours: boolean }>(
      "SELECT pg_try_advisory_lock($1) AS ours",
      [PRUNING_LOCK],
    );
    if (!rows[0]?.ours)
      throw new AppError("conflict", "Another retention run is under way: wait for its end.");
    try {
      return await work();
    } finally {
      await client.query("SELECT pg_advisory_unlock($1)", [PRUNING_LOCK]).catch(() => {
        isStuck = true;
      });
    }
  } finally {
    client.release(isStuck);
  }
}
