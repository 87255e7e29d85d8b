import { randomBytes } from "node:crypto";
import { test as base, expect, type Page } from "@playwright/test";
import { newId } from "../lib/ids";
import { signInByRequest } from "./denial/visitor";
import { runSql } from "./fixtures/log";
import { ADMIN } from "./global-setup";
import { TestServer } from "./server";

interface Fixtures {
  /** The shared production server. */
  server: TestServer;
  /** A fresh organization and a key that may write to it. */
  organization: { id: string; key: string };
  /** A page signed in as the first administrator. */
  signedIn: Page;
}

function sharedServer(): TestServer {
  const { TRAILSEAL_TEST_URL: url, TRAILSEAL_TEST_DATA_DIR: dataDir } = process.env;
  if (!url || !dataDir)
    throw new Error("Run through Playwright: its global setup starts the server");
  const server = new TestServer({}, dataDir);
  server.url = url;
  return server;
}

/** Without the command line, whose start takes longer than most tests. */
async function createOrganization(server: TestServer): Promise<{ id: string; key: string }> {
  const response = await fetch(`${server.url}/organizations`, {
    method: "POST",
    headers: { Authorization: `Bearer ${process.env.TRAILSEAL_TEST_KEY}` },
    body: JSON.stringify({ name: "Acme" }),
  });
  if (response.status !== 201) throw new Error(`POST /organizations: ${await response.text()}`);
  const { id } = (await response.json()) as { id: string };
  const key = `sk_${randomBytes(32).toString("base64url")}`;
  await runSql(server, [
    `INSERT INTO api_keys (id, name, organization_id, key_hash, last4, permissions)
     VALUES ($1, 'e2e', $2, sha256($3::text::bytea), $4, '{events:write}')`,
    [newId("apiKey"), id, key, key.slice(-4)],
  ]);
  return { id, key };
}

export async function signIn(page: Page, url: string, who = ADMIN): Promise<void> {
  await page.goto(`${url}/sign-in`);
  await page.getByLabel("E-mail").fill(who.email);
  await page.getByLabel("Password").fill(who.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL((target) => !target.pathname.startsWith("/sign-in"));
}

export const test = base.extend<Fixtures>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the parameter's shape.
  server: async ({}, use) => {
    await use(sharedServer());
  },
  baseURL: async ({ server }, use) => {
    await use(server.url);
  },
  organization: async ({ server }, use) => {
    await use(await createOrganization(server));
  },
  context: async ({ context }, use) => {
    const refused: string[] = [];
    context.on("console", (message) => {
      // A file that was downloaded has a policy of its own, which tests put to the test.
      const isServed = message.page()?.url().startsWith("http");
      if (isServed && /Content Security Policy/.test(message.text())) refused.push(message.text());
    });
    await use(context);
    expect(refused, "what a page does is what its policy allows").toEqual([]);
  },
  signedIn: async ({ page }, use) => {
    // Without the form, which has tests of its own.
    await signInByRequest(page.request, ADMIN);
    await page.goto("/");
    await use(page);
  },
});

export { expect };
