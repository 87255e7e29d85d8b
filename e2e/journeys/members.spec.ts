import { expect, signIn, test } from "../fixtures";
import { expectAccessibleNow } from "../fixtures/accessible";

const PASSWORD = "correct horse battery";

for (const width of [1440, 390]) {
  test(`somebody is invited, joins, is given another role and removed (${width} px)`, async ({
    signedIn: page,
    organization,
    browser,
    server,
  }) => {
    await page.setViewportSize({ width, height: 844 });
    const email = `grace-${width}-${Date.now()}@example.com`;
    await page.goto(`/o/${organization.id}/settings/members`);
    await expectAccessibleNow(page);
    await page.getByLabel("E-mail").fill(email.toUpperCase());
    await page.getByLabel("Role", { exact: true }).selectOption("viewer");
    await page.getByRole("button", { name: "Invite" }).press("Enter");
    const link = await page.getByTestId("new-link").innerText();
    await expect(page.getByRole("listitem").filter({ hasText: email })).toContainText("as viewer");

    const guest = await (await browser.newContext({ viewport: { width, height: 844 } })).newPage();
    await guest.goto(link);
    await expect(guest.getByRole("heading", { name: "Join Acme" })).toBeVisible();
    await expectAccessibleNow(guest);
    await guest.getByLabel("Your name").fill("Grace Hopper");
    await guest.getByLabel("Password").fill(PASSWORD);
    await guest.keyboard.press("Enter");
    await guest.waitForURL(`**/o/${organization.id}/**`);
    // What the log says of its members is no event that an application sent.
    await expect(guest.getByRole("heading", { name: "Waiting for event #3" })).toBeVisible();
    await expect(guest.getByText("An owner or admin of this organization makes one")).toBeVisible();
    await guest.goto(`/o/${organization.id}`);
    if (width === 390) await guest.getByRole("button", { name: "Menu" }).click();
    const places = guest.getByRole("navigation", { name: "Main" }).getByRole("link");
    await expect(places).toHaveText(["Overview", "Events", "Integrity", "Schemas"]);
    const settings = await guest.goto(`/o/${organization.id}/settings/members`);
    expect(settings?.status()).toBe(404);

    await page.reload();
    await expect(page.getByRole("listitem").filter({ hasText: email })).toHaveCount(0);
    await page.getByLabel("Role of Grace Hopper").selectOption("owner");
    await page.getByRole("button", { name: "Save" }).press("Enter");
    await expect(page.getByRole("button", { name: "Save" })).toHaveCount(0);
    await expect
      .poll(async () => (await guest.goto(`/o/${organization.id}/settings/members`))?.status())
      .toBe(200);
    await guest.getByRole("row", { name: /Grace/ }).getByRole("button", { name: "Remove" }).click();
    await guest.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await expect(guest.getByRole("alert").filter({ hasText: "last owner" })).toBeVisible();

    await page.getByLabel("Role of Grace Hopper").selectOption("auditor");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("alert").filter({ hasText: "last owner" })).toBeVisible();
    await guest.context().close();

    await page.goto(`/o/${organization.id}/events?q=action%3Atrailseal.*`);
    await expect(page.getByText("trailseal.member_joined").first()).toBeVisible();
    const again = await (await browser.newContext()).newPage();
    await again.goto(link);
    await expect(
      again.getByRole("heading", { name: "This invitation does not work" }),
    ).toBeVisible();
    await signIn(again, server.url, { email, password: PASSWORD });
    await again.context().close();
  });
}

test("who has an account signs in and joins; another account is told so", async ({
  signedIn: page,
  organization,
  browser,
  server,
}) => {
  const invite = async (email: string) => {
    await page.goto(`/o/${organization.id}/settings/members`);
    await page.getByLabel("E-mail").fill(email);
    await page.getByRole("button", { name: "Invite" }).click();
    return page.getByTestId("new-link").innerText();
  };
  const email = `ada-${Date.now()}@example.com`;
  const first = await (await browser.newContext()).newPage();
  await first.goto(await invite(email));
  await first.getByLabel("Your name").fill("Ada");
  await first.getByLabel("Password").fill(PASSWORD);
  await first.getByRole("button", { name: "Create account" }).click();
  await first.waitForURL("**/o/**");

  await page.reload();
  await page.getByRole("row", { name: /Ada/ }).getByRole("button", { name: "Remove" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
  await expect(page.getByText("removed", { exact: false }).first()).toBeVisible();
  expect((await first.goto(`/o/${organization.id}`))?.status()).toBe(404);

  const link = await invite(email);
  await page.goto(link);
  await expect(page.getByText("Sign out, then open the link again")).toBeVisible();
  const second = await (await browser.newContext({ baseURL: server.url })).newPage();
  await second.goto(link);
  await expect(second.getByLabel("E-mail")).toHaveValue(email);
  await second.getByLabel("Password").fill(PASSWORD);
  await second.keyboard.press("Enter");
  await second.getByRole("button", { name: "Join" }).click();
  await second.waitForURL(`**/o/${organization.id}/events`);
  await first.context().close();
  await second.context().close();
});
