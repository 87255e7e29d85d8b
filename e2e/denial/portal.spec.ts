import { expect, test } from "../fixtures";
import { newPortalLink } from "../fixtures/portal";
import { expectSilence } from "./places";
import { asOwner, visit } from "./visitor";

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

test("a portal visitor is shown out after the end", async ({
  playwright,
  server,
  organization,
}) => {
  const request = await visit(playwright, server);
  await request.get(await newPortalLink(server, organization.id));
  const open = () => request.get(`/o/${organization.id}/events`, { maxRedirects: 0 });
  expect((await open()).status()).toBe(200);
  const sql = "UPDATE portal_sessions SET expires_at = now() WHERE organization_id = $1";
  expect(await asOwner(server, sql, [organization.id])).toBe(1);
  const page = await open();
  expect(page.headers().location).toMatch(/\/portal\/ended$/);
  await expectSilence(page, "ended", "Acme");
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
