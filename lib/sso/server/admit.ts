import type pg from "pg";
import { emailSchema } from "@/lib/auth/people";
import type { Role } from "@/lib/auth/roles";
import { type Client, lockAccount, tellOfAccount } from "@/lib/auth/server/account-events";
import { namingScope } from "@/lib/auth/server/issue-scope";
import {
  findMember,
  hasOwner,
  lockMembers,
  type MemberChange,
  type MemberRow,
  sealChange,
  toldSight,
  voidInvitations,
} from "@/lib/auth/server/members";
import { deleteSecondFactor } from "@/lib/auth/server/second-factor";
import { endSessions, openSession } from "@/lib/auth/server/sessions";
import { type SignedIn, SignInRefused } from "@/lib/auth/server/sign-in";
import { insertUser } from "@/lib/auth/server/users";
import type { SignInRefusal } from "@/lib/auth/sign-in-refusal";
import { inTransaction, writePool } from "@/lib/db/pool";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { SEES_EVERYTHING, type StoredSight, seesEverything } from "@/lib/events/sight";
import { type Claims, groupsOf, roleByGroups } from "../claims";
import type { Provider } from "../schema";
import { holdProviders } from "./providers";

export type Voucher = Pick<
  Provider,
  "id" | "name" | "issuer" | "clientId" | "groupsClaim" | "groupRoles" | "defaultRole"
> & {
  organizationId: string;
};

interface Person {
  id: string;
  email: string;
}

/**
 * Opens a session for whom a provider vouches for, in three steps: who it is, what they are in its organization, and
 * the session. Its word counts for addresses in its domains alone. What the first two change is told in the
 * organization's log, also where no session comes of it.
 * @param claims of a token that was verified
 * @throws SignInRefused
 */
export async function admit(by: Voucher, claims: Claims, from: Client): Promise<SignedIn> {
  const found = await inTransaction(writePool(), async (client) => {
    // Before any account's lock, as everywhere.
    await lockMembers(client, by.organizationId);
    const now = await hold(client, by);
    const outcome = now ? await settle(client, now, claims) : "SsoChanged";
    if (typeof outcome !== "string") return outcome;
    await appendControlEvent(client, namingScope({ kind: "visitor" }, by.organizationId), {
      action: "trailseal.sign_in_refused",
      targets: [{ type: "identity_provider", id: by.id, name: by.name }],
      metadata: {
        reason: outcome,
        subject: claims.sub,
        email: emailSchema.safeParse(claims.email).data ?? "none",
      },
    });
    return outcome;
  });
  if (typeof found === "string") throw new SignInRefused(found);
  return inTransaction(writePool(), async (client) => {
    const now = await hold(client, by);
    await lockAccount(client, found.id);
    const linked = now && (await findLinked(client, now, claims.sub));
    if (typeof linked === "string") throw new SignInRefused(linked);
    if (linked?.id !== found.id) throw new SignInRefused("SsoChanged");
    if (linked.isDeactivated) throw new SignInRefused("SsoDeactivated");
    const sessionId = await openSession(found.id, from, client, by);
    const principal = { kind: "user", ...found, sessionId } as const;
    await tellOfAccount(client, principal, found, {
      action: "trailseal.signed_in",
      metadata: { session_id: sessionId, method: "oidc", identity_provider: by.id },
      from,
    });
    return { id: found.id, sessionId };
  });
}

/**
 * The provider as it is now, which nobody changes before the transaction ends.
 * @returns null for one that is off, or is not the one that vouched any more
 */
async function hold(client: pg.PoolClient, by: Voucher): Promise<Voucher | null> {
  await holdProviders(client, by.organizationId);
  const { rows } = await client.query<Pick<Voucher, "name" | "groupRoles" | "defaultRole">>(
    `SELECT name, group_roles AS "groupRoles", default_role AS "defaultRole" FROM identity_providers
     WHERE organization_id = $1 AND id = $2 AND enabled AND issuer = $3 AND client_id = $4 AND groups_claim = $5`,
    [by.organizationId, by.id, by.issuer, by.clientId, by.groupsClaim],
  );
  return rows[0] ? { ...by, ...rows[0] } : null;
}

