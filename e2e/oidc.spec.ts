import type { Page } from "@playwright/test";
import { actions, callAction, resultOf } from "./denial/places";
import { createMember, visit } from "./denial/visitor";
import { expect, signIn, test } from "./fixtures";
import { expectAccessible } from "./fixtures/accessible";
import {
  CLIENT,
  faults,
  type IdentityProvider,
  startFaultyProvider,
  startIdentityProvider,
} from "./fixtures/identity-provider";
import { runSql } from "./fixtures/log";
import { ADMIN } from "./global-setup";
import { TestServer } from "./server";

/** A server of its own: where an address belongs to a provider, everybody is asked for the address first. */
const server = new TestServer({
  TRAILSEAL_ADMIN_EMAIL: ADMIN.email,
  TRAILSEAL_ADMIN_PASSWORD: ADMIN.password,
});

test.describe.configure({ mode: "serial" });
test.use({ baseURL: async ({ browserName: _ }, use) => use(server.url) });

let acme: string;

test.beforeAll(async () => {
  await server.start();
  acme = (await server.cliJson<{ id: string }>("orgs", "create", "--name", "Acme")).id;
});
test.afterAll(() => server.remove());

const roleOf = async (email: string) => {
  const [row] = await runSql<{ role: string }>(server, [
    `SELECT m.role FROM memberships m JOIN users u ON u.id = m.user_id
     WHERE m.organization_id = $1 AND u.email = $2 AND m.removed_at IS NULL`,
    [acme, email],
  ]);
  return row?.role ?? null;
};

const told = async () =>
  runSql<{ action: string; metadata: Record<string, string> }>(server, [
    "SELECT action, metadata FROM events WHERE organization_id = $1 ORDER BY seq",
    [acme],
  ]);

/** At the provider's own pages, up to where it sends people back. */
async function comeThrough(page: Page, subject: string): Promise<void> {
  // Its pages want a font from elsewhere.
  await page.route("https://fonts.googleapis.com/**", (route) => route.abort());
  await page.getByRole("button", { name: "Continue with Okta" }).click();
  await page.locator("input[name=login]").fill(subject);
  await page.locator("input[name=password]").fill("any");
  await page.locator("button[type=submit]").click();
  await page.locator("button[type=submit]").click();
  await page.waitForURL((url) => url.origin === server.url && !url.pathname.startsWith("/api"));
}

async function enterAddress(page: Page, email: string): Promise<void> {
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Continue" }).click();
}

test("an owner sets a provider up, people come in through it by their groups, and it is required", async ({
  page,
  browser,
}) => {
  test.setTimeout(300_000);
  const owner = await createMember(server, acme, "owner");
  await signIn(page, server.url, owner);
  await page.goto(`/o/${acme}/settings/sso`);
  await expectAccessible(page, "no provider");
  await page.getByLabel("Name of your identity provider").fill("Okta");
  await page.getByRole("button", { name: "Add provider" }).click();
  const redirectUri = (await page.getByTestId("redirect-uri").textContent()) as string;
  const idp = await startIdentityProvider(redirectUri);
  try {
    await page.getByLabel("Issuer").fill(`${idp.issuer}/`);
    await page.getByRole("button", { name: "Test" }).click();
    await expect(page.getByText(`The provider calls itself ${idp.issuer}.`)).toBeVisible();
    await page.getByLabel("Issuer").fill("http://127.0.0.1:9");
    await page.getByRole("button", { name: "Test" }).click();
    await expect(page.getByText("did not answer: ECONNREFUSED")).toBeVisible();
    await page.getByLabel("Issuer").fill(idp.issuer);
    await page.getByRole("button", { name: "Test" }).click();
    await expect(page.getByText("It answers, signs with RS256")).toBeVisible();
    await page.getByLabel("Client ID").fill(CLIENT.id);
    await page.getByLabel("Client secret").fill(CLIENT.secret);
    await page.getByLabel("Scopes").fill("openid email profile groups");
    for (const [row, group, role] of [
      [1, "owners", "owner"],
      [2, "security", "admin"],
      [3, "staff", "viewer"],
    ] as const) {
      await page.getByRole("button", { name: "Add a group" }).click();
      await page.getByLabel(`Group ${row}`, { exact: true }).fill(group);
      await page.getByLabel(`Role of group ${row}`).selectOption(role);
    }
    await page.getByLabel("People sign in through it").check();
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByText("Saved.")).toBeVisible();
    await expect(page.getByText("it speaks for no domain yet")).toBeVisible();
    await page.reload();
    expect(await page.content()).not.toContain(CLIENT.secret);
    await expect(page.getByRole("button", { name: "Require single sign-on" })).toHaveCount(0);
    const id = redirectUri.split("/").at(-1) as string;
    expect(
      (await server.cli("sso", "domains", "--org", acme, "--provider", id, "example.com")).code,
    ).toBe(0);
    await page.reload();
    await expectAccessible(page, "a provider");

    await peopleComeIn(await (await browser.newContext({ baseURL: server.url })).newPage(), idp);

    await page.reload();
    await page.getByRole("button", { name: "Require single sign-on" }).click();
    // Who required it came with a password.
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Sign in to Acme");
    await expect(page.getByText("a password does not open it")).toBeVisible();
    await expectAccessible(page, "single sign-on required");
    const refused = await page.request.get(`/o/${acme}/events/facets?field=action`);
    expect(refused.status()).toBe(401);
    idp.accounts.olivia = { email: owner.email, groups: ["owners"] };
    await comeThrough(page, "olivia");
    await expect(page).toHaveURL(new RegExp(`/o/${acme}`));
    await page.goto(`/o/${acme}/settings/sso`);
    await expect(page.getByText("Single sign-on is required.")).toBeVisible();
    expect(await roleOf(owner.email)).toBe("owner");
    await page.goto("/sign-in?error=SsoNoRole");
    await expect(page.getByText("You have no access.")).toBeVisible();

    await glassIsBroken(await (await browser.newContext({ baseURL: server.url })).newPage());
  } finally {
    idp.close();
  }
});

