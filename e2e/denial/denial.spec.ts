import type { APIRequestContext } from "@playwright/test";
import { access } from "../../lib/auth/access";
import { expect, test } from "../fixtures";
import type { TestServer } from "../server";
import { accessKeyOf, actions, callAction, expectSilence, fill, is, keyOf, routes } from "./places";
import { asOwner, createMember, visit } from "./visitor";

type Visitor =
  | "nobody"
  | "expired"
  | "revoked"
  | "deactivated"
  | "forged"
  | "stranger"
  | "unknown organization";

/** Signed in once, or never; each for a reason that must keep them out of the organization. */
async function comeAs(
  visitor: Visitor,
  fixtures: { playwright: Parameters<typeof visit>[0]; server: TestServer; organizationId: string },
): Promise<{ request: APIRequestContext; organizationId: string }> {
  const { playwright, server, organizationId } = fixtures;
  if (visitor === "nobody") return { request: await visit(playwright, server), organizationId };
  if (visitor === "stranger" || visitor === "unknown organization") {
    const own = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Elsewhere");
    const request = await visit(playwright, server, await createMember(server, own.id));
    expect((await request.get(`/o/${own.id}/settings/keys`)).status()).toBe(200);
    const target = visitor === "stranger" ? organizationId : "org_01JZ8Q4M7N2V5X9C3B6T0R1KDH";
    return { request, organizationId: target };
  }
  const member = await createMember(server, organizationId);
  const request = await visit(playwright, server, member);
  expect((await request.get(`/o/${organizationId}/settings/keys`)).status()).toBe(200);
  if (visitor === "forged") {
    const { cookies } = await request.storageState();
    const forged = cookies.map((cookie) =>
      cookie.name.includes("session-token")
        ? { ...cookie, value: `${cookie.value.slice(0, -4)}AAAA` }
        : cookie,
    );
    const storageState = { cookies: forged, origins: [] };
    const context = { baseURL: server.url, storageState };
    return { request: await playwright.request.newContext(context), organizationId };
  }
  const change = {
    expired: "UPDATE sessions SET expires_at = now() WHERE user_id = $1",
    revoked: "UPDATE sessions SET revoked_at = now() WHERE user_id = $1",
    deactivated: "UPDATE users SET deactivated_at = now() WHERE id = $1",
  }[visitor];
  expect(await asOwner(server, change, [member.id])).toBe(1);
  return { request, organizationId };
}

const reachesNobody: Visitor[] = ["nobody", "expired", "revoked", "deactivated", "forged"];
const reachesOthers: Visitor[] = ["stranger", "unknown organization"];

test("every page, handler and action that Next serves is declared", () => {
  expect(routes.length).toBeGreaterThan(5);
  expect(actions.length).toBeGreaterThan(5);
  const declared = Object.keys(access);
  const served = [...routes.map(keyOf), ...actions.map(([, action]) => accessKeyOf(action))];
  expect(served.filter((key) => !declared.includes(key))).toEqual([]);
});

for (const visitor of [...reachesNobody, ...reachesOthers]) {
  const isSignedIn = reachesOthers.includes(visitor);

  test(`${visitor}: no page and no handler opens`, async ({ playwright, server, organization }) => {
    const fixtures = { playwright, server, organizationId: organization.id };
    const { request, organizationId } = await comeAs(visitor, fixtures);
    for (const route of routes) {
      const key = keyOf(route);
      const isMine = is("organization")(key) || (is("session")(key) && !isSignedIn);
      if (!isMine) continue;
      const response = await request.get(fill(route[1], organizationId), { maxRedirects: 0 });
      if (isSignedIn) {
        expect(response.status(), key).toBe(404);
      } else if (key.startsWith("page:")) {
        expect(response.status(), key).toBe(307);
        expect(response.headers().location, key).toMatch(/\/sign-in$/);
      } else {
        expect(response.status(), key).toBe(401);
        expect(await response.json(), key).toMatchObject({ code: "unauthorized" });
      }
      await expectSilence(response, key);
    }
  });

  test(`${visitor}: no action does anything`, async ({ playwright, server, organization }) => {
    const fixtures = { playwright, server, organizationId: organization.id };
    const { request, organizationId } = await comeAs(visitor, fixtures);
    for (const action of actions) {
      const key = accessKeyOf(action[1]);
      const what = `${action[1].exportedName} (${key})`;
      if (is("public")(key) || is("session")(key)) continue;
      const response = await callAction(request, action, organizationId);
      const inOrganization = is("organization")(key) ? "not_found" : "forbidden";
      const code = isSignedIn ? inOrganization : "unauthorized";
      expect(await response.text(), what).toContain(`"ok":false,"code":"${code}"`);
      await expectSilence(response, what);
    }
  });
}

