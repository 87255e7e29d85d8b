import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { expectAccessibleNow } from "../fixtures/accessible";
import { runSql } from "../fixtures/log";

const PASSWORD = "correct horse battery";

const events = ["billing.paid", "billing.refunded", "user.signed_in"].map((action) => ({
  event: {
    action,
    occurred_at: new Date(Date.now() - 60_000).toISOString(),
    actor: { type: "user", id: "usr_1", name: "Jane Doe", metadata: { email: "jane@example.com" } },
    targets: [{ type: "invoice", id: "inv_1", name: "Invoice 1" }],
    context: { location: "203.0.113.7", user_agent: "curl/8" },
    metadata: { amount: 12 },
  },
}));

/** Opens the fields in the form of an invitation and takes what is asked for. */
async function choose(page: Page, filter: string, hidden: string[]) {
  await page.getByRole("textbox", { name: "Filter" }).fill(filter);
  for (const name of hidden) await page.getByLabel(name, { exact: true }).check();
}

for (const width of [1440, 390]) {
  test(`a viewer is invited to a part of the events without addresses and names (${width} px)`, async ({
    signedIn: page,
    organization,
    browser,
    server,
  }) => {
    await fetch(`${server.url}/v1/events/batch?organization_id=${organization.id}`, {
      method: "POST",
      headers: { authorization: `Bearer ${organization.key}` },
      body: JSON.stringify(events),
    });
    await page.setViewportSize({ width, height: 844 });
    const members = `/o/${organization.id}/settings/members`;
    const email = `grace-${width}-${Date.now()}@example.com`;
    await page.goto(members);
    await page.getByLabel("E-mail").fill(email);
    await page.getByText("What they see: all events").click();
    await choose(page, "acton:billing.*", ["IP", "Actor name", "Actor metadata"]);
    await page.getByRole("button", { name: "Invite" }).click();
    await expect(page.getByText("is not a field", { exact: false }).first()).toBeVisible();
    await choose(page, "action:billing.*", []);
    await expectAccessibleNow(page);
    await page.getByRole("button", { name: "Invite" }).click();
    const link = await page.getByTestId("new-link").innerText();
    await expect(page.getByRole("listitem").filter({ hasText: email })).toContainText(
      "as viewer: sees action:billing.*; hidden: actor name, actor metadata, IP",
    );

    const guest = await (await browser.newContext({ viewport: { width, height: 844 } })).newPage();
    await guest.goto(link);
    await guest.getByLabel("Your name").fill("Grace Hopper");
    await guest.getByLabel("Password").fill(PASSWORD);
    await guest.keyboard.press("Enter");
    await guest.waitForURL(`**/o/${organization.id}/events`);
    const said = guest.getByTestId("sight");
    await expect(said).toContainText("You see events that match action:billing.*");
    await expect(said).toContainText("hidden for you: actor name, actor metadata, IP");
    const rows = guest.getByTestId("event-row");
    await expect(rows).toHaveCount(2);
    await expect(rows.first()).toContainText("usr_1");
    await expectAccessibleNow(guest);
    if (width === 390) await guest.getByRole("button", { name: "Menu" }).click();
    const places = guest.getByRole("navigation", { name: "Main" }).getByRole("link");
    await expect(places).toHaveText(["Events"]);
    if (width === 390) await guest.keyboard.press("Escape");

    await rows.first().click();
    await guest.keyboard.press("Enter");
    const drawer =
      width === 390 ? guest.getByRole("dialog") : guest.getByLabel("Event", { exact: true });
    await expect(drawer.getByText("Hidden").first()).toBeVisible();
    await drawer.getByRole("tab", { name: "JSON" }).click();
    await drawer.getByRole("button", { name: "Raw" }).click();
    await expect(drawer.getByTestId("event-json")).toContainText('"location": "[hidden]"');
    await drawer.getByRole("tab", { name: "Integrity" }).click();
    await expect(drawer.getByTestId("proof-state")).toHaveText(
      "Fields are hidden for you, so the event's hash cannot be recomputed here.",
    );
    await expectAccessibleNow(guest);
    expect(await guest.content()).not.toMatch(/Jane|203\.0\.113\.7/);

    await guest.goto(`/o/${organization.id}/events?q=ip%3A203.0.113.7`);
    await expect(
      guest
        .getByText("ip is hidden for you, so no filter can ask for it.")
        .filter({ visible: true })
        .first(),
    ).toBeVisible();
    await expect(rows).toHaveCount(0);
    await guest.goto(`/o/${organization.id}/timeline?actor=user:usr_1`);
    await expect(guest.getByTestId("sight")).toBeVisible();
    await expect(guest.getByText("billing.paid").first()).toBeVisible();
    expect(await guest.content()).not.toMatch(/Jane|203\.0\.113\.7|signed_in/);
    expect((await guest.goto(`/o/${organization.id}`))?.status()).toBe(404);

    await page.goto(members);
    await page.getByRole("button", { name: "Change what Grace Hopper sees" }).click();
    const dialog = page.getByRole("dialog");
    await expectAccessibleNow(page);
    await dialog.getByLabel("IP", { exact: true }).uncheck();
    await dialog.getByRole("textbox", { name: "Filter" }).fill("action:user.*");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(dialog).toHaveCount(0);
    await guest.goto(`/o/${organization.id}/events`);
    await expect(rows).toHaveCount(1);
    await expect(guest.getByTestId("sight")).toContainText(
      "action:user.*; hidden for you: actor name",
    );
    await page.goto(`/o/${organization.id}/events?q=action%3Atrailseal.member_sight_changed`);
    await expect(page.getByTestId("event-row")).toHaveCount(1);

    await runSql(server, [
      "UPDATE memberships SET view_filter = 'gone:1' WHERE organization_id = $1 AND view_filter IS NOT NULL",
      [organization.id],
    ]);
    await guest.goto(`/o/${organization.id}/events`);
    await expect(guest.getByText("that this version does not understand")).toBeVisible();
    await expect(rows).toHaveCount(0);
    await guest.context().close();
  });
}
