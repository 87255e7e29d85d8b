import type pg from "pg";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { SEES_EVERYTHING, type StoredSight, seesEverything } from "@/lib/events/sight";
import type { Member } from "../people";
import { ROLE_PERMISSIONS, type Role, roles } from "../roles";
import type { Scope } from "../scope";

/** Who may do what in an organization. Every change is an event of its log, committed with it. */

/** Members of an organization, those who were removed last; by name. */
export async function listMembers({ organizationId }: Scope): Promise<Member[]> {
  const { rows } = await readPool().query(
    `SELECT u.id AS "userId", u.name, u.email, m.role,
       jsonb_build_object('filter', m.view_filter, 'hidden', m.masked_fields) AS sight, m.created_at AS since, m.removed_at AS "removedAt",
       u.deactivated_at IS NOT NULL AS "isDeactivated",
       (SELECT max(s.last_seen_at) FROM sessions s WHERE s.user_id = u.id) AS "lastSeenAt"
     FROM memberships m JOIN users u ON u.id = m.user_id
     WHERE m.organization_id = $1 ORDER BY m.removed_at IS NOT NULL, lower(u.name), u.email`,
    [organizationId],
  );
  return rows.map((row) => ({
    ...row,
    since: row.since.toISOString(),
    lastSeenAt: row.lastSeenAt?.toISOString() ?? null,
    removedAt: row.removedAt?.toISOString() ?? null,
  }));
}

export interface MemberRow {
  role: Role;
  removedAt: Date | null;
  /** By the groups of their identity provider, not by somebody. */
  isRemovedByGroups: boolean;
  email: string;
  sight: StoredSight;
}

/** Only an owner makes, changes or removes one. @throws AppError forbidden */
export function demandRank({ permissions }: Scope, ...touched: Role[]): void {
  if (touched.includes("owner") && !permissions.has("owners:manage"))
    throw new AppError("forbidden", "Only an owner can make, change or remove an owner.");
}

/** One change at a time in an organization: two owners cannot remove each other at once. */
export async function lockMembers(client: pg.PoolClient, organizationId: string): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [
    `members ${organizationId}`,
  ]);
}

/** Whether somebody makes owners. @param but a user who does not count */
export async function hasOwner(
  client: pg.PoolClient,
  { organizationId }: Scope,
  but = "",
): Promise<boolean> {
  const { rowCount } = await client.query(
    `SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.organization_id = $1
       AND m.user_id <> $2 AND m.role = 'owner' AND m.removed_at IS NULL AND u.deactivated_at IS NULL LIMIT 1`,
    [organizationId, but],
  );
  return rowCount === 1;
}

/** Finds the member, changes them, and seals what the change says of itself; no word is no change. */
async function changing(
  scope: Scope,
  userId: string,
  change: (client: pg.PoolClient, before: MemberRow) => Promise<MemberChange | null>,
): Promise<void> {
  const { organizationId } = scope;
  await inTransaction(writePool(), async (client) => {
    await lockMembers(client, organizationId);
    const before = await findMember(client, organizationId, userId);
    if (!before) throw new AppError("not_found", "There is no such member.");
    const sealed = await change(client, before);
    if (sealed) await sealChange(client, scope, userId, before, sealed);
  });
}

export async function findMember(
  client: pg.PoolClient,
  organizationId: string,
  userId: string,
): Promise<MemberRow | null> {
  const { rows } = await client.query<MemberRow>(
    `SELECT m.role, m.removed_at AS "removedAt", m.removed_by_groups AS "isRemovedByGroups", u.email,
       jsonb_build_object('filter', m.view_filter, 'hidden', m.masked_fields) AS sight
     FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.organization_id = $1 AND m.user_id = $2`,
    [organizationId, userId],
  );
  return rows[0] ?? null;
}

/**
 * What follows from a change that was made in this transaction, under the members' lock.
 * @throws AppError conflict when nobody would be left to make owners.
 */
export async function sealChange(
  client: pg.PoolClient,
  scope: Scope,
  userId: string,
  before: Pick<MemberRow, "role" | "removedAt" | "email">,
  sealed: MemberChange,
): Promise<void> {
  // A link of an earlier invitation would undo the change.
  await voidInvitations(client, scope, { email: before.email });
  const may = grantedBy(sealed.roleNow);
  const lost = roles.filter((role) => !may.includes(role));
  await voidInvitations(client, scope, { createdBy: before.email, roles: lost });
  if (before.role === "owner" && !before.removedAt && !(await hasOwner(client, scope)))
    throw new AppError("conflict", "This is the last owner. Make somebody else an owner first.");
  await appendControlEvent(client, scope, {
    action: sealed.action,
    metadata: sealed.metadata,
    targets: [{ type: "user", id: userId, name: before.email }],
  });
}

/**
 * Links that were given out stop working, and that is told. In the transaction of what voids them, under the members' lock.
 * @param which those for an address, or those that somebody made, of these roles
 */
