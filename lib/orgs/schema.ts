import { z } from "zod";

/** Organizations and their retention as the compatible API takes and gives them (contract §9, §10). */

const MAX_METADATA_KEYS = 50;

const domainSchema = z
  .string()
  .trim()
  .toLowerCase()
  .regex(
    /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
    "must be a domain name",
  );

const detailShape = {
  name: z.string().trim().min(1, "must not be empty").max(200, "is too long"),
  external_id: z
    .string()
    .min(1, "must not be empty")
    .max(128, "must be at most 128 characters")
    .regex(/^[\x20-\x7e]+$/, "must be ASCII")
    .nullish(),
  metadata: z
    .record(
      z.string().min(1).max(40, "must have names of at most 40 characters"),
      z.string().max(600, "must be at most 600 characters").nullable(),
    )
    .refine((metadata) => Object.keys(metadata).length <= MAX_METADATA_KEYS, {
      error: `must have at most ${MAX_METADATA_KEYS} keys`,
    })
    .nullish(),
  domain_data: z
    .array(
      z.object({ domain: domainSchema, state: z.enum(["pending", "verified"]).default("pending") }),
    )
    .max(50, "must name at most 50")
    .nullish(),
  /** Deprecated by the vendor; older SDKs send it. */
  domains: z.array(domainSchema).max(50, "must name at most 50").nullish(),
};

export const newOrganizationBody = z.object(detailShape);
export const organizationChanges = z.object({ ...detailShape, name: detailShape.name.optional() });

export interface Domain {
  object: "organization_domain";
  id: string;
  domain: string;
  state: "pending" | "verified";
}

export interface OrganizationDetails {
  id: string;
  name: string;
  externalId: string | null;
  metadata: Record<string, string>;
  domains: Domain[];
  /** null: kept for ever. */
  retentionDays: number | null;
  createdAt: string;
  updatedAt: string;
}

export function toWireOrganization(organization: OrganizationDetails) {
  const { id, name, externalId, metadata, domains, createdAt, updatedAt } = organization;
  return {
    object: "organization",
    id,
    name,
    domains: domains.map((domain) => ({ ...domain, organization_id: id })),
    metadata,
    external_id: externalId,
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

const PERIODS: Record<string, number> = {
  "1_MONTH": 30,
  ...Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`${n + 2}_MONTHS`, (n + 2) * 30])),
  "1_YEAR": 365,
  ...Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`${n + 2}_YEARS`, (n + 2) * 365])),
};

/** Both dialects at once; days are the result. */
export const retentionBody = z
  .object({
    retention_period: z
      .string()
      .refine((period) => Object.hasOwn(PERIODS, period), {
        error: "must be 1_MONTH to 11_MONTHS or 1_YEAR to 10_YEARS",
      })
      .nullish(),
    retention_period_in_days: z.number().int().min(1).max(36_500).nullish(),
  })
  .transform(({ retention_period: period, retention_period_in_days: days }, context) => {
    const named = period ? (PERIODS[period] as number) : null;
    if (named === null && days == null) {
      context.addIssue({ code: "custom", path: ["retention_period_in_days"], message: "required" });
      return z.NEVER;
    }
    if (named !== null && days != null && named !== days) {
      const message = `must agree with retention_period, which is ${named} days`;
      context.addIssue({ code: "custom", path: ["retention_period_in_days"], message });
      return z.NEVER;
    }
    return (days ?? named) as number;
  });
