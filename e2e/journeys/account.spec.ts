import { appCode } from "../../lib/auth/server/test-app";
import { createMember } from "../denial/visitor";
import { expect, signIn, test } from "../fixtures";
import { expectAccessible, expectAccessibleNow } from "../fixtures/accessible";
import { runSql } from "../fixtures/log";

test("somebody sets up a second factor, signs in with a code and a recovery code, and ends the session elsewhere", async ({
  page,
  browser,
  server,
  organization,
}) => {
  const member = await createMember(server, organization.id);
  await signIn(page, server.url, member);
  await page.goto(`/o/${organization.id}/events`);
  await page.getByRole("button", { name: member.email }).click();
  await page.getByRole("menuitem", { name: "Your account" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Your account");
  await expect(page.getByText(`Signed in as ${member.email}.`)).toBeVisible();
  await expect(page.getByText(/Chrome \d+ on \w+ this session/)).toBeVisible();
  await expectAccessible(page, "account");

  await page.getByLabel("Your name").fill("Grace Hopper");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved.")).toBeVisible();

  // By keyboard alone.
  await page.getByRole("button", { name: "Set up" }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.type("a wrong password");
  await page.keyboard.press("Enter");
  await expect(
    page.getByRole("alert").filter({ hasText: "This password is wrong." }),
  ).toBeVisible();
  await expectAccessibleNow(page, "password asked for");
  await page.getByRole("dialog").getByLabel("Password").fill(member.password);
  await page.keyboard.press("Enter");
  const secret = (await page.getByTestId("secret").textContent()) as string;
  await expect(page.getByLabel("Code", { exact: true })).toBeFocused();
  await expectAccessible(page, "app set up");
  await page.getByLabel("Code", { exact: true }).focus();
  await page.keyboard.type(appCode(secret));
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("recovery-codes").getByRole("listitem")).toHaveCount(10);
  const recovery = await page.getByTestId("recovery-codes").getByRole("listitem").allTextContents();
  await expect(page.getByText("10 recovery codes are left.")).toBeVisible();
  await expectAccessible(page, "recovery codes");
  await page.getByRole("button", { name: "I have kept them" }).click();
  await expect(page.getByTestId("recovery-codes")).toBeHidden();
  await page.reload();
  const html = await page.content();
  for (const shownOnce of [secret, ...recovery]) expect(html).not.toContain(shownOnce);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForURL("**/sign-in");
  const enterPassword = async (at = page) => {
    await at.getByLabel("E-mail").fill(member.email);
    await at.getByLabel("Password").fill(member.password);
    await at.keyboard.press("Enter");
  };
  await enterPassword();
  await expect(page.getByLabel("Code")).toBeFocused();
  expect((await page.context().cookies()).some(({ name }) => /session-token/.test(name))).toBe(
    false,
  );
  await expectAccessible(page, "code asked for");
  await page.getByLabel("Code").fill("000000");
  await page.keyboard.press("Enter");
  await expect(page.getByText("This code is wrong, or was used already.")).toBeVisible();
  // The present one was used to set it up.
  await page.getByLabel("Code").fill(appCode(secret, 1));
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.pathname.startsWith("/o"));

  const elsewhere = await browser.newPage({ userAgent: "curl/8.5.0" });
  await elsewhere.goto(`${server.url}/sign-in`);
  await enterPassword(elsewhere);
  await elsewhere.getByRole("button", { name: "Use a recovery code" }).click();
  await elsewhere.getByLabel("Recovery code").fill(recovery[0] as string);
  await elsewhere.keyboard.press("Enter");
  await elsewhere.waitForURL((url) => url.pathname.startsWith("/o"));

  await page.goto("/o");
  await page.getByRole("link", { name: "Your account" }).click();
  await expect(page.getByText("9 recovery codes are left.")).toBeVisible();
  await expectAccessible(page, "account with a second factor");
  await page.getByRole("button", { name: /End the session of curl 8\.5/ }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: /End the session/ })).toHaveCount(0);
  await elsewhere.goto(`${server.url}/account`);
  await expect(elsewhere).toHaveURL(/\/sign-in$/);

  await page.getByRole("button", { name: "Turn off" }).click();
  await page.getByRole("dialog").getByLabel("Password").fill(member.password);
  await page
    .getByRole("dialog")
    .getByLabel("Code")
    .fill(recovery[1] as string);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Set up" })).toBeVisible();
  const told = await runSql<{ action: string }>(server, [
    "SELECT action FROM events WHERE organization_id = $1 AND action <> 'trailseal.sign_in_failed' ORDER BY seq",
    [organization.id],
  ]);
  expect(told.map(({ action }) => action)).toEqual([
    "trailseal.signed_in",
    "trailseal.name_changed",
    "trailseal.second_factor_enabled",
    "trailseal.signed_in",
    "trailseal.signed_in",
    "trailseal.sessions_revoked",
    "trailseal.second_factor_disabled",
  ]);
  await elsewhere.close();
});
