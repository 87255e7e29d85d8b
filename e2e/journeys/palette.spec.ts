import { gzipSync } from "node:zlib";
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { expectAccessible } from "../fixtures/accessible";
import { eventsForTests, importEvents, runSql } from "../fixtures/log";

const BUDGET_BYTES = 30_000;

const input = (page: Page) => page.getByRole("combobox", { name: "Search or jump to" });
const option = (page: Page, name: string | RegExp) => page.getByRole("option", { name });
const rowCount = (page: Page) => page.getByTestId("row-count");

/** Opens the palette and types, by keys alone. */
async function ask(page: Page, text: string): Promise<void> {
  await page.keyboard.press("Control+k");
  await expect(input(page)).toBeFocused();
  await page.keyboard.type(text);
}

test.beforeEach(async ({ signedIn: page, server, organization }) => {
  await importEvents(server, organization.id, eventsForTests(150));
  await page.goto(`/o/${organization.id}/events?view=none`);
  await expect(rowCount(page)).toHaveText("100+ events");
});

for (const [delayMs, betweenMs] of [
  [40, 60],
  [600, 0],
] as const)
  test(`letters typed while the palette comes in ${delayMs} ms are in it, and are no shortcuts of the page`, async ({
    signedIn: page,
  }) => {
    await page.route("**/_next/static/chunks/**", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await route.continue();
    });
    await page.keyboard.press("Control+k");
    await page.keyboard.type("/actor:usr_33", { delay: betweenMs });
    await page.keyboard.press("Backspace");
    await expect(input(page)).toBeFocused();
    await expect(input(page)).toHaveValue("/actor:usr_3");
    await page.keyboard.press("Escape");
    await expect(input(page)).toHaveCount(0);
    await page.keyboard.press("Control+k");
    await expect(input(page)).toHaveValue("");
  });

test("a palette that is closed before it has come stays closed, and forgets what was typed", async ({
  signedIn: page,
}) => {
  let come = () => {};
  const isToCome = new Promise<void>((resolve) => {
    come = resolve;
  });
  await page.route("**/_next/static/chunks/**", async (route) => {
    await isToCome;
    await route.continue();
  });
  await page.keyboard.press("Control+k");
  await page.keyboard.type("abc");
  await page.keyboard.press("Escape");
  const loaded = page.waitForResponse("**/_next/static/chunks/**");
  come();
  await (await loaded).finished();
  await expect(input(page)).toHaveCount(0);
  await page.keyboard.press("Control+k");
  await expect(input(page)).toHaveValue("");
});

test("what is selected while no actor fits gives way to the one that an answer brings", async ({
  signedIn: page,
}) => {
  let come = () => {};
  const isToCome = new Promise<void>((resolve) => {
    come = resolve;
  });
  await page.route(
    (url) => url.searchParams.get("text") === "person 3",
    async (route) => {
      await isToCome;
      await route.continue();
    },
  );
  await ask(page, "@");
  await expect(option(page, /usr_/)).not.toHaveCount(0);
  await expect(option(page, /usr_3/)).toHaveCount(0);
  await page.keyboard.type("person 3");
  await expect(option(page, "The id person 3")).toHaveAttribute("aria-selected", "true");
  come();
  const found = option(page, /usr_3/).first();
  await expect(found).toHaveAttribute("aria-selected", "true");
  // What a screen reader follows.
  const id = (await found.getAttribute("id")) as string;
  await expect(input(page)).toHaveAttribute("aria-activedescendant", id);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/timeline\?actor=user%3Ausr_3$/);
});

test("the palette goes by filter, actor, target, event id and name, with the keyboard alone", async ({
  signedIn: page,
  server,
  organization,
}) => {
  const found = (condition: string) =>
    runSql<{ id: string; action: string }>(server, [
      `SELECT id, action FROM events WHERE organization_id = $1 AND (${condition})`,
      [organization.id],
    ]);
  await ask(page, "/actr:usr_3");
  await expect(page.getByRole("status").filter({ hasText: "actr is not a field" })).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(input(page)).toHaveValue("/actor:usr_3");
  await page.keyboard.type(" -action:doc.viewed");
  await expect(option(page, /^Filter events by/)).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(input(page)).toHaveCount(0);
  const filtered = await found("actor_id = 'usr_3' AND action <> 'doc.viewed'");
  await expect(rowCount(page)).toHaveText(`${filtered.length} events`);

  await ask(page, "@person 3");
  await expect(option(page, /usr_3/).first()).toHaveAttribute("aria-selected", "true");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/timeline\?actor=user%3Ausr_3$/);
  await expect(page.getByRole("heading", { name: "Person 3" })).toBeVisible();

  await ask(page, "#plan 4");
  await expect(option(page, /doc_4/)).toHaveCount(2);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL((url) => url.searchParams.get("q") === "target:doc_4");
  const touched = await found(`targets @> '[{"id": "doc_4"}]'`);
  await expect(rowCount(page)).toHaveText(`${touched.length} events`);

  const [event] = await found("seq = 7");
  await ask(page, `${event?.id.slice("audit_event_".length).toLowerCase()}`);
  await expect(option(page, /^Open event/)).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("drawer-title")).toHaveText(event?.action as string);

  await ask(page, "quarterly review");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL((url) => url.searchParams.get("q") === '"quarterly review"');

  await ask(page, "");
  const recent = page.getByRole("group", { name: "Recent" }).getByRole("option");
  await expect(recent).toHaveText([
    '"quarterly review"',
    event?.id as string,
    "target:doc_4",
    "Person 3",
    "actor:usr_3 -action:doc.viewed",
  ]);
  await expectAccessible(page, "palette");
  await page.keyboard.type("person");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/timeline\?actor=user%3Ausr_3$/);

  // Filters that are typed are remembered beside them.
  const filter = page.getByRole("combobox", { name: "Filter", exact: true });
  await filter.fill("action:doc.viewed");
  await filter.press("Enter");
  await expect(page).toHaveURL((url) => url.searchParams.get("q") === "action:doc.viewed");
  await ask(page, "");
  await expect(recent).toHaveCount(5);
});

