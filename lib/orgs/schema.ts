import { z } from "zod";
import { AppError } from "@/lib/errors";
import { storableText } from "@/lib/http/parse-input";

/** Organizations as the compatible API takes and gives them: contract §10. */

const MAX_METADATA_KEYS = 50;

const domainSchema = z
  .string()
  .max(253)
  .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$/i, "is no domain name")
  .transform((domain) => domain.toLowerCase());

const metadataSchema = z
  .record(
    storableText(40).min(1),
    storableText(600).refine((value) => value !== "", "must not be empty"),
  )
  .refine(
    (metadata) => Object.keys(metadata).length <= MAX_METADATA_KEYS,
    `must have at most ${MAX_METADATA_KEYS} keys`,
  );

const given = {
  domain_data: z
    .array(z.object({ domain: domainSchema, state: z.enum(["verified", "pending", "failed"]) }))
    .max(100)
    .nullish(),
  /** Deprecated form of domain_data. */
  domains: z.array(domainSchema).max(100).nullish(),
  external_id: z
    .string()
    .regex(/^[\x20-\x7e]{1,128}$/, "must be 1 to 128 ASCII characters")
    .nullish(),
  stripe_customer_id: storableText(255).nullish(),
  allow_profiles_outside_organization: z.boolean().nullish(),
  /** Judged apart: what is wrong with it is a 400. */
  metadata: z.unknown().optional(),
};

const nameSchema = storableText(200)
  .trim()
  .refine((name) => name !== "", "must not be empty");

/** Of the dashboard, the command line and our own API. */
export const newOrganizationSchema = z.object({
  name: nameSchema,
  /** Kept from another system; minted when absent. */
  id: z
    .string()
    .regex(/^org_[A-Z0-9]{26}$/, "must be org_ and 26 upper-case letters or digits")
    .optional(),
});

export type NewOrganization = z.infer<typeof newOrganizationSchema>;

export const createOrganizationSchema = z
  .object({ name: nameSchema, ...given })
  .transform(toChanges);
export const updateOrganizationSchema = z
  .object({ name: nameSchema.optional(), ...given })
  .transform(toChanges);

interface Given {
  name?: string | undefined;
  domain_data?: { domain: string; state: string }[] | null | undefined;
  domains?: string[] | null | undefined;
  external_id?: string | null | undefined;
  stripe_customer_id?: string | null | undefined;
  allow_profiles_outside_organization?: boolean | null | undefined;
  metadata?: unknown;
}

/** What a request sets; undefined: it does not speak of it. */
export interface OrganizationChanges {
  name: string | undefined;
  externalId: string | null | undefined;
  stripeCustomerId: string | null | undefined;
  allowProfilesOutsideOrganization: boolean | undefined;
  metadata: Record<string, string> | undefined;
  /** State by domain. */
  domains: Record<string, string> | undefined;
}

function toChanges(input: Given): OrganizationChanges {
  const domains =
    input.domain_data?.map(({ domain, state }) => [domain, state]) ??
    input.domains?.map((domain) => [domain, "verified"]);
  return {
    name: input.name,
    externalId: input.external_id,
    stripeCustomerId: input.stripe_customer_id,
    allowProfilesOutsideOrganization: input.allow_profiles_outside_organization ?? undefined,
    metadata: parseMetadata(input.metadata),
    domains: domains && Object.fromEntries(domains),
  };
}

function parseMetadata(metadata: unknown): Record<string, string> | undefined {
  if (metadata === undefined || metadata === null) return undefined;
  const parsed = metadataSchema.safeParse(metadata);
  if (parsed.success) return parsed.data;
  throw new AppError("invalid_request", "Invalid metadata.", {
    details: { code: "invalid_metadata" },
    errors: parsed.error.issues.map(({ path, message }) => {
      const field = ["metadata", ...path].join(".");
      return { field, code: `${field} ${message}` };
    }),
  });
}

const periods = [
  ...Array.from({ length: 11 }, (_, n) => [n === 0 ? "1_MONTH" : `${n + 1}_MONTHS`, 30 * (n + 1)]),
  ...Array.from({ length: 10 }, (_, n) => [n === 0 ? "1_YEAR" : `${n + 1}_YEARS`, 365 * (n + 1)]),
] as [string, number][];
const DAYS_OF_PERIOD = new Map(periods);
export const MAX_RETENTION_DAYS = 3_650;

/** null: for ever. */
export const retentionChoiceSchema = z.object({
  days: z.int().min(1).max(MAX_RETENTION_DAYS).nullable(),
});

/** Either dialect, or both when they agree; out come days. */
export const retentionSchema = z
  .object({
    retention_period: z
      .enum([...DAYS_OF_PERIOD.keys()], "must be 1_MONTH to 11_MONTHS or 1_YEAR to 10_YEARS")
      .nullish(),
    retention_period_in_days: z
      .int("must be a whole number of days")
      .min(1, "must be at least 1")
      .max(MAX_RETENTION_DAYS, `must be at most ${MAX_RETENTION_DAYS}`)
      .nullish(),
  })
  .transform((input, context) => {
    const ofPeriod = DAYS_OF_PERIOD.get(input.retention_period ?? "");
    const days = input.retention_period_in_days ?? ofPeriod;
    const path = ["retention_period_in_days"];
    if (days === undefined) context.addIssue({ code: "custom", path, message: "required" });
    else if (ofPeriod !== undefined && days !== ofPeriod)
      context.addIssue({ code: "custom", path, message: "contradicts retention_period" });
    return { days: days ?? 0 };
  });

export const itContactSchema = z.object({ email: z.email("must be an e-mail address").max(320) });

export const invitationSchema = z.object({
  intents: z
    .array(
      z.enum(
        ["sso", "directory_sync", "log_streams", "domain_verification", "bring_your_own_key"],
        "must be sso, directory_sync, log_streams, domain_verification or bring_your_own_key",
      ),
    )
    .min(1, "must name at least one intent"),
});