/** What the client router sends when it has an organization's layout already and wants a page only. */
function pageOnlyHeaders(organizationId: string): Record<string, string> {
  const leaf = ["elsewhere", { children: ["__PAGE__", {}, null, null, 0] }, null, null, 0];
  const org = [["org", organizationId, "d", null], { children: leaf }, null, null, 0];
  const dashboard = ["(dashboard)", { children: ["o", { children: org }, null, null, 0] }];
  const tree = ["", { children: [...dashboard, null, null, 0] }, null, null, 16];
  return { RSC: "1", "Next-Router-State-Tree": encodeURIComponent(JSON.stringify(tree)) };
}

test("a page asked for without its layout guards itself", async ({
  playwright,
  server,
  organization,
}) => {
  const member = await visit(playwright, server, await createMember(server, organization.id));
  const headers = pageOnlyHeaders(organization.id);
  const keysPage = `/o/${organization.id}/settings/keys`;
  const own = await (await member.get(keysPage, { headers })).text();
  expect(own).toContain("e2e");
  expect(own, "the layout is not part of the answer").not.toContain("Acme");
  for (const visitor of [...reachesNobody, "stranger"] as const) {
    const fixtures = { playwright, server, organizationId: organization.id };
    const { request } = await comeAs(visitor, fixtures);
    for (const route of routes) {
      const key = keyOf(route);
      if (!is("organization")(key) || !key.startsWith("page:")) continue;
      const response = await request.get(fill(route[1], organization.id), { headers });
      const what = `${visitor} ${key}`;
      await expectSilence(response, what);
      const refusal = visitor === "stranger" ? "NEXT_HTTP_ERROR_FALLBACK;404" : "/sign-in";
      expect(await response.text(), what).toContain(refusal);
    }
  }
});

test("an action that is public needs its own proof", async ({
  playwright,
  server,
  organization,
}) => {
  const request = await visit(playwright, server);
  const open = actions.filter(([, action]) => is("public")(accessKeyOf(action)));
  expect(open.map(([, { exportedName }]) => exportedName)).toEqual([
    "createFirstAdministratorAction",
  ]);
  for (const [id] of open) {
    const input = { token: "guess", name: "M", email: "m@example.com", password: "twelve chars" };
    const response = await request.post("/setup", {
      headers: { "Next-Action": id, "Content-Type": "text/plain;charset=UTF-8" },
      data: JSON.stringify([input]),
    });
    expect(await response.text()).toContain('"ok":false,"code":"forbidden"');
  }
  expect(organization.id).toMatch(/^org_/);
});

test("the API takes no key but a living one of that organization", async ({
  server,
  organization,
  request,
}) => {
  const other = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Elsewhere");
  const event = {
    action: "user.signed_in",
    occurred_at: new Date().toISOString(),
    actor: { type: "user", id: "u1" },
    targets: [],
  };
  const send = (key: string | null, organizationId: string) =>
    request.post("/audit_logs/events", {
      headers: key === null ? {} : { authorization: `Bearer ${key}` },
      data: { organization_id: organizationId, event },
    });
  for (const key of [null, "sk_unknown", `${organization.key}x`]) {
    const response = await send(key, organization.id);
    expect(response.status()).toBe(401);
    expect(response.headers()["content-type"]).toBe("application/json; charset=utf-8");
    expect(response.headers()["x-request-id"]).toMatch(/^req_/);
    expect(await response.json()).toEqual({ message: "Unauthorized", code: "unauthorized" });
  }
  for (const id of [other.id, "org_unknown"]) {
    const response = await send(organization.key, id);
    expect(response.status()).toBe(404);
    expect(await response.json()).toEqual({
      message: `Organization not found: '${id}'.`,
      code: "entity_not_found",
      entity_id: id,
    });
  }
  expect((await send(organization.key, organization.id)).status()).toBe(200);
  const keys = await server.cliJson<{ id: string; name: string }[]>(
    "keys",
    "list",
    "--org",
    organization.id,
  );
  await server.cliJson("keys", "revoke", keys[0]?.id ?? "");
  expect((await send(organization.key, organization.id)).status()).toBe(401);
});

test("an API key opens no page, and a session is no API key", async ({
  playwright,
  server,
  organization,
}) => {
  const keyHolder = await playwright.request.newContext({
    baseURL: server.url,
    extraHTTPHeaders: { authorization: `Bearer ${organization.key}` },
  });
  const page = await keyHolder.get(`/o/${organization.id}/events`, { maxRedirects: 0 });
  expect(page.status()).toBe(307);
  const member = await visit(playwright, server, await createMember(server, organization.id));
  const response = await member.post("/audit_logs/events", { data: {} });
  expect(response.status()).toBe(401);
});