test("the palette does what the page can do, opens saved views, and gives the focus back", async ({
  signedIn: page,
  organization,
}) => {
  const grid = page.getByRole("grid", { name: "Events" });
  await grid.focus();
  await ask(page, "");
  await page.keyboard.press("Escape");
  await expect(grid).toBeFocused();
  await ask(page, "next event");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("event-row").first()).toHaveAttribute("aria-selected", "true");
  await ask(page, "open the event");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("drawer-title")).toBeVisible();

  await page.goto(`/o/${organization.id}/events?q=action:doc.viewed`);
  const expected = await rowCount(page).innerText();
  await page.getByRole("button", { name: "View: none" }).click();
  await page.getByRole("menuitem", { name: "Save as new view…" }).click();
  await page.getByLabel("Name").fill("Looked at");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "View: Looked at" })).toBeVisible();
  for (const place of ["", "integrity", "integrity/streams", "settings/keys"]) {
    await page.goto(`/o/${organization.id}/${place}`);
    await ask(page, "looked at");
    const view = option(page, /^Looked at/).first();
    await expect(view).toBeVisible();
    // Views may come after what was typed.
    await page.keyboard.press("Home");
    await expect(view).toHaveAttribute("aria-selected", "true");
    await page.keyboard.press("Enter");
    await expect(page.getByRole("button", { name: "View: Looked at" })).toBeVisible();
    await expect(rowCount(page)).toHaveText(expected);
  }
});

test("the help sheet lists the keys that work here, and single keys can be switched off", async ({
  signedIn: page,
  organization,
}) => {
  const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  const at = (place: string) => new RegExp(`/o/${organization.id}${place}$`);
  await page.keyboard.press("g");
  await page.keyboard.press("i");
  await expect(page).toHaveURL(at("/integrity"));
  await page.keyboard.press("?");
  await expect(help.getByText("Search or jump to")).toBeVisible();
  await expect(help.getByText("Next event")).toHaveCount(0);
  await page.keyboard.press("Escape");
  await expect(help).toHaveCount(0);
  await page.keyboard.press("g");
  await page.keyboard.press("e");
  await expect(rowCount(page)).toBeVisible();
  await page.keyboard.press("?");
  for (const label of ["Next event", "Row below", "Integrity"])
    await expect(help.getByText(label)).toBeVisible();
  await expectAccessible(page, "help sheet");

  await help.getByRole("switch", { name: /Single-key shortcuts/ }).press("Space");
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("i");
  await page.keyboard.press("?");
  await expect(help).toHaveCount(0);
  await expect(page).toHaveURL(/\/events/);
  await ask(page, "keyboard shortcuts");
  await page.keyboard.press("Enter");
  await help.getByRole("switch", { name: /Single-key shortcuts/ }).press("Space");
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("i");
  await expect(page).toHaveURL(at("/integrity"));
});

test(`the palette is loaded when it first opens, in at most ${BUDGET_BYTES / 1_000} kB`, async ({
  signedIn: page,
}) => {
  await page.waitForLoadState("networkidle");
  const scripts: Promise<Buffer>[] = [];
  page.on("response", (response) => {
    if (/\.js(\?|$)/.test(response.url())) scripts.push(response.body());
  });
  await ask(page, "");
  await page.waitForLoadState("networkidle");
  const bytes = (await Promise.all(scripts)).reduce((sum, body) => sum + gzipSync(body).length, 0);
  test.info().annotations.push({ type: "palette", description: `${bytes} bytes` });
  expect(bytes).toBeGreaterThan(5_000);
  expect(bytes).toBeLessThanOrEqual(BUDGET_BYTES);
});
