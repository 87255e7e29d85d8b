import type { Locator, Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { expectAccessible } from "../fixtures/accessible";
import { eventsForTests, importEvents, runSql } from "../fixtures/log";
import type { TestServer } from "../server";

const EVENTS = 400;
test.use({ timezoneId: "Asia/Kolkata" });

let organization: { id: string };
test.beforeAll(async ({ server }) => {
  organization = await server.cliJson("orgs", "create", "--name", "Typed");
  await importEvents(server, organization.id, eventsForTests(EVENTS));
});
test.beforeEach(async ({ signedIn: page }) => {
  await page.goto(`/o/${organization.id}/events`);
  await expect(rowCount(page)).toHaveText("100+ events");
});

const rowCount = (page: Page) => page.getByTestId("row-count");
const input = (page: Page) => page.getByRole("combobox", { name: "Filter", exact: true });
const options = (page: Page) => page.getByRole("option");
const chips = (page: Page) => page.getByRole("button", { name: /^Filter: / });
/** A key does nothing before the page has come to life. */
async function press(page: Page, key: string, focused: Locator): Promise<void> {
  await expect(async () => {
    await page.keyboard.press(key);
    await expect(focused).toBeFocused({ timeout: 1_000 });
  }).toPass();
}

const hasQuery = (page: Page, q: string | null) =>
  expect(page).toHaveURL((url) => url.searchParams.get("q") === q);

async function countOf(server: TestServer, condition: string): Promise<number> {
  const [row] = await runSql<{ count: number }>(server, [
    `SELECT count(*)::int AS count FROM events WHERE organization_id = $1 AND (${condition})`,
    [organization.id],
  ]);
  return row?.count ?? 0;
}

test("what is typed while an answer is on its way stays, and what is asked for meanwhile adds up", async ({
  signedIn: page,
}) => {
  await page.goto(`/o/${organization.id}/events?q=actor:usr_3%20action:doc.viewed`);
  await expect(chips(page)).toHaveCount(2);
  await page.route(
    (url) => url.searchParams.has("_rsc"),
    async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await route.continue().catch(() => undefined);
    },
  );
  await press(page, "/", input(page));
  await page
    .getByRole("button", { name: /^Remove filter/ })
    .first()
    .click();
  await expect(chips(page)).toHaveCount(1);
  await input(page).fill("-actor:usr_4");
  await hasQuery(page, "action:doc.viewed");
  await expect(input(page)).toHaveValue("-actor:usr_4");
  await input(page).press("Enter");
  await expect(chips(page)).toHaveCount(2);
  await input(page).fill("-actor:usr_5");
  await input(page).press("Enter");
  await hasQuery(page, "action:doc.viewed -actor:usr_4 -actor:usr_5");
  await expect(chips(page)).toHaveCount(3);
  await expect(input(page)).toHaveValue("");
  await page.goBack();
  await expect(chips(page)).not.toHaveCount(3);
});

test("a filter is built by the keyboard alone, from what the log holds", async ({
  signedIn: page,
  server,
}) => {
  await press(page, "/", input(page));
  await page.keyboard.type("-act");
  await expect(options(page).first()).toHaveText(/^action/);
  await page.keyboard.type("or:person");
  // By the name that the field's values go by.
  await expect(options(page).first()).toContainText("Person");
  await page.keyboard.press("ArrowDown");
  await expect(input(page)).toHaveAttribute(
    "aria-activedescendant",
    (await options(page).first().getAttribute("id")) as string,
  );
  const actor = /usr_\d/.exec(await options(page).first().innerText())?.[0] as string;
  await page.keyboard.press("Enter");
  await expect(input(page)).toHaveValue(`-actor:${actor} `);
  await page.keyboard.type('action:doc.* ip:10.0.0.0/8 metadata.note:"Quarterly rev');
  await expect(options(page).first()).toHaveText(/^Quarterly review/);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  const q = `-actor:${actor} action:doc.* ip:10.0.0.0/8 metadata.note:"Quarterly review"`;
  await expect(input(page)).toHaveValue(`${q} `);
  await page.keyboard.press("Enter");
  await hasQuery(page, q);
  const found = await countOf(
    server,
    `actor_id <> '${actor}' AND action LIKE 'doc.%' AND ip <<= '10.0.0.0/8'
      AND metadata ->> 'note' = 'Quarterly review'`,
  );
  await expect(rowCount(page)).toHaveText(`${found} event${found === 1 ? "" : "s"}`);
  await expect(chips(page)).toHaveCount(4);

  // Backspace marks the last chip, again takes it away; arrows go along the chips.
  await page.keyboard.press("Backspace");
  await expect(chips(page).nth(3)).toBeFocused();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await expect(chips(page).nth(1)).toBeFocused();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Backspace");
  await hasQuery(page, `-actor:${actor} action:doc.* ip:10.0.0.0/8`);
  await expect(input(page)).toBeFocused();

  // The menu of a chip: its clause is edited where it stands, Escape leaves it as it was.
  await chips(page).nth(1).press("Enter");
  await page.getByRole("menuitem", { name: "Edit" }).press("Enter");
  await expect(input(page)).toHaveValue("action:doc.*");
  await input(page).fill("action:user.*");
  await input(page).press("Escape");
  await expect(chips(page)).toHaveCount(3);
  await chips(page).nth(1).press("Enter");
  await page.getByRole("menuitem", { name: "Edit" }).press("Enter");
  await input(page).fill("action:user.*");
  await input(page).press("Enter");
  await hasQuery(page, `-actor:${actor} action:user.* ip:10.0.0.0/8`);
  await chips(page).nth(0).press("Enter");
  await page.getByRole("menuitem", { name: "Invert" }).press("Enter");
  await hasQuery(page, `actor:${actor} action:user.* ip:10.0.0.0/8`);

  // What was typed is offered again where there is none.
  await page.goto(`/o/${organization.id}/events`);
  await press(page, "/", input(page));
  await expect(options(page).first()).toContainText("recent");
});

