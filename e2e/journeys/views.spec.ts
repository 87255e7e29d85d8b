import type { Browser, Page } from "@playwright/test";
import { createMember } from "../denial/visitor";
import { expect, test } from "../fixtures";
import { axe, expectAccessible } from "../fixtures/accessible";
import { eventsForTests, importEvents, runSql } from "../fixtures/log";
import type { TestServer } from "../server";

const viewButton = (page: Page) => page.getByRole("button", { name: /^View: / });
const rowCount = (page: Page) => page.getByTestId("row-count");

async function countOf(server: TestServer, organizationId: string, sql: string): Promise<string> {
  const [row] = await runSql<{ count: string }>(server, [
    `SELECT count(*) FROM events WHERE organization_id = $1 AND (${sql})`,
    [organizationId],
  ]);
  return `${row?.count} events`;
}

/** Opens the menu of views and walks to an item, by keys alone. */
async function choose(page: Page, name: string | RegExp): Promise<void> {
  // One that is closing takes the key.
  await expect(page.getByRole("menu")).toHaveCount(0);
  await viewButton(page).focus();
  await page.keyboard.press("Enter");
  const item = page.getByRole("menuitem", { name });
  await expect(item).toBeVisible();
  await expect(page.getByText("Loading views…")).toHaveCount(0);
  await page.keyboard.press("Home");
  await expect(async () => {
    await expect(item)
      .toBeFocused({ timeout: 50 })
      .catch(async (error) => {
        await page.keyboard.press("ArrowDown");
        throw error;
      });
  }).toPass();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("menu")).toHaveCount(0);
}

async function filterBy(page: Page, text: string): Promise<void> {
  const before = page.url();
  const input = page.getByRole("combobox", { name: "Filter", exact: true });
  await expect(async () => {
    await page.keyboard.press("/");
    await expect(input).toBeFocused({ timeout: 100 });
  }).toPass();
  await page.keyboard.type(text);
  await page.keyboard.press("Enter");
  await expect(page).not.toHaveURL(before);
}

const nameField = (page: Page) => page.getByRole("textbox", { name: "Name" });

async function saveAs(page: Page, name: string, isShared = false): Promise<void> {
  await choose(page, "Save as new view…");
  await expect(nameField(page)).toBeFocused();
  await page.keyboard.type(name);
  if (isShared) {
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
  }
  await nameField(page).press("Enter");
}

async function asMember(browser: Browser, server: TestServer, organizationId: string) {
  const { email, password } = await createMember(server, organizationId);
  const page = await (await browser.newContext({ baseURL: server.url })).newPage();
  await page.goto("/sign-in");
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => !url.pathname.startsWith("/sign-in"));
  return page;
}

test.beforeEach(async ({ signedIn: page, server, organization }) => {
  await importEvents(server, organization.id, eventsForTests(150));
  await page.goto(`/o/${organization.id}/events`);
  await expect(rowCount(page)).toHaveText("100+ events");
});

test("a view is saved, changed, reverted, renamed and deleted with the keyboard alone", async ({
  signedIn: page,
  server,
  organization,
}) => {
  const one = await countOf(server, organization.id, "actor_id = 'usr_3'");
  const both = await countOf(
    server,
    organization.id,
    "actor_id = 'usr_3' AND action <> 'doc.viewed'",
  );
  await filterBy(page, "actor:usr_3");
  await expect(rowCount(page)).toHaveText(one);
  await saveAs(page, "Person three");
  await expect(page.getByRole("button", { name: "View: Person three", exact: true })).toBeFocused();
  await expect(page).toHaveURL(/q=actor%3Ausr_3&view=view_/);

  await filterBy(page, "-action:doc.viewed");
  await expect(rowCount(page)).toHaveText(both);
  await expect(viewButton(page)).toHaveAccessibleName("View: Person three, changed");
  await choose(page, "Revert");
  await expect(rowCount(page)).toHaveText(one);
  await expect(viewButton(page)).toHaveAccessibleName("View: Person three");
  await page.goBack();
  await expect(rowCount(page)).toHaveText(both);
  await choose(page, "Save changes");
  await expect(viewButton(page)).toHaveAccessibleName("View: Person three");
  await page.reload();
  await expect(viewButton(page)).toHaveAccessibleName("View: Person three");
  await expect(rowCount(page)).toHaveText(both);

  // Columns and density are part of it.
  await page.getByRole("button", { name: "Columns" }).press("Enter");
  await page.getByRole("button", { name: "Hide IP" }).press("Enter");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("columnheader", { name: "IP" })).toHaveCount(0);
  await expect(viewButton(page)).toHaveAccessibleName("View: Person three, changed");
  await choose(page, "Save changes");
  await expect(viewButton(page)).toHaveAccessibleName("View: Person three");
  await choose(page, "All events");
  await expect(rowCount(page)).toHaveText("100+ events");
  await expect(page.getByRole("columnheader", { name: "IP" })).toBeVisible();

  await saveAs(page, "Person three");
  await expect(page.getByRole("alert")).toContainText(
    "You already have a view named “Person three”",
  );
  await nameField(page).fill("Everything");
  await page.keyboard.press("Enter");
  await expect(viewButton(page)).toHaveAccessibleName("View: Everything");
  await choose(page, "Rename or share…");
  await nameField(page).fill("All of it");
  await page.keyboard.press("Enter");
  await expect(viewButton(page)).toHaveAccessibleName("View: All of it");
  await choose(page, /^Person three/);
  await expect(rowCount(page)).toHaveText(both);
  await expect(page.getByRole("columnheader", { name: "IP" })).toHaveCount(0);

  await choose(page, "Delete…");
  await page.getByRole("button", { name: "Keep" }).press("Enter");
  await expect(viewButton(page)).toHaveAccessibleName("View: Person three");
  await choose(page, "Delete…");
  await page.getByRole("button", { name: "Delete" }).press("Enter");
  await expect(viewButton(page)).toHaveAccessibleName("View: none");
  await viewButton(page).press("Enter");
  await expect(page.getByRole("menuitem", { name: /All of it/ })).toBeVisible();
  await expect(page.getByRole("menuitem", { name: /Person three/ })).toHaveCount(0);
  // Menus stand outside the page's landmarks.
  const menu = axe(page).include('[role="menu"]').disableRules("region");
  expect((await menu.analyze()).violations).toEqual([]);
  await page.keyboard.press("Escape");
  await choose(page, "Save as new view…");
  await expectAccessible(page, "a view's name");
});

