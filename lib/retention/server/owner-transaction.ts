import pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { sha256 } from "@/lib/chain/sha256";
import { inTransaction } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { append, prepare } from "@/lib/events/server/append";
import { newId } from "@/lib/ids";

/**
 * What takes something out of a log runs as the database's owner, from the command line: the login that serves
 * may only add. Each step is one transaction with the event that announces it.
 */

export type EventRole = "trailseal_eraser" | "trailseal_retention";

/** A pool of the owner's, who may take the roles that events can be changed with. Ended by the caller. */
export async function ownerPool(): Promise<pg.Pool> {
  const url = process.env.DATABASE_OWNER_URL;
  if (!url) throw new Error("DATABASE_OWNER_URL is not set");
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  pool.on("error", () => undefined);
  for (const role of ["trailseal_eraser", "trailseal_retention"]) {
    const { rows } = await pool.query("SELECT pg_has_role(current_user, $1, 'MEMBER') AS member", [
      role,
    ]);
    if (!rows[0]?.member) await pool.query(`GRANT ${role} TO CURRENT_USER`);
  }
  return pool;
}

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

/** Seals an event of the log itself, in the caller's transaction. @returns its sequence number */
export async function appendControlEvent(
  client: pg.PoolClient,
  { organizationId, principal }: Scope,
  event: {
    action: `trailseal.${string}`;
    targets?: { type: string; id: string }[];
    metadata: Record<string, string>;
  },
): Promise<number> {
  const occurredAt = new Date().toISOString();
  const actor = {
    type: "trailseal",
    id: principal.kind === "user" ? principal.id : principal.kind,
  };
  const item = prepare(organizationId, {
    event: {
      action: event.action,
      version: 1,
      occurredAt,
      receivedOccurredAt: occurredAt,
      actor,
      targets: event.targets ?? [],
      context: null,
      metadata: event.metadata,
    },
    key: sha256(newId("request")),
    keylessKey: null,
    source: "import",
  });
  const [outcome] = await append(client, organizationId, [item]);
  return outcome?.seq as number;
}
