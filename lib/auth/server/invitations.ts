import { randomBytes } from "node:crypto";
import type pg from "pg";
import { sha256 } from "@/lib/chain/sha256";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { publicUrl } from "@/lib/env";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { SEES_EVERYTHING, type StoredSight } from "@/lib/events/sight";
import { newId } from "@/lib/ids";
import { log } from "@/lib/log";
import { quoted } from "@/lib/mail/quoted";
import { hasMailServer, sendMail } from "@/lib/mail/server/send-mail";
import { homeOf, type Invitation } from "../people";
import { ROLE_LABEL, type Role } from "../roles";
import type { Scope } from "../scope";
import { namingScope } from "./issue-scope";
import { demandRank, lockMembers, toldSight } from "./members";
import { hashPassword } from "./passwords";

/** Links that make their bearer a member. Each is shown or mailed once; only its hash is kept. */

const VALID_DAYS = 7;
const MOST_IN_AN_HOUR = 100;

export async function listInvitations({ organizationId }: Scope): Promise<Invitation[]> {
  const { rows } = await readPool().query(
    `SELECT id, email, role, jsonb_build_object('filter', view_filter, 'hidden', masked_fields) AS sight, created_by AS "createdBy", created_at AS "createdAt", expires_at AS "expiresAt"
     FROM invitations WHERE organization_id = $1 ORDER BY created_at DESC, id DESC`,
    [organizationId],
  );
  return rows.map((row) => ({
    ...row,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
  }));
}

export interface MadeInvitation {
  /** For whoever invites, to hand on: it cannot be shown again. Null: it went by mail, and to that address alone. */
  link: string | null;
  /** null: no mail server is configured. */
  isMailed: boolean | null;
}

/**
 * Invites somebody, in place of an earlier invitation of theirs, whose link stops working.
 * @throws AppError conflict for who is a member already, forbidden for an owner by others than owners.
 */
export async function invite(
  scope: Scope,
  {
    email,
    role,
    sight = SEES_EVERYTHING,
  }: { email: string; role: Role; sight?: StoredSight | undefined },
): Promise<MadeInvitation> {
  const { organizationId, principal } = scope;
  demandRank(scope, role);
  const token = randomBytes(32).toString("base64url");
  const id = newId("invitation");
  const name = await inTransaction(writePool(), async (client) => {
    await lockMembers(client, organizationId);
    await demandFewInvitations(client, organizationId);
    const known = await client.query<{ role: Role; isActive: boolean }>(
      `SELECT m.role, m.removed_at IS NULL AS "isActive" FROM memberships m JOIN users u ON u.id = m.user_id
       WHERE m.organization_id = $1 AND u.email = $2`,
      [organizationId, email],
    );
    if (known.rows[0]?.isActive) throw new AppError("conflict", `${email} is a member already.`);
    // Who was an owner comes back in another role: that changes an owner.
    demandRank(scope, ...known.rows.map((row) => row.role));
    const earlier = await client.query<{ role: Role }>(
      "DELETE FROM invitations WHERE organization_id = $1 AND email = $2 RETURNING role",
      [organizationId, email],
    );
    demandRank(scope, ...earlier.rows.map((row) => row.role));
    await client.query(
      `INSERT INTO invitations (organization_id, id, email, role, token_hash, created_by, expires_at, view_filter, masked_fields)
       VALUES ($1, $2, $3, $4, $5, $6, now() + $7 * interval '1 day', $8, $9)`,
      [
        organizationId,
        id,
        email,
        role,
        sha256(token),
        principal.kind === "user" ? principal.email : principal.kind,
        VALID_DAYS,
        sight.filter,
        sight.hidden,
      ],
    );
    await appendControlEvent(client, scope, {
      action: "trailseal.member_invited",
      targets: [{ type: "invitation", id, name: email }],
      metadata: { role, ...toldSight(sight) },
    });
    const { rows } = await client.query<{ name: string }>(
      "SELECT name FROM organizations WHERE id = $1",
      [organizationId],
    );
    return rows[0]?.name ?? organizationId;
  });
  const link = `${publicUrl()}/invitation?token=${token}`;
  const isMailed = await mail(email, { id, name, link, role });
  return { link: isMailed ? null : link, isMailed };
}

/** Mails go out in the operator's name. @throws AppError rate_limited */
async function demandFewInvitations(client: pg.PoolClient, organizationId: string): Promise<void> {
  const { rowCount } = await client.query(
    `SELECT 1 FROM events WHERE organization_id = $1 AND action = 'trailseal.member_invited'
       AND occurred_at > now() - interval '1 hour' LIMIT $2`,
    [organizationId, MOST_IN_AN_HOUR],
  );
  if (rowCount === MOST_IN_AN_HOUR)
    throw new AppError(
      "rate_limited",
      `${MOST_IN_AN_HOUR} people were invited within an hour. Wait, then invite more.`,
      { retryAfterS: 600 },
    );
}

/** The invitation stands whether or not its mail went out: whoever invites has the link as well. */
async function mail(
  to: string,
  { id, name, link, role }: { id: string; name: string; link: string; role: Role },
): Promise<boolean | null> {
  if (!hasMailServer()) return null;
  try {
    await sendMail({
      to,
      subject: `You are invited to ${quoted(name)}`,
      text: `You are invited to read the audit log of ${quoted(name)} on Trailseal, as ${ROLE_LABEL[role].toLowerCase()}. The link opens once, within ${VALID_DAYS} days:\n\n${link}\n\nIf you expected no invitation, do nothing.\n`,
      id,
    });
    return true;
  } catch (error) {
    log().warn({ err: error, invitation: id }, "an invitation could not be mailed");
    return false;
  }
}

