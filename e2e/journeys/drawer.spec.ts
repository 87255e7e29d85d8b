import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { expectAccessibleNow } from "../fixtures/accessible";
import { eventsForTests, importEvents, runSql } from "../fixtures/log";

// Nobody writes to it: one log serves all of these tests.
let organization: { id: string };
const CHANGED = {
  action: "policy.changed",
  occurred_at: "2026-04-01T12:00:00.000Z",
  actor: { type: "user", id: "usr_1", name: "Person 1" },
  targets: [{ type: "policy", id: "pol_1", name: "Access" }],
  context: { location: "10.0.0.1", user_agent: "curl/8" },
  metadata: {
    before: { rule: "allow read for staff", roles: ["admin", "viewer"] },
    after: { rule: "allow write for staff", roles: ["admin", "owner"] },
    request: "it's special",
  },
};

test.beforeAll(async ({ server }) => {
  organization = await server.cliJson("orgs", "create", "--name", "Drawer");
  await importEvents(server, organization.id, [...eventsForTests(250), CHANGED]);
});

const eventsPath = (query = "") => `/o/${organization.id}/events${query}`;
const rowsOf = (page: Page) => page.getByTestId("event-row");
const rowCount = (page: Page) => page.getByTestId("row-count");
const title = (page: Page) => page.getByTestId("drawer-title");

async function count(server: Parameters<typeof runSql>[0], condition: string): Promise<number> {
  const [row] = await runSql<{ n: string }>(server, [
    `SELECT count(*) AS n FROM events WHERE organization_id = $1 AND (${condition})`,
    [organization.id],
  ]);
  return Number(row?.n);
}

test("opens by key with the focus on its title, steps through pages, and gives the focus back", async ({
  signedIn: page,
}) => {
  await page.goto(eventsPath());
  await expect(rowCount(page)).toHaveText("100+ events");
  await expect(async () => {
    if ((await page.locator('[data-testid="event-row"][aria-selected="true"]').count()) === 0)
      await page.keyboard.press("j");
    await expect(rowsOf(page).first()).toHaveAttribute("aria-selected", "true", { timeout: 1_000 });
  }).toPass();
  await page.keyboard.press("Enter");
  await expect(title(page)).toBeFocused();
  await expect(title(page)).toHaveText("policy.changed");
  await expect(page.getByText("1 of 100+")).toBeVisible();
  // As fast as pages come.
  const position = page.getByText(/^\d+ of \d+\+?$/);
  await expect(async () => {
    const at = Number.parseInt((await position.textContent()) ?? "", 10);
    for (let step = at; step < 121; step += 1) await page.keyboard.press("j");
    await expect(position).toHaveText(/^121 of/, { timeout: 500 });
  }).toPass();
  const id = new URL(page.url()).searchParams.get("event");
  await expect(page.locator(`#row-${id}`)).toBeInViewport();
  await page.keyboard.press("Escape");
  await expect(title(page)).toHaveCount(0);
  await expect(page.getByRole("grid", { name: "Events" })).toBeFocused();
});

test("says what changed, word by word and element by element", async ({ signedIn: page }) => {
  await page.goto(eventsPath("?q=action%3Apolicy.changed%20target%3Apol_1"));
  await rowsOf(page).first().click();
  await page.getByRole("tab", { name: "Summary" }).focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("tab", { name: /Changes/ })).toBeFocused();
  const panel = page.getByRole("tabpanel");
  await expect(panel.locator("del")).toHaveText(["removed read", "removed viewer"]);
  await expect(panel.locator("ins")).toHaveText(["added write", "added owner"]);
  // An event without two sides has no such tab.
  await page.goto(eventsPath("?q=action%3Adoc.viewed"));
  await rowsOf(page).first().click();
  await expect(page.getByRole("tab")).toHaveText(["Summary", "JSON", "Integrity", "Deliveries"]);
});