async function settle(
  client: pg.PoolClient,
  by: Voucher,
  claims: Claims,
): Promise<Person | SignInRefusal> {
  const known = await findLinked(client, by, claims.sub);
  const person = known ?? (await findByAddress(client, by, claims));
  if (typeof person === "string") return person;
  const { id, email } = person;
  if (id !== null && person.isDeactivated) return "SsoDeactivated";
  const groups = groupsOf(claims, by.groupsClaim);
  if (groups === null && by.groupRoles.length > 0) return "SsoNoGroups";
  const role = roleByGroups(by.groupRoles, groups ?? []) ?? by.defaultRole;
  if (id === null) {
    if (role === null) return "SsoNoRole";
    const name = claims.name?.trim().slice(0, 200) || email;
    const made = await insertUser(client, { email, name, instanceAdmin: false }, null);
    return enrol(client, by, claims.sub, { id: made.id, email }, role);
  }
  return enrol(client, by, claims.sub, { id, email }, role, known !== null);
}

interface Found {
  id: string | null;
  email: string;
  isDeactivated: boolean;
}

async function findLinked(
  client: pg.PoolClient,
  by: Voucher,
  subject: string,
): Promise<Found | SignInRefusal | null> {
  const { rows } = await client.query<Found>(
    `SELECT u.id, u.email, u.deactivated_at IS NOT NULL AS "isDeactivated" FROM identities i JOIN users u ON u.id = i.user_id
     WHERE i.organization_id = $1 AND i.provider_id = $2 AND i.subject = $3`,
    [by.organizationId, by.id, subject],
  );
  if (!rows[0]) return null;
  return (await speaksFor(client, by, rows[0].email)) ? rows[0] : "SsoDomain";
}

/** A subject that comes for the first time is whose address it has: their account, or one to be made. */
async function findByAddress(
  client: pg.PoolClient,
  by: Voucher,
  claims: Claims,
): Promise<Found | SignInRefusal> {
  const parsed = emailSchema.safeParse(claims.email);
  if (!parsed.success) return "SsoNoEmail";
  const email = parsed.data;
  const isUnverified = claims.email_verified === false || claims.email_verified === "false";
  if (isUnverified) return "SsoUnverified";
  if (!(await speaksFor(client, by, email))) return "SsoDomain";
  const { rows } = await client.query<Found & { isTaken: boolean }>(
    `SELECT u.id, u.email, u.deactivated_at IS NOT NULL AS "isDeactivated",
       EXISTS (SELECT FROM identities i WHERE i.organization_id = $2 AND i.provider_id = $3 AND i.user_id = u.id) AS "isTaken"
     FROM users u WHERE u.email = $1`,
    [email, by.organizationId, by.id],
  );
  if (rows[0]?.isTaken) return "SsoTaken";
  return rows[0] ?? { id: null, email, isDeactivated: false };
}

async function speaksFor(client: pg.PoolClient, by: Voucher, email: string): Promise<boolean> {
  const { rowCount } = await client.query(
    "SELECT FROM identity_domains WHERE domain = $1 AND organization_id = $2 AND provider_id = $3",
    [email.slice(email.lastIndexOf("@") + 1), by.organizationId, by.id],
  );
  return rowCount === 1;
}

/** Makes them what their groups say, and remembers who they are. */
async function enrol(
  client: pg.PoolClient,
  by: Voucher,
  subject: string,
  person: Person,
  role: Role | null,
  isLinked = false,
): Promise<Person | SignInRefusal> {
  const scope = namingScope({ kind: "user", ...person, sessionId: "" }, by.organizationId);
  if (!isLinked) await lockAccount(client, person.id);
  const refusal = await applyRole(client, by, scope, person, role);
  if (refusal !== null) return refusal;
  if (!isLinked) {
    await client.query(
      "INSERT INTO identities (organization_id, provider_id, subject, user_id) VALUES ($1, $2, $3, $4)",
      [by.organizationId, by.id, subject, person.id],
    );
    await appendControlEvent(client, scope, {
      action: "trailseal.sso_identity_linked",
      targets: [
        { type: "user", id: person.id, name: person.email },
        { type: "identity_provider", id: by.id, name: by.name },
      ],
      metadata: { subject, ...(await disown(client, person.id)) },
    });
  }
  await client.query(
    "UPDATE identity_providers SET proven_at = now() WHERE organization_id = $1 AND id = $2 AND proven_at IS NULL",
    [by.organizationId, by.id],
  );
  return person;
}

/**
 * Whoever invited somebody may have made their account and chosen its password: from the first sign-in through a
 * provider on, nothing of before it opens the account.
 * @returns what that took, for the log
 */
