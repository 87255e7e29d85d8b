import { z } from "zod";
import { getPrisma } from "@/lib/db/prisma";
import { AppError } from "@/lib/errors";
import type { Prisma } from "@/lib/generated/prisma/client";
import { newId } from "@/lib/ids";
import { emailSchema, roleSchema } from "../people";
import type { InstanceScope } from "../scope";
import { hashPassword, passwordMatches } from "./passwords";

export const PASSWORD_MIN_LENGTH = 12;

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
export async function createUser(_scope: InstanceScope, user: NewUser): Promise<{ id: string }> {
  const passwordHash = await hashPassword(user.password);
  return getPrisma().$transaction((tx) => insertUser(tx, user, passwordHash));
}

/**
 * Creates a user within a transaction. Only for lib/auth.
 * @throws AppError as createUser does.
 */
export async function insertUser(
  tx: Prisma.TransactionClient,
  { email, name, instanceAdmin, organizationId, role = "admin" }: Omit<NewUser, "password">,
  passwordHash: string,
): Promise<{ id: string }> {
  const id = newId("user");
  if (await tx.user.findUnique({ where: { email } })) {
    throw new AppError("conflict", `There is already a user with the e-mail ${email}.`);
  }
  await tx.user.create({ data: { id, email, name, passwordHash, instanceAdmin } });
  if (organizationId === null) return { id };
  const organization = await tx.organization.findFirst({
    where: { id: organizationId, deletedAt: null },
  });
  if (!organization)
    throw new AppError("not_found", `Organization not found: '${organizationId}'.`);
  await tx.membership.create({ data: { organizationId, userId: id, role } });
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
  return (await passwordMatches(password, user?.passwordHash ?? null)) ? user : null;
}
