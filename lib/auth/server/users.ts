import type pg from "pg";
import { z } from "zod";
import { inTransaction, writePool } from "@/lib/db/pool";
import { getPrisma } from "@/lib/db/prisma";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { newId } from "@/lib/ids";
import { emailSchema, roleSchema } from "../people";
import type { InstanceScope } from "../scope";
import { namingScope } from "./issue-scope";
import { lockMembers, voidInvitations } from "./members";
import { hashPassword, passwordMatches } from "./passwords";

const PASSWORD_MIN_LENGTH = 12;

export const passwordSchema = z
  .string()
  .min(PASSWORD_MIN_LENGTH, `must have at least ${PASSWORD_MIN_LENGTH} characters`)
  .max(1_000, "is too long");

export const newUserSchema = z.object({
  email: emailSchema,
  name: z.string().trim().min(1, "must not be empty").max(200, "is too long"),
  password: passwordSchema,
  /** Reaches every organization; without it, the organization to become a member of. */
  instanceAdmin: z.boolean(),
  organizationId: z.string().nullable(),
  /** In that organization. */
  role: roleSchema.optional(),
});

export type NewUser = z.infer<typeof newUserSchema>;

/** @throws AppError conflict when the e-mail is taken, not_found for an unknown organization. */
export async function createUser(
  { principal }: InstanceScope,
  user: NewUser,
): Promise<{ id: string }> {
  const passwordHash = await hashPassword(user.password);
  const { organizationId, role = "admin" } = user;
  return inTransaction(writePool(), async (client) => {
    if (organizationId !== null) await lockMembers(client, organizationId);
    const { id } = await insertUser(client, user, passwordHash);
    if (organizationId === null) return { id };
    const { rowCount } = await client.query(
      `INSERT INTO memberships (organization_id, user_id, role)
       SELECT id, $2, $3 FROM organizations WHERE id = $1 AND deleted_at IS NULL`,
      [organizationId, id, role],
    );
    if (rowCount === 0)
      throw new AppError("not_found", `Organization not found: '${organizationId}'.`);
    const scope = namingScope(principal, organizationId);
    await voidInvitations(client, scope, { email: user.email });
    await appendControlEvent(client, scope, {
      action: "trailseal.member_added",
      targets: [{ type: "user", id, name: user.email }],
      metadata: { role },
    });
    return { id };
  });
}

/**
 * Creates a user within a transaction. Only for lib/auth and lib/sso.
 * @param passwordHash null: they come through an identity provider alone
 * @throws AppError conflict when the e-mail is taken.
 */
export async function insertUser(
  client: pg.PoolClient,
  { email, name, instanceAdmin }: Pick<NewUser, "email" | "name" | "instanceAdmin">,
  passwordHash: string | null,
): Promise<{ id: string }> {
  const id = newId("user");
  const { rowCount } = await client.query(
    `INSERT INTO users (id, email, name, password_hash, instance_admin) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (email) DO NOTHING`,
    [id, email, name, passwordHash, instanceAdmin],
  );
  if (rowCount === 0)
    throw new AppError("conflict", `There is already a user with the e-mail ${email}.`);
  return { id };
}

export interface PasswordOwner {
  id: string;
  email: string;
  /** The hash that the password was held against. */
  passwordHash: string;
}

/** The user whose password this is; the answer takes as long when there is no such user. */
export async function findUserByPassword(
  email: string,
  password: string,
): Promise<PasswordOwner | null> {
  const user = await getPrisma().user.findFirst({
    where: { email, deactivatedAt: null },
    select: { id: true, email: true, passwordHash: true },
  });
  const passwordHash = user?.passwordHash ?? null;
  const isRight = await passwordMatches(password, passwordHash);
  return user && passwordHash !== null && isRight ? { ...user, passwordHash } : null;
}
