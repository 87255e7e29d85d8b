import { test as base, type Page } from "@playwright/test";
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
    const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Acme");
    const { key } = await server.cliJson<{ key: string }>(
      "keys",
      "create",
      "--name",
      "e2e",
      "--org",
      id,
    );
    await use({ id, key });
  },
  signedIn: async ({ page, server }, use) => {
    await signIn(page, server.url);
    await use(page);
  },
});

export { expect } from "@playwright/test";
