import type { APIRequestContext } from "@playwright/test";
import { permissions } from "../../lib/auth/permissions";
import { ROLE_PERMISSIONS, type Role, roles } from "../../lib/auth/roles";
import { PORTAL_PERMISSIONS } from "../../lib/portal/places";
import { portalIntents } from "../../lib/portal/schema";
import { expect } from "../fixtures";
import { newPortalLink } from "../fixtures/portal";
import { ADMIN } from "../global-setup";
import type { TestServer } from "../server";
import type { Grant } from "./places";
import type { Tenant } from "./tenant";
import { asOwner, createMember, type Playwright, visit } from "./visitor";

const NOBODY: Grant = {
  permissions: null,
  hasAccount: false,
  hasSession: false,
  isAdministrator: false,
};
const account = (granted: Grant["permissions"], isAdministrator = false): Grant => ({
  permissions: granted,
  hasAccount: true,
  hasSession: true,
  isAdministrator,
});

type Come = (
  playwright: Playwright,
  server: TestServer,
  tenant: Tenant,
) => Promise<APIRequestContext>;

/** Signed in once, with every permission, and then made somebody who must not come in. */
const after =
  (change: string): Come =>
  async (playwright, server, { organization }) => {
    const member = await createMember(server, organization, "owner");
    const request = await visit(playwright, server, member);
    expect((await request.get(`/o/${organization}/settings/keys`)).status()).toBe(200);
    expect(await asOwner(server, change, [member.id])).toBe(1);
    return request;
  };

const forged: Come = async (playwright, server, tenant) => {
  const member = await createMember(server, tenant.organization, "owner");
  const { cookies } = await (await visit(playwright, server, member)).storageState();
  const changed = cookies.map((cookie) =>
    cookie.name.includes("session-token")
      ? { ...cookie, value: `${cookie.value.slice(0, -4)}AAAA` }
      : cookie,
  );
  const storageState = { cookies: changed, origins: [] };
  return playwright.request.newContext({ baseURL: server.url, storageState });
};

const stranger: Come = async (playwright, server) => {
  const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Elsewhere");
  const request = await visit(playwright, server, await createMember(server, id, "owner"));
  expect((await request.get(`/o/${id}/settings/keys`)).status()).toBe(200);
  return request;
};

const member =
  (role: Role): Come =>
  async (playwright, server, { organization }) =>
    visit(playwright, server, await createMember(server, organization, role));

const throughPortal =
  (intent?: string): Come =>
  async (playwright, server, { organization }) => {
    const request = await visit(playwright, server);
    await request.get(await newPortalLink(server, organization, intent), { maxRedirects: 0 });
    return request;
  };

const required =
  (isRequired: boolean) =>
  (server: TestServer, { organization }: Tenant): Promise<number> => {
    const sql = "UPDATE organizations SET sso_required = $2 WHERE id = $1";
    return asOwner(server, sql, [organization, isRequired]);
  };

/** With a password, where single sign-on has become required. */
const withPassword: Come = async (playwright, server, tenant) => {
  const request = await member("owner")(playwright, server, tenant);
  await required(true)(server, tenant);
  return request;
};

interface Arrival {
  grant: Grant;
  come: Come;
  /** Takes back what was changed of the tenant for them. */
  leave?: (server: TestServer, tenant: Tenant) => Promise<unknown>;
}

/** Everybody who may come with a cookie or without one. */
export const VISITORS: Record<string, Arrival> = {
  nobody: { grant: NOBODY, come: (playwright, server) => visit(playwright, server) },
  "an expired session": {
    grant: NOBODY,
    come: after("UPDATE sessions SET expires_at = now() WHERE user_id = $1"),
  },
  "an idle session": {
    grant: NOBODY,
    come: after("UPDATE sessions SET last_seen_at = now() - interval '8 days' WHERE user_id = $1"),
  },
  "a revoked session": {
    grant: NOBODY,
    come: after("UPDATE sessions SET revoked_at = now() WHERE user_id = $1"),
  },
  "a deactivated member": {
    grant: NOBODY,
    come: after("UPDATE users SET deactivated_at = now() WHERE id = $1"),
  },
  "a forged cookie": { grant: NOBODY, come: forged },
  "an API key instead of a cookie": {
    grant: NOBODY,
    come: (playwright, server, { secret }) =>
      playwright.request.newContext({
        baseURL: server.url,
        extraHTTPHeaders: { authorization: `Bearer ${secret}` },
      }),
  },
  "a removed member": {
    grant: account(null),
    come: after("UPDATE memberships SET removed_at = now() WHERE user_id = $1"),
  },
  "an owner of another organization": { grant: account(null), come: stranger },
  "an owner who asks for an organization that is none": {
    grant: account(null),
    come: member("owner"),
  },
  ...Object.fromEntries(
    roles.map((role) => [
      `role ${role}`,
      { grant: account(ROLE_PERMISSIONS[role]), come: member(role) },
    ]),
  ),
  "a password where single sign-on is required": {
    grant: { ...NOBODY, hasAccount: true },
    come: withPassword,
    leave: required(false),
  },
  "an administrator of the instance": {
    grant: account(new Set(permissions), true),
    come: (playwright, server) => visit(playwright, server, ADMIN),
  },
  ...Object.fromEntries(
    portalIntents.map((intent) => [
      `portal ${intent}`,
      {
        grant: { ...NOBODY, hasSession: true, permissions: new Set(PORTAL_PERMISSIONS[intent]) },
        come: throughPortal(intent),
      },
    ]),
  ),
  "portal of another organization": {
    grant: { ...NOBODY, hasSession: true },
    come: async (playwright, server) => {
      const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Elsewhere");
      const request = await visit(playwright, server);
      await request.get(await newPortalLink(server, id), { maxRedirects: 0 });
      return request;
    },
  },
};