test("a leaf of the JSON filters by key, and the filter can be undone", async ({
  signedIn: page,
  server,
}) => {
  await page.goto(eventsPath());
  await rowsOf(page).nth(3).click();
  await page.getByRole("tab", { name: "JSON" }).click();
  await page.getByLabel("Find in JSON").fill("note");
  await expect(page.getByText("1 found")).toBeVisible();
  await page.getByLabel("Find in JSON").press("Enter");
  await page.getByRole("tree").focus();
  await page.keyboard.press("e");
  const others = await count(server, "metadata ->> 'note' IS DISTINCT FROM 'routine'");
  await expect(rowCount(page)).toHaveText(`${others} events`);
  await page.getByRole("button", { name: "Undo" }).click();
  await expect(rowCount(page)).toHaveText("100+ events");
  expect(new URL(page.url()).searchParams.get("q")).toBeNull();
});

test("every cell pivots: by button, by menu, as a column, to the same hour", async ({
  signedIn: page,
  server,
}) => {
  await page.goto(eventsPath("?q=actor%3Ausr_1"));
  await expect(rowsOf(page).first()).toBeVisible();
  const mine = await count(server, "actor_id = 'usr_1'");
  await expect(rowCount(page)).toHaveText(`${mine} events`);
  // The keyboard: to the action's cell, exclude it.
  await page.keyboard.press("j");
  for (const key of ["ArrowRight", "ArrowRight", "ArrowRight", "e"]) await page.keyboard.press(key);
  await expect(rowCount(page)).toHaveText(
    `${await count(server, "actor_id = 'usr_1' AND action <> 'policy.changed'")} events`,
  );
  // The mouse: the right button on an address.
  await rowsOf(page)
    .getByText(/^10\.0\./)
    .first()
    .click({ button: "right" });
  await page.getByRole("menuitem", { name: "Only this ip" }).click();
  await expect(page.getByRole("button", { name: "Undo" }).first()).toBeVisible();
  await expect(page).toHaveURL(/ip%3A/);
  const ip = new URL(page.url()).searchParams.get("q")?.split("ip:")[1];
  const there = await count(
    server,
    `actor_id = 'usr_1' AND action <> 'policy.changed' AND location = '${ip}'`,
  );
  await expect(rowCount(page)).toHaveText(`${there} event${there === 1 ? "" : "s"}`);
  await page.keyboard.press("j");
  await expect(rowsOf(page).first()).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press(".");
  await page.getByRole("menuitem", { name: "Same hour (UTC)" }).click();
  await expect(page).toHaveURL(/from=.*to=/);
  const url = new URL(page.url());
  const spanMs =
    Date.parse(url.searchParams.get("to") ?? "") - Date.parse(url.searchParams.get("from") ?? "");
  expect(spanMs).toBe(3_600_000);
});

test("shows what else happened around an event, which stays open", async ({
  signedIn: page,
  server,
}) => {
  await page.goto(eventsPath());
  await rowsOf(page).nth(20).click();
  const id = new URL(page.url()).searchParams.get("event");
  await page.getByRole("link", { name: "everything" }).click();
  await expect(page).toHaveURL(/from=/);
  const around = await count(
    server,
    `abs(extract(epoch FROM occurred_at - (SELECT occurred_at FROM events WHERE id = '${id}' AND organization_id = $1))) <= 900`,
  );
  await expect(rowCount(page)).toHaveText(new RegExp(`^${around} events?$`));
  await expect(title(page)).toBeVisible();
  await expect(page.locator(`#row-${id}`)).toBeVisible();
});

for (const colorScheme of ["light", "dark"] as const)
  test(`is accessible with every tab open, and fits a small screen (${colorScheme})`, async ({
    signedIn: page,
  }) => {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const [width, height] of [
      [1440, 900],
      [390, 844],
    ] as const) {
      await page.setViewportSize({ width, height });
      await page.goto(eventsPath("?q=target%3Apol_1"));
      await rowsOf(page).first().click();
      await expect(title(page)).toBeVisible();
      for (const name of ["Summary", /Changes/, "JSON", "Integrity"] as const) {
        await page.getByRole("tab", { name }).click();
        await expect(page.getByRole("tabpanel")).not.toBeEmpty();
        await expectAccessibleNow(page, String(name));
      }
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
        width,
      );
    }
  });
