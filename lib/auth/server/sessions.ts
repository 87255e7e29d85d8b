import { writePool } from "@/lib/db/pool";
import { getPrisma } from "@/lib/db/prisma";
import { newId } from "@/lib/ids";

const ABSOLUTE_MS = 30 * 86_400_000;
const IDLE_MS = 7 * 86_400_000;
/** How stale last_seen_at may be: a write on every request would be waste. */
const SEEN_STEP_MS = 60_000;
/** Whoever asks who was signed in last week is answered. */
const KEPT = "7 days";

export const SESSION_MAX_AGE_S = ABSOLUTE_MS / 1_000;

export interface SessionUser {
  sessionId: string;
  id: string;
  email: string;
  name: string;
  instanceAdmin: boolean;
}

/** @returns the new session's id. */
export async function openSession(
  userId: string,
  clientAddress: string,
  userAgent: string | null,
): Promise<string> {
  const id = newId("session");
  await getPrisma().session.create({
    data: {
      id,
      userId,
      clientAddress,
      userAgent: userAgent?.slice(0, 500) ?? null,
      expiresAt: new Date(Date.now() + ABSOLUTE_MS),
    },
  });
  return id;
}

/** The user of a session that is neither revoked, expired nor idle for too long, and not deactivated. */
export async function findSession(sessionId: string): Promise<SessionUser | null> {
  const prisma = getPrisma();
  const session = await prisma.session.findUnique({ where: { id: sessionId } });
  const now = Date.now();
  if (!session || session.revokedAt || session.expiresAt.getTime() <= now) return null;
  if (session.lastSeenAt.getTime() < now - IDLE_MS) return null;
  const user = await prisma.user.findUnique({ where: { id: session.userId } });
  if (!user || user.deactivatedAt) return null;
  if (session.lastSeenAt.getTime() < now - SEEN_STEP_MS) {
    await prisma.session.update({ where: { id: sessionId }, data: { lastSeenAt: new Date() } });
  }
  return {
    sessionId,
    id: user.id,
    email: user.email,
    name: user.name,
    instanceAdmin: user.instanceAdmin,
  };
}

export async function revokeSession(sessionId: string): Promise<void> {
  await getPrisma().session.updateMany({
    where: { id: sessionId, revokedAt: null },
    data: { revokedAt: new Date() },
  });
}

/** Housekeeping: sessions that ended a week ago, by expiry, revocation or idleness. */
export async function deleteOldSessions(): Promise<void> {
  await writePool().query(
    `DELETE FROM sessions WHERE least(expires_at, revoked_at, last_seen_at + $2 * interval '1 millisecond')
       < now() - $1::interval`,
    [KEPT, IDLE_MS],
  );
}