test("what is wrong is underlined while one types, and nothing runs until it is mended", async ({
  signedIn: page,
}) => {
  await press(page, "/", input(page));
  await page.keyboard.type("actr:usr_3");
  await expect(page.getByText("actr is not a field.")).toBeVisible();
  await expect(page.getByTestId("filter-underline")).toHaveText("actr");
  await page.keyboard.press("Enter");
  await expect(input(page)).toHaveValue("actr:usr_3");
  await hasQuery(page, null);
  await page.keyboard.press("Tab");
  await expect(input(page)).toHaveValue("actor:usr_3");
  await page.keyboard.press("Enter");
  await hasQuery(page, "actor:usr_3");
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Filter language" });
  await expect(help.getByText("actor.metadata.key")).toBeVisible();
  await expectAccessible(page, "help on the filter language");
  await page.keyboard.press("Escape");
  await expect(input(page)).toBeFocused();
  await page.keyboard.type("acti");
  await expect(options(page).first()).toBeVisible();
});

test("a time is typed, read back, stepped and pinned, in the zone in force", async ({
  signedIn: page,
  server,
}) => {
  const panel = page.getByRole("dialog", { name: "Time" });
  const line = panel.getByRole("textbox", { name: "Time range" });
  await press(page, "t", line);
  await expect(panel.getByText("Events are kept since 2026-03-02 11:30")).toBeVisible();
  await line.fill("2026-02-30");
  await expect(panel.getByText("There is no 2026-02-30.")).toBeVisible();
  await line.fill("2026-03-02");
  await expect(panel.getByText("From 2026-03-02 UTC+05:30 up to 2026-03-03")).toBeVisible();
  await line.press("Enter");
  const dayCount = (from: string) =>
    countOf(
      server,
      `occurred_at >= timestamptz '${from}' AND occurred_at < timestamptz '${from}' + interval '1 day'`,
    );
  const first = await dayCount("2026-03-02T00:00:00+05:30");
  await expect(rowCount(page)).toHaveText(new RegExp(`^(\\d+\\+|${first}) events$`));
  await expect(page).toHaveURL(
    (url) => url.searchParams.get("from") === "2026-03-01T18:30:00.000Z",
  );
  await page.getByRole("button", { name: "Later" }).click();
  await expect(page.getByRole("button", { name: "Time: 2026-03-03" })).toBeVisible();

  await page.keyboard.press("t");
  await line.fill("last 2 hours");
  await line.press("Enter");
  await expect(page).toHaveURL((url) => url.searchParams.get("range") === "2h");
  await page.getByRole("button", { name: /^Pin/ }).click();
  await expect(page).toHaveURL(
    (url) => url.searchParams.get("range") === null && url.searchParams.get("to") !== null,
  );

  await page.goto(`/o/${organization.id}/events`);
  await page.getByRole("button", { name: /Asia\/(Kolkata|Calcutta)/ }).click();
  await page.getByRole("textbox", { name: "Search time zones" }).fill("new york");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "America/New_York" })).toBeVisible();
  await expect(page.getByRole("columnheader", { name: /^Time/ })).toBeVisible();
  await page.keyboard.press("u");
  await expect(page.getByRole("columnheader", { name: "Time, UTC", exact: true })).toBeVisible();
  await page.keyboard.press("u");
  await expect(page.getByRole("button", { name: "America/New_York" })).toBeVisible();
});

test("an empty result tells what each part would bring back", async ({
  signedIn: page,
  server,
}) => {
  await page.goto(
    `/o/${organization.id}/events?q=actor%3Ausr_3+action%3Anothing&from=2026-03-02&to=2026-03-03`,
  );
  const within = "occurred_at >= '2026-03-02Z' AND occurred_at < '2026-03-03Z'";
  const found = await countOf(server, `actor_id = 'usr_3' AND ${within}`);
  expect(found).toBeGreaterThan(0);
  const part = (name: string) => page.getByRole("button", { name: new RegExp(`^${name}`) });
  await expect(part("actor is usr_3")).toContainText("0 events");
  await expect(part("time")).toContainText("0 events");
  await expect(part("action is nothing")).toContainText(`${found} events`);
  await part("action is nothing").click();
  await expect(rowCount(page)).toHaveText(`${found} events`);
});

test("on a phone's width the same key brings the filters up and types into them", async ({
  signedIn: page,
  server,
}) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const field = page.getByRole("dialog", { name: "Filters" }).getByRole("combobox", {
    name: "Filter",
    exact: true,
  });
  await press(page, "/", field);
  await page.keyboard.type("ip:10.0.0.0/8");
  await page.keyboard.press("Enter");
  await hasQuery(page, "ip:10.0.0.0/8");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  const found = Math.min(100, await countOf(server, "ip <<= '10.0.0.0/8'"));
  await expect(rowCount(page)).toContainText(`${found}`);
  // A tap does not call for the keyboard on the screen.
  await page.getByRole("button", { name: "Filters" }).click();
  await expect(field).toBeVisible();
  await expect(field).not.toBeFocused();
});
