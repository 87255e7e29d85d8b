import { z } from "zod";
import { roleSchema } from "@/lib/auth/people";
import type { Role } from "@/lib/auth/roles";
import { storableText } from "@/lib/http/parse-input";

/** An organization's identity providers, as their page shows and takes them. */

const line = (maxLength: number) => storableText(maxLength).trim().min(1, "must not be empty");

const groupRolesSchema = z
  .array(z.object({ group: line(500), role: roleSchema }))
  .max(200, "has more than 200 rows");

export type GroupRoles = z.infer<typeof groupRolesSchema>;

/** As the provider itself spells it: tokens are held against it letter by letter. */
export const issuerSchema = storableText(1_000)
  .trim()
  .pipe(z.url({ protocol: /^https?$/, error: "is not an address like https://login.example.com" }))
  .refine((issuer) => !/[?#]/.test(issuer), { error: "has no ? or # in it" });

const idSchema = z.string().max(64);

export const newProviderSchema = z.object({ name: line(100) });

export const providerChangeSchema = z.object({
  id: idSchema,
  name: line(100),
  issuer: issuerSchema,
  clientId: line(500),
  /** Empty: the one that is stored stays. */
  clientSecret: storableText(2_000).trim(),
  scopes: line(500).refine((scopes) => scopes.split(/\s+/).includes("openid"), {
    error: "must have openid among them",
  }),
  groupsClaim: line(200),
  groupRoles: groupRolesSchema,
  defaultRole: roleSchema.nullable(),
  isEnabled: z.boolean(),
});

export type ProviderChange = z.infer<typeof providerChangeSchema>;

export const providerIdSchema = z.object({ id: idSchema });

export const requirementSchema = z.object({ isRequired: z.boolean() });

const domainSchema = z
  .string()
  .trim()
  .toLowerCase()
  .max(253, "is too long")
  .regex(
    /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/,
    "is no domain name like example.com",
  );

export const domainsSchema = z.object({
  id: idSchema,
  domains: z.array(domainSchema).max(100, "are more than 100"),
});

export interface Provider {
  id: string;
  name: string;
  issuer: string;
  clientId: string;
  hasSecret: boolean;
  scopes: string;
  groupsClaim: string;
  groupRoles: GroupRoles;
  defaultRole: Role | null;
  isEnabled: boolean;
  /** ISO 8601; null: nobody came in through it yet. */
  provenAt: string | null;
  domains: string[];
  /** Where it sends people back to. */
  redirectUri: string;
}

export interface SingleSignOn {
  /** Members who do not administer the instance come in no other way. */
  isRequired: boolean;
  providers: Provider[];
}

/** What looking at an issuer found. */
export interface IssuerReport {
  ok: boolean;
  /** What is wrong and what to do, or what it says of itself. */
  words: string;
}

/** A provider that an address is sent to. */
export interface Route {
  id: string;
  name: string;
}
