import type pg from "pg";
import {
  appendControlEvent,
  type ControlEvent,
  contextOf,
} from "@/lib/events/server/control-event";
import type { Scope } from "../scope";
import { namingScope } from "./issue-scope";

/** Whose account it is. */
export interface Owner {
  id: string;
  email: string;
}

/** Where somebody comes from. */
export interface Client {
  address: string;
  userAgent: string | null;
}

/**
 * One change at a time of an account. Taken before anything of the account is read to be changed, and before the heads
 * of logs, so that no two wait for each other.
 */
export async function lockAccount(client: pg.PoolClient, userId: string): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [
    `account ${userId}`,
  ]);
}

/**
 * Tells what happened to an account in the log of every organization that its owner is a member of, in the caller's
 * transaction. Logs are taken in the order of their organizations' ids.
 */
export async function tellOfAccount(
  client: pg.PoolClient,
  principal: Scope["principal"],
  owner: Owner,
  { from, ...event }: Pick<ControlEvent, "action" | "metadata"> & { from?: Client },
): Promise<void> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT o.id FROM memberships m JOIN organizations o ON o.id = m.organization_id
     WHERE m.user_id = $1 AND m.removed_at IS NULL AND o.deleted_at IS NULL ORDER BY o.id`,
    [owner.id],
  );
  for (const { id } of rows) {
    await appendControlEvent(client, namingScope(principal, id), {
      ...event,
      targets: [{ type: "user", id: owner.id, name: owner.email }],
      ...(from ? { context: contextOf(from) } : {}),
    });
  }
}