async function peopleComeIn(page: Page, idp: IdentityProvider): Promise<void> {
  const mei = { email: "mei@example.com", email_verified: true, name: "Mei" };
  idp.accounts.mei = { ...mei, groups: ["staff"] };
  // Says nothing of whether there is such an account.
  await enterAddress(page, "nobody@example.com");
  await expect(page.getByRole("button", { name: "Continue with Okta" })).toBeVisible();
  await expect(page.getByLabel("Password")).toHaveCount(0);
  await expectAccessible(page, "sign in through a provider");
  await enterAddress(page, "somebody@elsewhere.example");
  await expect(page.getByLabel("Password")).toBeFocused();
  await enterAddress(page, mei.email);
  await comeThrough(page, "mei");
  await expect(page).toHaveURL(new RegExp(`/o/${acme}/events`));
  expect(await roleOf(mei.email)).toBe("viewer");
  await page.goto("/account");
  await expect(page.getByText("through Okta")).toBeVisible();
  await expect(page.getByRole("heading", { name: "Password" })).toHaveCount(0);
  await expectAccessible(page, "account without a password");

  idp.accounts.mei = { ...mei, groups: ["security", "staff"] };
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/sign-in");
  await enterAddress(page, mei.email);
  await page.getByRole("button", { name: "Continue with Okta" }).click();
  await page.waitForURL((url) => url.pathname.startsWith("/o/"));
  expect(await roleOf(mei.email)).toBe("admin");
  // Who has no group of these any more is out, also in the session that is open.
  const open = page.url();
  idp.accounts.mei = { ...mei, groups: ["sales"] };
  await page.context().clearCookies({ name: /session-token/ });
  await enterAddress(page, mei.email);
  await page.getByRole("button", { name: "Continue with Okta" }).click();
  await expect(page.getByText("You have no access.")).toBeVisible();
  expect(await roleOf(mei.email)).toBeNull();
  await page.goto(open);
  await expect(page).toHaveURL(/\/sign-in/);
  const changes = (await told()).filter(({ metadata }) => metadata.cause === "groups");
  expect(changes.map(({ action }) => action)).toEqual([
    "trailseal.member_joined",
    "trailseal.member_role_changed",
    "trailseal.member_removed",
  ]);
  await page.context().close();
}

