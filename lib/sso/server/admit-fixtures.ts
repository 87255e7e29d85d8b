import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import type { TestDatabase } from "@/lib/db/test-database";
import { createOrganization } from "@/lib/orgs/server/organizations";
import type { Claims } from "../claims";
import type { ProviderChange } from "../schema";
import type { Voucher } from "./admit";
import { changeProvider, createProvider, setDomains } from "./providers";

/** An organization with an identity provider for tests, another one for each test. */

export const operator = systemInstanceScope("cli");
export const FROM = { address: "192.0.2.1", userAgent: null };

let db: TestDatabase;
export let acme: string;
export let by: Voucher;
let made = 0;

export async function begin(database: TestDatabase): Promise<void> {
  db = database;
  made += 1;
  acme = (await createOrganization(operator, { name: "Acme" })).id;
  const { id } = await createProvider(scope(), "Okta");
  by = { ...given, organizationId: acme, id };
  await change({});
  await setDomains(scope(), id, [domain()]);
}

export const scope = () => systemScope("cli", acme);

/** Whose addresses the provider speaks for. */
export const domain = () => `acme${made}.example`;

export const given: Omit<ProviderChange, "id"> = {
  name: "Okta",
  issuer: "https://login.example.com",
  clientId: "trailseal",
  clientSecret: "a client secret",
  scopes: "openid email",
  groupsClaim: "groups",
  groupRoles: [
    { group: "security", role: "admin" },
    { group: "staff", role: "viewer" },
  ],
  defaultRole: null,
  isEnabled: true,
};

export async function change(some: Partial<ProviderChange>): Promise<void> {
  await changeProvider(scope(), { ...given, id: by.id, ...some });
  by = { ...by, ...some };
}

/** Somebody at the provider, in the domain of this test. */
export const person = (name: string, more: Partial<Claims> = {}): Claims => ({
  sub: `subject ${name}`,
  email: `${name}@${domain()}`,
  groups: ["staff"],
  ...more,
});

export async function told(): Promise<Record<string, string>[]> {
  const { rows } = await db.owner.query(
    "SELECT action, metadata FROM events WHERE organization_id = $1 ORDER BY seq",
    [acme],
  );
  return rows.map(({ action, metadata }) => ({ action, ...metadata }));
}

export async function role(userId: string, organizationId = acme): Promise<string | null> {
  const { rows } = await db.owner.query(
    "SELECT role FROM memberships WHERE organization_id = $1 AND user_id = $2 AND removed_at IS NULL",
    [organizationId, userId],
  );
  return rows[0]?.role ?? null;
}
