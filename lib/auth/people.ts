import { z } from "zod";
import type { Permission } from "./permissions";
import { ROLE_PERMISSIONS, type Role, roles } from "./roles";

export interface Member {
  userId: string;
  name: string;
  email: string;
  role: Role;
  /** ISO 8601, UTC, like every time here. */
  since: string;
  /** Null: never signed in, or not lately. */
  lastSeenAt: string | null;
  removedAt: string | null;
  /** By an administrator of the instance: signs in nowhere. */
  isDeactivated: boolean;
}

export interface Invitation {
  id: string;
  email: string;
  role: Role;
  createdBy: string;
  createdAt: string;
  expiresAt: string;
}

export const emailSchema = z
  .string()
  .trim()
  .toLowerCase()
  .max(254, "is too long")
  .pipe(z.email("is not an e-mail address"));

export const roleSchema = z.enum(roles);

/** What a stored role permits: one that this version does not know grants nothing. */
export function permissionsOf(role: string): ReadonlySet<Permission> {
  const known = roleSchema.safeParse(role);
  return known.success ? ROLE_PERMISSIONS[known.data] : new Set();
}

export const newInvitationSchema = z.object({ email: emailSchema, role: roleSchema });

export const roleChangeSchema = z.object({ userId: z.string().max(64), role: roleSchema });
