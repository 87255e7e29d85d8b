import { z } from "zod";
import type { Role } from "@/lib/auth/roles";
import { storableText } from "@/lib/http/parse-input";
import type { GroupRoles } from "./schema";

/** What a provider says of somebody; of the rest of a token, groups are looked up by name. */
export const claimsSchema = z.looseObject({
  /** OpenID Connect Core §2: ASCII, at most 255 characters. */
  sub: z.string().regex(/^[\x20-\x7e]{1,255}$/),
  email: z.string().optional().catch(undefined),
  /** Some send it as a text. */
  email_verified: z
    .union([z.boolean(), z.enum(["true", "false"])])
    .optional()
    .catch(false),
  name: storableText(1_000).optional().catch(undefined),
});

export type Claims = z.infer<typeof claimsSchema>;

/** A claim by its name, or by the way to it where it has dots in it (`realm_access.roles`). */
export function claimAt(claims: Record<string, unknown>, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  return name
    .split(".")
    .reduce<unknown>(
      (value, part) =>
        typeof value === "object" && value !== null && Object.hasOwn(value, part)
          ? (value as Record<string, unknown>)[part]
          : undefined,
      claims,
    );
}

/**
 * The groups that somebody is in. A claim that is not there is none: some providers leave an empty one out.
 * @returns null where the provider says that it left them out for their number (OpenID Connect Core §5.6.2)
 */
export function groupsOf(claims: Record<string, unknown>, name: string): string[] | null {
  const value = claimAt(claims, name);
  if (Array.isArray(value)) return value.filter((group) => typeof group === "string");
  if (typeof value === "string") return [value];
  const elsewhere = claims._claim_names;
  const isElsewhere =
    typeof elsewhere === "object" && elsewhere !== null && Object.hasOwn(elsewhere, name);
  return isElsewhere ? null : [];
}

/** The role of the first row with one of these groups. */
export const roleByGroups = (rows: GroupRoles, groups: readonly string[]): Role | null =>
  rows.find(({ group }) => groups.includes(group))?.role ?? null;