test("a colleague opens a shared view, and the link to a private one without learning of it", async ({
  signedIn: page,
  server,
  organization,
  browser,
}) => {
  await filterBy(page, "actor:usr_3");
  await saveAs(page, "Shared one", true);
  await expect(viewButton(page)).toHaveAccessibleName("View: Shared one");
  await filterBy(page, "action:doc.viewed");
  await saveAs(page, "Private one");
  await expect(viewButton(page)).toHaveAccessibleName("View: Private one");
  const privateUrl = page.url();
  const found = await rowCount(page).innerText();

  const colleague = await asMember(browser, server, organization.id);
  await colleague.goto(`/o/${organization.id}/events`);
  await choose(colleague, /^Shared one/);
  await expect(rowCount(colleague)).toHaveText(
    await countOf(server, organization.id, "actor_id = 'usr_3'"),
  );
  await viewButton(colleague).press("Enter");
  await expect(colleague.getByRole("menuitem", { name: "Star" })).toBeVisible();
  for (const name of ["Rename or share…", "Delete…", /Private one/])
    await expect(colleague.getByRole("menuitem", { name })).toHaveCount(0);
  await colleague.keyboard.press("Escape");
  await choose(colleague, "Star");
  await viewButton(colleague).press("Enter");
  await expect(
    colleague
      .getByRole("group", { name: "Starred" })
      .getByRole("menuitem", { name: /^Shared one/ }),
  ).toBeVisible();

  await colleague.goto(privateUrl);
  await expect(rowCount(colleague)).toHaveText(found);
  await expect(viewButton(colleague)).toHaveAccessibleName("View: none");
  await viewButton(colleague).press("Enter");
  await expect(colleague.getByText("The view in this link is private or gone.")).toBeVisible();
  expect(await colleague.content()).not.toContain("Private one");
  await colleague.context().close();
});

test("a default view is what Events opens with; everything stays a step away", async ({
  signedIn: page,
  server,
  organization,
}) => {
  const some = await countOf(server, organization.id, "action = 'doc.viewed'");
  await filterBy(page, "action:doc.viewed");
  await saveAs(page, "Looked at");
  await choose(page, "Make it my default");
  await page.goto(`/o/${organization.id}/integrity`);
  await page.getByRole("link", { name: "Events" }).press("Enter");
  await expect(viewButton(page)).toHaveAccessibleName("View: Looked at");
  await expect(rowCount(page)).toHaveText(some);
  await expect(page).toHaveURL(/q=action%3Adoc\.viewed&view=view_/);
  await page.goto(`/o/${organization.id}/events`);
  await expect(rowCount(page)).toHaveText(some);

  await page.goto(`/o/${organization.id}/events?view=none`);
  await expect(rowCount(page)).toHaveText("100+ events");
  await filterBy(page, "actor:usr_3");
  await expect(rowCount(page)).toHaveText(
    await countOf(server, organization.id, "actor_id = 'usr_3'"),
  );
  await page.getByRole("button", { name: /^Remove filter/ }).press("Enter");
  await expect(rowCount(page)).toHaveText("100+ events");
});

test("a view whose filter is no longer understood says so and keeps its words", async ({
  signedIn: page,
  server,
  organization,
}) => {
  await filterBy(page, "action:doc.viewed");
  await saveAs(page, "From before");
  await expect(viewButton(page)).toHaveAccessibleName("View: From before");
  await runSql(server, [
    "UPDATE saved_views SET search = 'q=actr%3Ausr_3' WHERE organization_id = $1",
    [organization.id],
  ]);
  await page.goto(`/o/${organization.id}/events?view=none`);
  await choose(page, /^From before/);
  await expect(page.getByText("Query not run")).toBeVisible();
  await expect(page.getByText("actr is not a field").first()).toBeVisible();
  await expect(viewButton(page)).toHaveAccessibleName("View: From before");
  await expect(page).toHaveURL(/q=actr%3Ausr_3/);
});
