import { test } from "@playwright/test";
import { expect, test as sharedTest } from "../fixtures";
import { expectAccessible } from "../fixtures/accessible";
import { TestServer } from "../server";

/** The link that a first start prints. */
function setupLink(server: TestServer): string {
  const link = /create the first administrator: (\S+)/.exec(server.output)?.[1];
  if (!link) throw new Error(`No set-up link in:\n${server.output}`);
  return link;
}

test("a newcomer gets from the printed link to a key that works, and revokes it", async ({
  page,
}) => {
  const server = new TestServer();
  try {
    await server.start();
    const url = server.url;

    await page.goto(url);
    await expect(page.getByRole("heading", { name: "Nobody can sign in yet" })).toBeVisible();
    await expectAccessible(page, "sign-in before set-up");

    await page.goto(`${url}/setup?token=guess`);
    await expect(page.getByRole("heading", { name: "This link does not work" })).toBeVisible();
    await expectAccessible(page, "a wrong set-up link");

    const link = setupLink(server);
    await page.goto(link);
    await expectAccessible(page, "set-up");
    await page.getByLabel("Your name").fill("Amara Okafor");
    await page.getByLabel("E-mail").fill("Amara@Example.com");
    await page.getByLabel("Password").fill("correct horse battery");
    await page.getByRole("button", { name: "Create administrator" }).click();

    await page.waitForURL("**/o");
    await expect(
      page.getByRole("heading", { name: "Create the first organization" }),
    ).toBeVisible();
    await expectAccessible(page, "first organization");
    await page.getByLabel("Name").fill("Halden Robotics");
    await page.getByRole("button", { name: "Create organization" }).click();
    await page.waitForURL(/\/o\/org_[0-9A-Z]{26}\/events$/);
    const organization = page.url().split("/").at(-2) as string;

    await page.getByRole("link", { name: "API keys" }).click();
    await page.waitForURL("**/settings/keys");
    await page.getByLabel("Name of the application").fill("billing service");
    await page.getByRole("button", { name: "Create key" }).click();
    const key = (await page.getByTestId("new-key").textContent()) ?? "";
    expect(key).toMatch(/^sk_[\w-]{43}$/);
    await expect(page.getByRole("row", { name: /billing service/ })).toContainText("never");
    await expectAccessible(page, "keys");

    const send = () =>
      fetch(`${url}/audit_logs/events`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        body: JSON.stringify({
          organization_id: organization,
          event: {
            action: "user.signed_in",
            occurred_at: new Date().toISOString(),
            actor: { type: "user", id: "u1" },
            targets: [],
            colour: "green",
          },
        }),
      });
    expect((await send()).status).toBe(200);

    await page.reload();
    await expect(page.getByTestId("new-key"), "a key is shown once").toHaveCount(0);
    const row = page.getByRole("row", { name: /billing service/ });
    await expect(row).toContainText(`…${key.slice(-4)}`);
    await expect(row.locator("[data-label='Ignored fields']"), "ignored fields").toHaveText("1");
    await expect(row).not.toContainText("never");

    await row.getByRole("button", { name: "Revoke" }).click();
    const dialog = page.getByRole("dialog", { name: "Revoke billing service?" });
    await dialog.getByRole("button", { name: "Keep" }).click();
    expect((await send()).status).toBe(200);
    await row.getByRole("button", { name: "Revoke" }).click();
    await expectAccessible(page, "revoke dialog");
    await dialog.getByRole("button", { name: "Revoke" }).click();
    await expect(row).toContainText("revoked");
    expect((await send()).status).toBe(401);

    await page.goto(`${url}/o`);
    await expectAccessible(page, "organizations");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL("**/sign-in");

    await page.goto(link);
    await expect(page.getByRole("heading", { name: "This link does not work" })).toBeVisible();

    await page.goto(`${url}/sign-in`);
    await page.getByLabel("E-mail").fill("amara@example.com");
    await page.getByLabel("Password").fill("wrong horse battery");
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByText("The e-mail or the password is wrong.")).toBeVisible();
    await expectAccessible(page, "a wrong password");
    await page.getByLabel("Password").fill("correct horse battery");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL(`**/o/${organization}/events`);
  } finally {
    await server.remove();
  }
});

sharedTest(
  "an empty organization hands out a key, waits for the first event and shows it by itself",
  async ({ signedIn: page, server }) => {
    await page.goto(`${server.url}/o`);
    await page.getByLabel("Name").fill("Guided");
    await page.getByRole("button", { name: "Create organization" }).click();
    await page.waitForURL(/\/o\/org_[0-9A-Z]{26}\/events$/);
    const organization = page.url().split("/").at(-2) as string;
    await expect(page.getByRole("heading", { name: "Waiting for event #0" })).toBeVisible();
    await expectAccessible(page, "waiting for the first event");

    await page.getByLabel("Name of the application").fill("billing service");
    await page.getByRole("button", { name: "Create key" }).click();
    const key = await page.getByTestId("new-key").innerText();
    const snippet = page.getByTestId("snippet");
    await expect(snippet).toContainText(`Bearer ${key}`);
    await expect(snippet).toContainText(`${server.url}/audit_logs/events`);
    const body = /-d '([^']+)'/.exec(await snippet.innerText())?.[1];
    await page.getByRole("button", { name: "Node.js" }).click();
    await expect(snippet).toContainText(`new WorkOS("${key}"`);
    await expectAccessible(page, "a key in the snippet");

    const response = await fetch(`${server.url}/audit_logs/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body,
    });
    expect(response.status, "the body that the snippet sends").toBe(200);
    // Beside the event of the key that was made.
    await expect(page.getByTestId("row-count")).toHaveText("2 events");
    await expect(page.getByTestId("event-row").filter({ hasText: "user.signed_in" })).toHaveCount(
      1,
    );
    expect(page.url()).toContain(organization);
  },
);
