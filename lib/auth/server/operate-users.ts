import type pg from "pg";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import type { InstanceScope } from "../scope";
import { lockAccount, tellOfAccount } from "./account-events";
import { hashPassword } from "./passwords";
import { deleteSecondFactor } from "./second-factor";
import { endSessions } from "./sessions";
import { forgetGuesses } from "./throttle";

/** What the operator does with people's accounts. Each change is told in the logs of their organizations, with it. */

export interface ListedUser {
  id: string;
  email: string;
  name: string;
  instanceAdmin: boolean;
  hasSecondFactor: boolean;
  /** Of how many organizations they are a member. */
  organizations: number;
  createdAt: string;
  lastSeenAt: string | null;
  deactivatedAt: string | null;
}

/** By e-mail. */
export async function listUsers(_scope: InstanceScope): Promise<ListedUser[]> {
  const { rows } = await readPool().query(
    `SELECT u.id, u.email, u.name, u.instance_admin AS "instanceAdmin",
       EXISTS (SELECT FROM second_factors f WHERE f.user_id = u.id AND f.confirmed_at IS NOT NULL) AS "hasSecondFactor",
       (SELECT count(*)::int FROM memberships m JOIN organizations o ON o.id = m.organization_id
        WHERE m.user_id = u.id AND m.removed_at IS NULL AND o.deleted_at IS NULL) AS organizations,
       u.created_at AS "createdAt", u.deactivated_at AS "deactivatedAt",
       (SELECT max(s.last_seen_at) FROM sessions s WHERE s.user_id = u.id) AS "lastSeenAt"
     FROM users u ORDER BY u.email`,
  );
  return rows.map((row) => ({
    ...row,
    createdAt: row.createdAt.toISOString(),
    lastSeenAt: row.lastSeenAt?.toISOString() ?? null,
    deactivatedAt: row.deactivatedAt?.toISOString() ?? null,
  }));
}

interface Account {
  id: string;
  email: string;
  isAdmin: boolean;
  isActive: boolean;
}

interface Told {
  action: `trailseal.${string}`;
  metadata?: Record<string, string>;
}

/** What a change did: to whom, and how many of their open sessions it ended. */
export interface UserChange {
  id: string;
  email: string;
  sessionsEnded: number;
}

/**
 * Finds the account, changes it, and tells what the change says of itself; no word is no change.
 * @param who an e-mail or a user's id
 * @throws AppError not_found; conflict when no administrator of the instance could sign in any more.
 */
async function changing(
  { principal }: InstanceScope,
  who: string,
  change: (client: pg.PoolClient, account: Account) => Promise<Told | null>,
  endsSessions = false,
): Promise<UserChange> {
  return inTransaction(writePool(), async (client) => {
    // One at a time: two administrators cannot go at once.
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended('administrators', 0))");
    const { rows } = await client.query<Account>(
      `SELECT id, email, instance_admin AND deactivated_at IS NULL AS "isAdmin", deactivated_at IS NULL AS "isActive"
       FROM users WHERE id = $1 OR email = lower($1)`,
      [who],
    );
    const [account] = rows;
    if (!account)
      throw new AppError("not_found", `There is no user ${who}. See trailseal users list.`);
    await lockAccount(client, account.id);
    const told = await change(client, account);
    if (account.isAdmin) await demandAdministrator(client);
    const ended = endsSessions ? await endSessions(client, account.id) : 0;
    const metadata = {
      ...told?.metadata,
      ...(endsSessions ? { sessions_ended: String(ended) } : {}),
    };
    if (told) await tellOfAccount(client, principal, account, { ...told, metadata });
    return { id: account.id, email: account.email, sessionsEnded: ended };
  });
}

async function demandAdministrator(client: pg.PoolClient): Promise<void> {
  const { rowCount } = await client.query(
    "SELECT FROM users WHERE instance_admin AND deactivated_at IS NULL LIMIT 1",
  );
  if (rowCount === 0)
    throw new AppError(
      "conflict",
      "This is the last administrator of the instance. Make another one first: trailseal users promote, or users create --admin.",
    );
}

/** They sign in no more, and every session of theirs ends. */
export function deactivateUser(scope: InstanceScope, who: string): Promise<UserChange> {
  return changing(
    scope,
    who,
    async (client, { id, isActive }) => {
      await client.query(
        "UPDATE users SET deactivated_at = coalesce(deactivated_at, now()) WHERE id = $1",
        [id],
      );
      return isActive ? { action: "trailseal.user_deactivated" } : null;
    },
    true,
  );
}

export function reactivateUser(scope: InstanceScope, who: string): Promise<UserChange> {
  return changing(scope, who, async (client, { id, isActive }) => {
    await client.query("UPDATE users SET deactivated_at = NULL WHERE id = $1", [id]);
    return isActive ? null : { action: "trailseal.user_reactivated" };
  });
}

/** Every session of theirs ends. */
export async function resetPassword(
  scope: InstanceScope,
  who: string,
  password: string,
): Promise<UserChange> {
  const hash = await hashPassword(password);
  return changing(
    scope,
    who,
    async (client, { id, email }) => {
      await client.query("UPDATE users SET password_hash = $2 WHERE id = $1", [id, hash]);
      await forgetGuesses(client, email);
      return { action: "trailseal.password_changed" };
    },
    true,
  );
}

/** Their password alone signs them in until they turn on another one. */
export function resetSecondFactor(scope: InstanceScope, who: string): Promise<UserChange> {
  return changing(scope, who, async (client, { id }) =>
    (await deleteSecondFactor(client, id)) ? { action: "trailseal.second_factor_reset" } : null,
  );
}

/** Makes somebody an administrator of the instance, who reaches every organization, or no longer. */
export function setAdministrator(
  scope: InstanceScope,
  who: string,
  isAdmin: boolean,
): Promise<UserChange> {
  return changing(scope, who, async (client, { id }) => {
    const { rowCount } = await client.query(
      "UPDATE users SET instance_admin = $2 WHERE id = $1 AND instance_admin <> $2",
      [id, isAdmin],
    );
    if (rowCount === 0) return null;
    return { action: isAdmin ? "trailseal.user_promoted" : "trailseal.user_demoted" };
  });
}
