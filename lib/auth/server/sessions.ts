import type pg from "pg";
import { readPool, writePool } from "@/lib/db/pool";
import { getPrisma } from "@/lib/db/prisma";
import { getEnv } from "@/lib/env";
import { deviceWords } from "@/lib/events/device";
import { newId } from "@/lib/ids";
import type { OpenSession } from "../account";
import type { Client } from "./account-events";

/** How stale last_seen_at may be: a write on every request would be waste. */
const SEEN_STEP_MS = 60_000;
/** Whoever asks who was signed in last week is answered. */
const KEPT = "7 days";

/** How long a session lasts: without a request, and in any case. */
export function sessionLimits(): { idleMs: number; maxMs: number } {
  const { TRAILSEAL_SESSION_IDLE_MINUTES: idle, TRAILSEAL_SESSION_MAX_HOURS: max } = getEnv();
  return { idleMs: idle * 60_000, maxMs: max * 3_600_000 };
}

export interface SessionUser {
  sessionId: string;
  id: string;
  email: string;
  name: string;
  /** Never through a provider: whoever runs it would administer the instance. */
  instanceAdmin: boolean;
  /** The organization whose provider they came through; null: with a password. */
  ssoOrganizationId: string | null;
}

/** The identity provider that vouched for somebody. */
export interface Voucher {
  organizationId: string;
  id: string;
}

/** @param by null: a password. @returns the new session's id. */
export async function openSession(
  userId: string,
  from: Client,
  client: Pick<pg.PoolClient, "query"> = writePool(),
  by: Voucher | null = null,
): Promise<string> {
  const id = newId("session");
  await client.query(
    `INSERT INTO sessions (id, user_id, client_address, user_agent, expires_at, method, sso_organization_id, provider_id)
     VALUES ($1, $2, $3, $4, now() + $5 * interval '1 millisecond', $6, $7, $8)`,
    [
      ...[id, userId, from.address, from.userAgent?.slice(0, 500) ?? null, sessionLimits().maxMs],
      ...[by ? "oidc" : "password", by?.organizationId ?? null, by?.id ?? null],
    ],
  );
  return id;
}

/**
 * The user of a session that is neither revoked, expired nor idle for too long, and not deactivated.
 * @param isUse whether somebody asks for something; a page that goes on by itself does not
 */
export async function findSession(
  sessionId: string,
  { isUse = true }: { isUse?: boolean } = {},
): Promise<SessionUser | null> {
  const prisma = getPrisma();
  const session = await prisma.session.findUnique({ where: { id: sessionId } });
  const now = Date.now();
  const { idleMs, maxMs } = sessionLimits();
  if (!session || session.revokedAt || session.expiresAt.getTime() <= now) return null;
  if (session.createdAt.getTime() <= now - maxMs) return null;
  if (session.lastSeenAt.getTime() < now - idleMs) return null;
  const user = await prisma.user.findUnique({ where: { id: session.userId } });
  if (!user || user.deactivatedAt) return null;
  if (isUse && session.lastSeenAt.getTime() < now - SEEN_STEP_MS) {
    await prisma.session.update({ where: { id: sessionId }, data: { lastSeenAt: new Date() } });
  }
  return {
    sessionId,
    id: user.id,
    email: user.email,
    name: user.name,
    instanceAdmin: user.instanceAdmin && session.providerId === null,
    ssoOrganizationId: session.ssoOrganizationId,
  };
}

export async function revokeSession(sessionId: string): Promise<void> {
  await getPrisma().session.updateMany({
    where: { id: sessionId, revokedAt: null },
    data: { revokedAt: new Date() },
  });
}

/** Whether a session that nobody revoked still lasts; $2 and $3 are the limits in milliseconds. */
const LASTS = `expires_at > now() AND created_at > now() - $3 * interval '1 millisecond'
  AND last_seen_at >= now() - $2 * interval '1 millisecond'`;

/** The open sessions of who asks, the one used last first. */
export async function listSessions(user: SessionUser): Promise<OpenSession[]> {
  const { idleMs, maxMs } = sessionLimits();
  const { rows } = await readPool().query(
    `SELECT id, client_address AS address, user_agent AS agent, created_at AS created, last_seen_at AS seen,
       (SELECT name FROM identity_providers p WHERE p.organization_id = s.sso_organization_id AND p.id = s.provider_id)
         AS provider
     FROM sessions s WHERE user_id = $1 AND revoked_at IS NULL AND ${LASTS} ORDER BY id = $4 DESC, last_seen_at DESC, id DESC`,
    [user.id, idleMs, maxMs, user.sessionId],
  );
  return rows.map(({ id, address, agent, created, seen, provider }) => ({
    id,
    isCurrent: id === user.sessionId,
    clientAddress: address,
    device: agent && deviceWords(agent),
    provider,
    createdAt: created.toISOString(),
    lastSeenAt: seen.toISOString(),
  }));
}

/**
 * Ends sessions of a user: all, all but one, or one.
 * @returns how many of them were open.
 */
export async function endSessions(
  client: pg.PoolClient,
  userId: string,
  { except = null, only = null }: { except?: string | null; only?: string | null } = {},
): Promise<number> {
  const { idleMs, maxMs } = sessionLimits();
  // Those that are over by a limit as well: a setting may be raised again.
  const { rows } = await client.query<{ lasted: boolean }>(
    `UPDATE sessions SET revoked_at = now() WHERE user_id = $1 AND revoked_at IS NULL
       AND id IS DISTINCT FROM $4::text AND ($5::text IS NULL OR id = $5) RETURNING ${LASTS} AS lasted`,
    [userId, idleMs, maxMs, except, only],
  );
  return rows.filter(({ lasted }) => lasted).length;
}

/**
 * Ends sessions through an organization's providers.
 * @param which through one of them, of one user, or those of users whose address their provider does not speak for
 * @returns how many of them were open.
 */
export async function endSessionsThrough(
  client: pg.PoolClient,
  organizationId: string,
  which: { provider: string } | { userId: string } | "unspoken",
): Promise<number> {
  const { idleMs, maxMs } = sessionLimits();
  const [condition, values] =
    which === "unspoken"
      ? [
          `NOT EXISTS (SELECT FROM users u JOIN identity_domains d ON d.domain = substring(u.email FROM '[^@]*$')
             WHERE u.id = s.user_id AND d.organization_id = s.sso_organization_id AND d.provider_id = s.provider_id)`,
          [],
        ]
      : "provider" in which
        ? ["provider_id = $4", [which.provider]]
        : ["user_id = $4", [which.userId]];
  const { rows } = await client.query<{ lasted: boolean }>(
    `UPDATE sessions s SET revoked_at = now()
     WHERE sso_organization_id = $1 AND revoked_at IS NULL AND ${condition} RETURNING ${LASTS} AS lasted`,
    [organizationId, idleMs, maxMs, ...values],
  );
  return rows.filter(({ lasted }) => lasted).length;
}

/** Housekeeping: sessions that ended a week ago, by expiry, revocation or idleness. */
export async function deleteOldSessions(): Promise<void> {
  await writePool().query(
    `DELETE FROM sessions WHERE least(expires_at, revoked_at, last_seen_at + $2 * interval '1 millisecond')
       < now() - $1::interval`,
    [KEPT, sessionLimits().idleMs],
  );
}