async function disown(client: pg.PoolClient, userId: string): Promise<Record<string, string>> {
  const { rowCount } = await client.query(
    "UPDATE users SET password_hash = NULL WHERE id = $1 AND password_hash IS NOT NULL AND NOT instance_admin",
    [userId],
  );
  if (rowCount === 0) return {};
  const hadFactor = await deleteSecondFactor(client, userId);
  return {
    password: "removed",
    second_factor: hadFactor ? "removed" : "none",
    sessions_ended: String(await endSessions(client, userId)),
  };
}

/** What an open invitation lets an address see; null: there is none that restricts. */
async function invitedSight(
  client: pg.PoolClient,
  organizationId: string,
  email: string,
): Promise<StoredSight | null> {
  const { rows } = await client.query<{ sight: StoredSight }>(
    `SELECT jsonb_build_object('filter', view_filter, 'hidden', masked_fields) AS sight FROM invitations
     WHERE organization_id = $1 AND email = $2 AND expires_at > now()`,
    [organizationId, email],
  );
  return rows[0] && !seesEverything(rows[0].sight) ? rows[0].sight : null;
}

/** Where no group has a role at all, groups decide nothing: who is a member stays what they are. */
async function applyRole(
  client: pg.PoolClient,
  by: Voucher,
  scope: ReturnType<typeof namingScope>,
  person: Person,
  byGroups: Role | null,
): Promise<SignInRefusal | null> {
  const { organizationId } = by;
  const cause = { identity_provider: by.id, cause: "groups" };
  const target = { type: "user", id: person.id, name: person.email };
  const before = await findMember(client, organizationId, person.id);
  const seal = (change: MemberChange) =>
    sealChange(client, scope, person.id, before as NonNullable<typeof before>, change);

  if (before === null || before.removedAt) {
    if (before && !before.isRemovedByGroups) return "SsoRemoved";
    if (byGroups === null) return "SsoNoRole";
    const invited = await invitedSight(client, organizationId, person.email);
    const sight = invited ?? before?.sight ?? SEES_EVERYTHING;
    // What a person restricted, groups do not widen.
    const role = seesEverything(sight) ? byGroups : "viewer";
    const metadata = {
      ...{ role, ...toldSight(sight), ...cause },
      ...(role !== byGroups && { role_by_groups: byGroups, reason: "restricted" }),
    };
    await client.query(
      `INSERT INTO memberships (organization_id, user_id, role, view_filter, masked_fields) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (organization_id, user_id) DO UPDATE SET role = excluded.role, removed_at = NULL,
         removed_by_groups = false, view_filter = excluded.view_filter, masked_fields = excluded.masked_fields`,
      [organizationId, person.id, role, sight.filter, sight.hidden],
    );
    if (before) await seal({ action: "trailseal.member_restored", metadata, roleNow: role });
    else {
      await voidInvitations(client, scope, { email: person.email });
      const action = "trailseal.member_joined";
      await appendControlEvent(client, scope, { action, targets: [target], metadata });
    }
    return null;
  }
  if (by.groupRoles.length === 0 || byGroups === before.role) return null;
  const kept = await whyKept(client, scope, person.id, before, byGroups);
  if (kept) {
    const metadata = { role: before.role, role_by_groups: byGroups ?? "none", reason: kept };
    await appendControlEvent(client, scope, {
      action: "trailseal.member_role_kept",
      targets: [target],
      metadata: { ...metadata, ...cause },
    });
    return null;
  }
  if (byGroups === null) {
    await client.query(
      `UPDATE memberships SET removed_at = now(), removed_by_groups = true
       WHERE organization_id = $1 AND user_id = $2`,
      [organizationId, person.id],
    );
    const metadata = { role: before.role, ...cause };
    await seal({ action: "trailseal.member_removed", metadata, roleNow: null });
    return "SsoNoRole";
  }
  await client.query(
    "UPDATE memberships SET role = $3 WHERE organization_id = $1 AND user_id = $2",
    [organizationId, person.id, byGroups],
  );
  const metadata = { role: byGroups, role_before: before.role, ...cause };
  await seal({ action: "trailseal.member_role_changed", metadata, roleNow: byGroups });
  return null;
}

/** Why groups do not change what somebody is; null: they do. */
async function whyKept(
  client: pg.PoolClient,
  scope: ReturnType<typeof namingScope>,
  userId: string,
  { role, sight }: MemberRow,
  byGroups: Role | null,
): Promise<"restricted" | "last_owner" | null> {
  if (byGroups !== null && !seesEverything(sight)) return "restricted";
  const isLast = role === "owner" && !(await hasOwner(client, scope, userId));
  return isLast ? "last_owner" : null;
}
