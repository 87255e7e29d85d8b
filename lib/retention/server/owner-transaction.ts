import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { inTransaction } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";

/**
 * What takes something out of a log runs as the database's owner, from the command line: the login that serves
 * may only add. Each step is one transaction with the event that announces it.
 */

export type EventRole = "trailseal_eraser" | "trailseal_retention";

/** @throws AppError conflict while a legal hold is open */
export async function withoutHold<T>(
  pool: pg.Pool,
  { organizationId }: Scope,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ id: string; reason: string }>(
      "SELECT id, reason FROM legal_holds WHERE organization_id = $1 AND released_at IS NULL LIMIT 1",
      [organizationId],
    );
    if (rows[0])
      throw new AppError(
        "conflict",
        `A legal hold is open (${rows[0].id}: ${rows[0].reason}). Nothing is erased or pruned until it is released.`,
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
