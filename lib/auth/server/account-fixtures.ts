import type { TestDatabase } from "@/lib/db/test-database";
import { newId } from "@/lib/ids";
import { confirmSecondFactor, startSecondFactor } from "./account";
import { hashPassword } from "./passwords";
import { findSession, openSession, type SessionUser } from "./sessions";
import { appCode } from "./test-app";

export const PASSWORD = "correct horse battery";

let made = 0;
/** Made once: it is costly on purpose. */
let hash: Promise<string> | undefined;

/** A user with an open session; a member of these organizations, else an administrator of the instance. */
export async function somebody(db: TestDatabase, ...organizations: string[]): Promise<SessionUser> {
  made += 1;
  const id = newId("user");
  hash ??= hashPassword(PASSWORD);
  await db.owner.query(
    "INSERT INTO users (id, email, name, password_hash, instance_admin) VALUES ($1, $2, 'Somebody', $3, $4)",
    [id, `somebody${made}@example.com`, await hash, organizations.length === 0],
  );
  for (const organizationId of organizations)
    await db.owner.query(
      "INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, 'viewer')",
      [organizationId, id],
    );
  const session = await openSession(id, { address: "192.0.2.1", userAgent: null });
  return (await findSession(session)) as SessionUser;
}

let lastAddress = 0;
/** Documentation addresses, a new one each time, so that tests do not throttle each other. */
export function freshClient() {
  lastAddress += 1;
  const address = `198.51.${100 + Math.floor(lastAddress / 250)}.${lastAddress % 250}`;
  return { address, userAgent: "test" };
}

/** As if somebody had tried before: makes every bucket that has counted anything count this many. */
export const countFailures = (db: TestDatabase, failures: number) =>
  db.owner.query("UPDATE sign_in_attempts SET failures = $1 WHERE bucket LIKE 'email:%'", [
    failures,
  ]);

/** Turns a second factor on, with the code before the present one, which leaves the present one. */
export async function enrol(user: SessionUser): Promise<{ secret: string; recovery: string[] }> {
  const { secret } = await startSecondFactor(user, { password: PASSWORD });
  return { secret, recovery: await confirmSecondFactor(user, appCode(secret, -1)) };
}

export async function eventsOf(db: TestDatabase, organizationId: string) {
  const { rows } = await db.owner.query(
    "SELECT action, actor, targets, context, metadata FROM events WHERE organization_id = $1 ORDER BY seq",
    [organizationId],
  );
  return rows;
}
