import { randomBytes, timingSafeEqual } from "node:crypto";
import { sha256 } from "@/lib/chain/sha256";
import { inTransaction, writePool } from "@/lib/db/pool";
import { getPrisma } from "@/lib/db/prisma";
import { type Env, getEnv } from "@/lib/env";
import { AppError } from "@/lib/errors";
import { hashPassword } from "./passwords";
import { systemInstanceScope } from "./system-scope";
import { createUser, insertUser } from "./users";

const SETTING = "setup_token_hash";

/** Whether set-up is over. */
export async function hasUsers(): Promise<boolean> {
  return (await getPrisma().user.findFirst({ select: { id: true } })) !== null;
}

/**
 * A fresh one-time token for the page that creates the first administrator; earlier ones stop working.
 * @returns null once there is a user.
 */
export async function mintSetupToken(): Promise<string | null> {
  if (await hasUsers()) return null;
  const token = randomBytes(24).toString("base64url");
  const value = sha256(token).toString("hex");
  await getPrisma().setting.upsert({
    where: { key: SETTING },
    create: { key: SETTING, value },
    update: { value },
  });
  return token;
}

export async function isSetupToken(token: string): Promise<boolean> {
  const setting = await getPrisma().setting.findUnique({ where: { key: SETTING } });
  if (typeof setting?.value !== "string" || (await hasUsers())) return false;
  return timingSafeEqual(Buffer.from(setting.value, "hex"), sha256(token));
}

/**
 * Creates the first administrator and spends the token.
 * @throws AppError forbidden when the token is wrong, spent, or there is a user by now.
 */
export async function createFirstAdministrator(
  token: string,
  user: { email: string; name: string; password: string },
): Promise<void> {
  const refused = new AppError(
    "forbidden",
    "This set-up link is spent or was replaced by a newer one. Start Trailseal again to get another, or sign in.",
  );
  if (!(await isSetupToken(token))) throw refused;
  const passwordHash = await hashPassword(user.password);
  await inTransaction(writePool(), async (client) => {
    // Whoever deletes the setting has spent the token: two at once cannot both.
    const spent = await client.query(
      "DELETE FROM settings WHERE key = $1 AND value = to_jsonb($2::text)",
      [SETTING, sha256(token).toString("hex")],
    );
    const known = await client.query("SELECT 1 FROM users LIMIT 1");
    if (spent.rowCount !== 1 || known.rowCount !== 0) throw refused;
    await insertUser(client, { ...user, instanceAdmin: true }, passwordHash);
  });
}

/** TRAILSEAL_ADMIN_EMAIL and TRAILSEAL_ADMIN_PASSWORD make the first administrator; later starts change nothing. */
export async function ensureAdminFromEnv(env: Env = getEnv()): Promise<void> {
  const { TRAILSEAL_ADMIN_EMAIL: email, TRAILSEAL_ADMIN_PASSWORD: password } = env;
  if (!email || !password || (await hasUsers())) return;
  const user = { email: email.toLowerCase(), name: "Administrator", password };
  await createUser(systemInstanceScope("worker"), {
    ...user,
    instanceAdmin: true,
    organizationId: null,
  });
}