export async function voidInvitations(
  client: pg.PoolClient,
  scope: Scope,
  which: { email: string } | { createdBy: string; roles: readonly Role[] },
): Promise<void> {
  const [condition, values] =
    "email" in which
      ? ["email = $2", [which.email]]
      : ["created_by = $2 AND role = ANY($3)", [which.createdBy, which.roles]];
  const { rows } = await client.query<{ id: string; email: string; role: Role }>(
    `DELETE FROM invitations WHERE organization_id = $1 AND ${condition} RETURNING id, email, role`,
    [scope.organizationId, ...values],
  );
  for (const { id, email, role } of rows) {
    await appendControlEvent(client, scope, {
      action: "trailseal.invitation_revoked",
      targets: [{ type: "invitation", id, name: email }],
      metadata: { role },
    });
  }
}

/** What somebody with a role may invite others to. */
const grantedBy = (role: Role | null): readonly Role[] =>
  roles.filter(
    (one) =>
      role !== null &&
      ROLE_PERMISSIONS[role].has("members:manage") &&
      (one !== "owner" || ROLE_PERMISSIONS[role].has("owners:manage")),
  );

export interface MemberChange {
  action: `trailseal.${string}`;
  metadata: Record<string, string>;
  /** Null: they are no member any more. */
  roleNow: Role | null;
}

/** @throws AppError not_found, forbidden to others than owners, conflict for the last owner. */
export async function changeRole(
  scope: Scope,
  { userId, role }: { userId: string; role: Role },
): Promise<void> {
  await changing(scope, userId, async (client, before) => {
    if (before.removedAt) throw new AppError("conflict", "Restore this member first.");
    demandRank(scope, role, before.role);
    if (role === before.role) return null;
    await client.query(
      `UPDATE memberships SET role = $3, view_filter = NULL, masked_fields = '{}'
       WHERE organization_id = $1 AND user_id = $2`,
      [scope.organizationId, userId, role],
    );
    return {
      action: "trailseal.member_role_changed",
      metadata: {
        role,
        role_before: before.role,
        ...(seesEverything(before.sight) ? {} : sightChange(SEES_EVERYTHING, before.sight)),
      },
      roleNow: role,
    };
  });
}

/** As events tell it, fields by their ids: `all events` and `nothing` are said, too. */
const sightFacts = ({ filter, hidden }: StoredSight) => ({
  sees: filter ?? "all events",
  hidden: hidden.join(", ") || "nothing",
});

/** Of who comes to see a part. */
export const toldSight = (sight: StoredSight) => (seesEverything(sight) ? {} : sightFacts(sight));

function sightChange(now: StoredSight, before: StoredSight): Record<string, string> {
  const was = sightFacts(before);
  return { ...sightFacts(now), sees_before: was.sees, hidden_before: was.hidden };
}

/** What a viewer sees from now on. @throws AppError not_found, conflict for another role */
export async function changeSight(
  scope: Scope,
  { userId, sight }: { userId: string; sight: StoredSight },
): Promise<void> {
  await changing(scope, userId, async (client, before) => {
    if (before.removedAt) throw new AppError("conflict", "Restore this member first.");
    if (before.role !== "viewer")
      throw new AppError("conflict", "Only viewers can see less than all events.");
    const metadata = sightChange(sight, before.sight);
    if (metadata.sees === metadata.sees_before && metadata.hidden === metadata.hidden_before)
      return null;
    await client.query(
      `UPDATE memberships SET view_filter = $3, masked_fields = $4
       WHERE organization_id = $1 AND user_id = $2`,
      [scope.organizationId, userId, sight.filter, sight.hidden],
    );
    return { action: "trailseal.member_sight_changed", metadata, roleNow: before.role };
  });
}

/** From now on they reach nothing here. @throws AppError as changeRole does. */
export async function removeMember(scope: Scope, userId: string): Promise<void> {
  await changing(scope, userId, async (client, before) => {
    demandRank(scope, before.role);
    // Whom groups removed, groups would let in again.
    if (before.removedAt && !before.isRemovedByGroups) return null;
    await client.query(
      `UPDATE memberships SET removed_at = coalesce(removed_at, now()), removed_by_groups = false
       WHERE organization_id = $1 AND user_id = $2`,
      [scope.organizationId, userId],
    );
    return {
      action: "trailseal.member_removed",
      metadata: { role: before.role },
      roleNow: null,
    };
  });
}

/** They reach again what their role reaches. @throws AppError as changeRole does. */
export async function restoreMember(scope: Scope, userId: string): Promise<void> {
  await changing(scope, userId, async (client, before) => {
    demandRank(scope, before.role);
    if (!before.removedAt) return null;
    await client.query(
      "UPDATE memberships SET removed_at = NULL WHERE organization_id = $1 AND user_id = $2",
      [scope.organizationId, userId],
    );
    return {
      action: "trailseal.member_restored",
      metadata: { role: before.role },
      roleNow: before.role,
    };
  });
}