/** @throws AppError not_found, and forbidden for an owner's by others than owners. */
export async function revokeInvitation(scope: Scope, id: string): Promise<void> {
  await inTransaction(writePool(), async (client) => {
    const { rows } = await client.query<{ email: string; role: Role }>(
      "DELETE FROM invitations WHERE organization_id = $1 AND id = $2 RETURNING email, role",
      [scope.organizationId, id],
    );
    const [row] = rows;
    if (!row) throw new AppError("not_found", "There is no such invitation any more.");
    demandRank(scope, row.role);
    await appendControlEvent(client, scope, {
      action: "trailseal.invitation_revoked",
      targets: [{ type: "invitation", id, name: row.email }],
      metadata: { role: row.role },
    });
  });
}

export interface OpenInvitation {
  organizationName: string;
  email: string;
  role: Role;
  /** Whether somebody signs in with this address already. */
  hasAccount: boolean;
}

/** What a link offers; null for one that is unknown, used, revoked or over. */
export async function findInvitation(token: string): Promise<OpenInvitation | null> {
  const { rows } = await readPool().query<OpenInvitation>(
    `SELECT o.name AS "organizationName", i.email, i.role,
       EXISTS (SELECT FROM users u WHERE u.email = i.email) AS "hasAccount"
     FROM invitations i JOIN organizations o ON o.id = i.organization_id AND o.deleted_at IS NULL
     WHERE i.token_hash = $1 AND i.expires_at > now()`,
    [sha256(token)],
  );
  return rows[0] ?? null;
}

const spent = () =>
  new AppError(
    "forbidden",
    "This invitation was used, revoked or is over. Ask whoever invited you for another one.",
  );

interface Spent {
  organizationId: string;
  id: string;
  email: string;
  role: Role;
  sight: StoredSight;
}

/** Whoever deletes the row has the invitation: two at once cannot both. */
async function spend(client: pg.PoolClient, token: string): Promise<Spent> {
  const found = await client.query<{ id: string }>(
    "SELECT organization_id AS id FROM invitations WHERE token_hash = $1",
    [sha256(token)],
  );
  if (!found.rows[0]) throw spent();
  await lockMembers(client, found.rows[0].id);
  const { rows } = await client.query<Spent>(
    `DELETE FROM invitations i USING organizations o
     WHERE i.token_hash = $1 AND i.expires_at > now() AND o.id = i.organization_id AND o.deleted_at IS NULL
     RETURNING i.organization_id AS "organizationId", i.id, i.email, i.role,
       jsonb_build_object('filter', i.view_filter, 'hidden', i.masked_fields) AS sight`,
    [sha256(token)],
  );
  if (!rows[0]) throw spent();
  return rows[0];
}

async function join(
  client: pg.PoolClient,
  { organizationId, id, email, role, sight }: Spent,
  userId: string,
): Promise<void> {
  const { rowCount } = await client.query(
    `INSERT INTO memberships AS known (organization_id, user_id, role, view_filter, masked_fields)
     VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (organization_id, user_id) DO UPDATE SET role = excluded.role, removed_at = NULL,
       view_filter = excluded.view_filter, masked_fields = excluded.masked_fields
     WHERE known.removed_at IS NOT NULL`,
    [organizationId, userId, role, sight.filter, sight.hidden],
  );
  if (rowCount === 0) throw new AppError("conflict", "You are a member already.");
  const principal = { kind: "user", id: userId, email, sessionId: "" } as const;
  await appendControlEvent(client, namingScope(principal, organizationId), {
    action: "trailseal.member_joined",
    targets: [
      { type: "user", id: userId, name: email },
      { type: "invitation", id },
    ],
    metadata: { role, ...toldSight(sight) },
  });
}

/**
 * Makes the signed-in user a member.
 * @returns where they begin in the organization.
 * @throws AppError forbidden when the invitation is over, or is for another address.
 */
export async function acceptInvitation(
  token: string,
  user: { id: string; email: string },
): Promise<{ home: string }> {
  return inTransaction(writePool(), async (client) => {
    const invitation = await spend(client, token);
    if (invitation.email !== user.email)
      throw new AppError(
        "forbidden",
        `This invitation is for ${invitation.email}. Sign out, and sign in with that address.`,
      );
    await join(client, invitation, user.id);
    return { home: homeOf(invitation.organizationId, invitation.role) };
  });
}

/**
 * Makes an account for the address that was invited, and a member of it.
 * @throws AppError forbidden when the invitation is over, conflict when the address has an account.
 */
export async function acceptWithNewAccount(
  token: string,
  { name, password }: { name: string; password: string },
): Promise<{ organizationId: string; email: string }> {
  if (!(await findInvitation(token))) throw spent();
  const passwordHash = await hashPassword(password);
  return inTransaction(writePool(), async (client) => {
    const invitation = await spend(client, token);
    const id = newId("user");
    const made = await client.query(
      `INSERT INTO users (id, email, name, password_hash) VALUES ($1, $2, $3, $4) ON CONFLICT (email) DO NOTHING`,
      [id, invitation.email, name, passwordHash],
    );
    if (made.rowCount === 0)
      throw new AppError(
        "conflict",
        `There is an account for ${invitation.email}. Sign in, then open the link again.`,
      );
    await join(client, invitation, id);
    return { organizationId: invitation.organizationId, email: invitation.email };
  });
}

/** Housekeeping: invitations that were over a week ago. */
export async function deleteOldInvitations(): Promise<void> {
  await writePool().query("DELETE FROM invitations WHERE expires_at < now() - interval '7 days'");
}
