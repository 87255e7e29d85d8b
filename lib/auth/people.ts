import { z } from "zod";
import { describeDiagnostics } from "@/lib/events/filter/ast";
import { parseFilter } from "@/lib/events/filter/parse";
import { serializeFilter } from "@/lib/events/filter/serialize";
import { hideables, type StoredSight, seesEverything } from "@/lib/events/sight";
import type { Permission } from "./permissions";
import { ROLE_PERMISSIONS, type Role, roles } from "./roles";

export interface Member {
  userId: string;
  name: string;
  email: string;
  role: Role;
  /** Of a viewer; of everybody else everything. */
  sight: StoredSight;
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
  sight: StoredSight;
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

/**
 * Where somebody begins: with the organization's events, else with its overview.
 * @param role null: an administrator of the instance
 */
export function homeOf(organizationId: string, role: string | null): string {
  const readsEvents = role === null || permissionsOf(role).has("events:read");
  return `/o/${organizationId}${readsEvents ? "/events" : ""}`;
}

const filterSchema = z.string().transform((text, context) => {
  const parsed = parseFilter(text);
  if (parsed.ok) return serializeFilter(parsed.filter) || null;
  context.addIssue({ code: "custom", message: describeDiagnostics(parsed.diagnostics) });
  return z.NEVER;
});

/** What a viewer sees; a filter without clauses is none. */
const sightSchema = z.object({
  filter: filterSchema.nullable(),
  hidden: z
    .array(z.enum(hideables))
    .transform((names) => hideables.filter((name) => names.includes(name))),
});

export const newInvitationSchema = z
  .object({ email: emailSchema, role: roleSchema, sight: sightSchema.optional() })
  .refine(({ role, sight }) => role === "viewer" || !sight || seesEverything(sight), {
    path: ["sight"],
    error: "is for viewers: every other role sees all events",
  });

export const sightChangeSchema = z.object({ userId: z.string().max(64), sight: sightSchema });

export const roleChangeSchema = z.object({ userId: z.string().max(64), role: roleSchema });
