import type { APIRequestContext } from "@playwright/test";
import { access } from "../../lib/auth/access";
import { expect, test } from "../fixtures";
import { newPortalLink } from "../fixtures/portal";
import { accessKeyOf, actions, callAction, expectSilence, fill, is, keyOf, routes } from "./places";
import { asOwner, visit } from "./visitor";

/** What this session may open, of the places that somebody in an organization may. */
async function opened(request: APIRequestContext, organizationId: string): Promise<string[]> {
  const keys: string[] = [];
  for (const route of routes) {
    const key = keyOf(route);
    // The live tail has no end to wait for.
    if (!is("organization")(key) || key.endsWith("/tail")) continue;
    const response = await request.get(fill(route[1], organizationId), { maxRedirects: 0 });
    // A page that streams has said 200 before it finds that it is none for this visitor.
    const isNone = (await response.text()).includes("NEXT_HTTP_ERROR_FALLBACK;404");
    // A handler that let somebody in may still miss its parameters.
    if ((response.status() === 200 && !isNone) || response.status() === 400) keys.push(key);
  }
  return keys.sort();
}

test("a redeemed link leaves no token in the address and a cookie out of scripts' reach", async ({
  playwright,
  server,
  organization,
}) => {
  const request = await visit(playwright, server);
  const link = await newPortalLink(server, organization.id, "audit_logs");
  const response = await request.get(link, { maxRedirects: 0 });
  expect(response.status()).toBe(303);
  expect(response.headers().location).toBe(`/o/${organization.id}/events`);
  const cookie = (await request.storageState()).cookies.find(({ name }) =>
    name.endsWith("trailseal-portal"),
  );
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Lax", path: "/" });
  expect(link).not.toContain(cookie?.value);

  const again = await visit(playwright, server);
  const refused = await again.get(link, { maxRedirects: 0 });
  expect(refused.headers().location).toBe("/portal/ended");
  expect((await again.storageState()).cookies).toEqual([]);
});

test("a portal visitor opens what the link is for, and nothing else", async ({
  playwright,
  server,
  organization,
}) => {
  const request = await visit(playwright, server);
  await request.get(await newPortalLink(server, organization.id, "audit_logs"));
  const places = await opened(request, organization.id);
  expect(places.filter((key) => !/\/\[org\]\/(events|timeline)/.test(key))).toEqual([]);
  expect(places).toContain("page:/o/[org]/events");
  expect(places).toContain("handler:/o/[org]/events/csv");
  expect(places, "where events go is for streams").not.toContain(
    "handler:/o/[org]/events/deliveries",
  );

  const streams = await visit(playwright, server);
  await streams.get(await newPortalLink(server, organization.id, "log_streams"));
  expect(await opened(streams, organization.id)).toEqual([
    "handler:/o/[org]/events/deliveries",
    "page:/o/[org]/integrity/streams",
    "page:/o/[org]/integrity/streams/new",
  ]);
});

for (const [intent, allowed] of [
  ["audit_logs", ["events:read"]],
  ["log_streams", ["streams:read", "streams:manage"]],
] as const) {
  test(`a portal visitor for ${intent} may do what it is for, and nothing else`, async ({
    playwright,
    server,
    organization,
  }) => {
    const request = await visit(playwright, server);
    await request.get(await newPortalLink(server, organization.id, intent));
    const done: string[] = [];
    for (const action of actions) {
      const key = accessKeyOf(action[1]);
      if (is("public")(key) || is("session")(key)) continue;
      const text = await (await callAction(request, action, organization.id)).text();
      const code = is("organization")(key) ? "forbidden" : "unauthorized";
      if (!text.includes(`"ok":false,"code":"${code}"`)) done.push(key);
    }
    const member = Object.entries(access).flatMap(([key, demand]) =>
      demand.who === "organization" && key.startsWith("action:") ? [{ key, ...demand }] : [],
    );
    const may = member.filter(({ permission }) =>
      (allowed as readonly string[]).includes(permission),
    );
    expect([...new Set(done)].sort()).toEqual(may.map(({ key }) => key).sort());
  });
}

test("a portal visitor reaches no other organization, and none after the end", async ({
  playwright,
  server,
  organization,
}) => {
  const other = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Elsewhere");
  const request = await visit(playwright, server);
  await request.get(await newPortalLink(server, organization.id));
  expect(await opened(request, other.id)).toEqual([]);
  const sql = "UPDATE portal_sessions SET expires_at = now() WHERE organization_id = $1";
  expect(await asOwner(server, sql, [organization.id])).toBe(1);
  expect(await opened(request, organization.id)).toEqual([]);
  const page = await request.get(`/o/${organization.id}/events`, { maxRedirects: 0 });
  expect(page.headers().location).toMatch(/\/portal\/ended$/);
  await expectSilence(page, "ended");
});

test("a link that has run out opens nothing", async ({ playwright, server, organization }) => {
  const link = await newPortalLink(server, organization.id);
  const sql = "UPDATE portal_sessions SET redeem_until = now() WHERE organization_id = $1";
  await asOwner(server, sql, [organization.id]);
  const request = await visit(playwright, server);
  const response = await request.get(link, { maxRedirects: 0 });
  expect(response.headers().location).toBe("/portal/ended");
});

test("the portal shows events beside the way back, and no sidebar", async ({
  page,
  server,
  organization,
}) => {
  await page.goto(server.url + (await newPortalLink(server, organization.id, "audit_logs")));
  await expect(page.getByRole("link", { name: "Back to app.example.com" })).toBeVisible();
  await expect(page.getByRole("heading", { name: "Events", exact: true })).toBeVisible();
  await expect(page.getByRole("link", { name: "API keys" })).toHaveCount(0);
  expect(page.url()).not.toContain("token");
});