/** The provider is gone, or refuses everybody: who operates the instance still comes in. */
async function glassIsBroken(page: Page): Promise<void> {
  const member = await createMember(server, acme, "viewer");
  const byPassword = async (who: { email: string; password: string }) => {
    await enterAddress(page, who.email);
    await page
      .getByRole("button", { name: "Use a password" })
      .or(page.getByLabel("Password"))
      .first()
      .waitFor();
    const other = page.getByRole("button", { name: "Use a password" });
    if (await other.isVisible()) await other.click();
    await page.getByLabel("Password").fill(who.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
    await page.goto(`/o/${acme}/events`);
  };
  await byPassword(ADMIN);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Events");
  await page.context().clearCookies();
  await byPassword(member);
  await expect(page).toHaveURL(/\/sign-in\?organization=/);
  expect((await server.cli("sso", "disable", "--org", acme)).code).toBe(0);
  await page.goto(`/o/${acme}/events`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Events");
  const last = (await told()).filter(({ action }) => action.startsWith("trailseal.sso_")).at(-1);
  expect(last?.action).toBe("trailseal.sso_not_required");
  await page.context().close();
}

test("what a provider says that does not hold signs nobody in", async ({ playwright }) => {
  test.setTimeout(120_000);
  const idp = await startFaultyProvider();
  try {
    const owner = await visit(playwright, server, await createMember(server, acme, "owner"));
    const act = async <T>(name: string, input: unknown): Promise<T> => {
      const action = actions.find(([, { exportedName }]) => exportedName === name);
      if (!action) throw new Error(`There is no ${name}`);
      const result = await resultOf(await callAction(owner, action, acme, [acme, input]));
      expect(result, name).toMatchObject({ ok: true });
      return (result as unknown as { data: T }).data;
    };
    const { id } = await act<{ id: string }>("createIdentityProviderAction", { name: "Faulty" });
    await act("changeIdentityProviderAction", {
      ...{ id, name: "Faulty", issuer: idp.issuer, clientId: CLIENT.id },
      ...{ clientSecret: CLIENT.secret, scopes: "openid", groupsClaim: "groups", groupRoles: [] },
      ...{ defaultRole: "viewer", isEnabled: true },
    });
    await server.cli("sso", "domains", "--org", acme, "--provider", id, "faulty.example");

    /** @returns where they end up, and whether they are signed in */
    const come = async (subject: string, fault = "none") => {
      Object.assign(idp, { as: subject, fault });
      const request = await visit(playwright, server);
      const { csrfToken } = (await (await request.get("/api/auth/csrf")).json()) as {
        csrfToken: string;
      };
      const start = await request.post(`/api/auth/signin/${id}`, {
        form: { csrfToken, callbackUrl: "/", json: "true" },
      });
      const response = await request.get(((await start.json()) as { url: string }).url);
      const { cookies } = await request.storageState();
      const isIn = cookies.some(({ name }) => name.includes("session-token"));
      const error = new URL(response.url()).searchParams.get("error");
      await request.dispose();
      return isIn ? "signed in" : error;
    };
    idp.accounts.ada = { email: "ada@faulty.example" };
    idp.accounts.unverified = { email: "u@faulty.example", email_verified: false };
    idp.accounts.outside = { email: ADMIN.email };
    for (const [fault, { said }] of Object.entries(faults)) {
      const before = server.output.length;
      expect(await come("ada", fault), fault).toBe(
        fault === "none" ? "signed in" : "OAuthCallback",
      );
      // The operator's log says why.
      await expect.poll(() => server.output.slice(before), fault).toContain(said);
    }
    expect(await come("unverified")).toBe("SsoUnverified");
    expect(await come("outside")).toBe("SsoDomain");
    await act("changeIdentityProviderAction", {
      ...{ id, name: "Faulty", issuer: idp.issuer, clientId: CLIENT.id },
      ...{ clientSecret: "", scopes: "openid", groupsClaim: "groups", groupRoles: [] },
      ...{ defaultRole: "viewer", isEnabled: false },
    });
    const refused = await (await visit(playwright, server)).get(`/api/auth/callback/${id}?code=x`);
    expect(refused.status()).toBe(400);
    await owner.dispose();
  } finally {
    idp.close();
  }
});

test("a provider that cannot be reached is said to be so", async ({ playwright }) => {
  const [row] = await runSql<{ id: string }>(server, [
    "SELECT id FROM identity_providers WHERE organization_id = $1 AND name = 'Okta'",
    [acme],
  ]);
  const request = await visit(playwright, server);
  const { csrfToken } = (await (await request.get("/api/auth/csrf")).json()) as {
    csrfToken: string;
  };
  const start = await request.post(`/api/auth/signin/${row?.id}`, {
    form: { csrfToken, callbackUrl: "/", json: "true" },
  });
  expect(await start.json()).toEqual({ url: "/sign-in?error=OAuthSignin" });
});
