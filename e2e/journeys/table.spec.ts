import type { Page } from "@playwright/test";
import { expect, signIn, test } from "../fixtures";
import { runSql } from "../fixtures/log";
import type { TestServer } from "../server";

// 100,000 synthetic events: nobody writes to them, one log serves all of these tests.
const EVENTS = 100_000;
let organization: { id: string };

test.beforeAll(async ({ server }) => {
  organization = await server.cliJson("orgs", "create", "--name", "Large");
  await server.cliJson("seed", "--org", organization.id, "--events", String(EVENTS));
});

const eventsPath = (query = "") => `/o/${organization.id}/events${query}`;
const grid = (page: Page) => page.getByRole("grid", { name: "Events" });
const rowsOf = (page: Page) => page.getByTestId("event-row");
const rowCount = (page: Page) => page.getByTestId("row-count");
const heads = async (page: Page) =>
  (await page.getByRole("columnheader").allTextContents())
    .slice(1)
    .map((text) => text.replace(/,.*/, "").trim());

/** Ids in list order from SQL, `offset` rows down. */
async function idsAt(server: TestServer, offset: number, limit: number): Promise<string[]> {
  const rows = await runSql<{ id: string }>(server, [
    `SELECT id FROM events WHERE organization_id = $1
     ORDER BY occurred_at DESC, seq DESC OFFSET $2 LIMIT $3`,
    [organization.id, offset, limit],
  ]);
  return rows.map(({ id }) => id);
}

/** Scrolls until so many events are loaded. */
async function loadRows(page: Page, count: number): Promise<void> {
  await expect(async () => {
    await grid(page).evaluate((element) => element.scrollTo(0, element.scrollHeight));
    const text = (await rowCount(page).textContent()) ?? "";
    expect(Number.parseInt(text.replace(/\D/g, ""), 10)).toBeGreaterThanOrEqual(count);
  }).toPass({ intervals: [150], timeout: 60_000 });
}

test("columns of any field are added, moved, resized, hidden and remembered, by mouse and by keyboard", async ({
  signedIn: page,
  server,
}) => {
  await page.goto(eventsPath());
  await expect(rowCount(page)).toHaveText("100+ events");
  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByLabel("Add a field").fill("no such field");
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await expect(page.getByText("There is no field no such field")).toBeVisible();
  for (const field of ["metadata.request_id", "agent"]) {
    await page.getByLabel("Add a field").fill(field);
    await page.getByRole("button", { name: "Add", exact: true }).click();
  }
  await page.getByRole("button", { name: "Hide IP" }).click();
  await page.getByRole("button", { name: "Move agent left" }).click();
  await page.getByLabel("Relaxed").check();
  await page.keyboard.press("Escape");

  const [first] = await runSql<{ id: string; request_id: string; agent: string }>(server, [
    `SELECT id, metadata ->> 'request_id' AS request_id, context ->> 'user_agent' AS agent FROM events
     WHERE organization_id = $1 ORDER BY occurred_at DESC, seq DESC LIMIT 1`,
    [organization.id],
  ]);
  const shown = ["Seq", "Time", "Actor", "Action", "Target", "agent", "metadata.request_id"];
  const check = async () => {
    await expect.poll(() => heads(page)).toEqual(shown);
    const row = page.locator(`#row-${first?.id}`);
    await expect(row).toContainText(first?.request_id as string);
    await expect(row).toContainText(first?.agent as string);
    expect((await row.boundingBox())?.height).toBe(44);
  };
  await check();
  await page.reload();
  await check();

  // The head by keyboard: up from the first row, along it, move, widen.
  await grid(page).focus();
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  const actor = page.getByRole("columnheader", { name: "Actor" });
  const width = (await actor.boundingBox())?.width as number;
  await page.keyboard.press("Shift+ArrowRight");
  await expect.poll(async () => (await actor.boundingBox())?.width).toBe(Math.round(width) + 16);
  await page.keyboard.press("Alt+ArrowRight");
  expect((await heads(page))[3]).toBe("Actor");

  // Mouse: the edge of a head is dragged, a head is dropped on another.
  const handle = await actor.locator("span").last().boundingBox();
  if (!handle) throw new Error("No handle");
  await page.mouse.move(handle.x + 4, handle.y + 8);
  await page.mouse.down();
  await page.mouse.move(handle.x + 104, handle.y + 8, { steps: 4 });
  await page.mouse.up();
  await expect.poll(async () => (await actor.boundingBox())?.width).toBe(Math.round(width) + 116);
  await actor.dragTo(page.getByRole("columnheader", { name: "Target" }));
  expect((await heads(page)).slice(2, 5)).toEqual(["Action", "Target", "Actor"]);

  await page.getByRole("button", { name: "Columns" }).click();
  await page.getByRole("button", { name: "Reset" }).click();
  expect(await heads(page)).toEqual(["Seq", "Time", "Actor", "Action", "Target", "IP"]);
});

test("rows are chosen by key and by range, and copied as the events that they are", async ({
  signedIn: page,
  server,
  context,
}) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.goto(eventsPath());
  await expect(rowCount(page)).toHaveText("100+ events");
  const ids = await idsAt(server, 0, 8);
  // From anywhere on the page, once its script is there.
  await expect(async () => {
    if ((await page.locator('[data-testid="event-row"][aria-selected="true"]').count()) === 0)
      await page.keyboard.press("j");
    await expect(rowsOf(page).first()).toHaveAttribute("aria-selected", "true", { timeout: 1_000 });
  }).toPass();
  await page.keyboard.press("x");
  for (let step = 0; step < 5; step += 1) await page.keyboard.press("j");
  await page.keyboard.press("Shift+X");
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await expect(page.getByText("7 selected")).toBeVisible();
  await page.getByRole("button", { name: "Copy as JSON" }).click();
  await expect(page.getByText("Copied 7 as JSON")).toBeVisible();
  const json = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()));
  expect(json.map((event: { id: string }) => event.id)).toEqual(ids.slice(0, 7));
  await page.getByRole("button", { name: "Copy as CSV" }).click();
  await expect(page.getByText("Copied 7 as CSV")).toBeVisible();
  const csv = await page.evaluate(() => navigator.clipboard.readText());
  expect(
    csv
      .split("\n")
      .slice(1, 8)
      .map((line) => line.split(",")[0]),
  ).toEqual(ids.slice(0, 7));
  await page.getByRole("button", { name: "Clear" }).click();
  await expect(page.getByText("selected")).toHaveCount(0);
});

test("a list of many pages keeps its order while pages are let go and come back", async ({
  signedIn: page,
  server,
}) => {
  await page.goto(eventsPath());
  await loadRows(page, 2_300);
  const ids = await idsAt(server, 0, 2_300);
  for (const index of [250, 2_200, 120, 1_500]) {
    await grid(page).evaluate((element, at) => element.scrollTo(0, at * 28), index);
    const row = page.locator(`#row-${ids[index]}`);
    await expect(row).toBeVisible();
    await expect(row).toHaveAttribute("aria-rowindex", String(index + 2));
  }
});

test("a colleague who opens the address of an event far down sees it among its neighbours", async ({
  signedIn: page,
  server,
  browser,
}) => {
  const ids = await idsAt(server, 49_990, 20);
  await page.goto(eventsPath(`?event=${ids[10]}`));
  await expect(page.locator(`#row-${ids[10]}`)).toBeVisible();
  const colleague = await browser.newContext({ baseURL: server.url });
  const other = await colleague.newPage();
  await signIn(other, server.url);
  await other.goto(page.url());
  // Older ones below, newer ones above: the pages go on in both directions.
  for (const id of ids.slice(6, 20)) await expect(other.locator(`#row-${id}`)).toBeAttached();
  await grid(other).evaluate((element) => element.scrollTo(0, 0));
  const newer = (await idsAt(server, 49_400, 500)).reverse();
  await expect(async () => {
    // Less than is in view: the row cannot be passed over.
    await grid(other).evaluate((element) => element.scrollBy(0, -500));
    await expect(other.locator(`#row-${newer[350]}`)).toBeAttached({ timeout: 300 });
  }).toPass({ timeout: 60_000, intervals: [100] });
  await colleague.close();
});

test("back and forward return to the place in the list, and two tabs do not disturb each other", async ({
  signedIn: page,
  context,
}) => {
  await page.goto(eventsPath());
  await loadRows(page, 400);
  await grid(page).evaluate((element) => element.scrollTo(0, 5_000));
  const second = await context.newPage();
  await second.goto(eventsPath("?q=action%3Auser.created"));
  await expect(rowsOf(second).first()).toContainText("user.created");
  const filter = page.getByRole("combobox", { name: "Filter", exact: true });
  await filter.first().fill("action:user.deleted");
  await filter.first().press("Enter");
  await expect(rowsOf(page).first()).toContainText("user.deleted");
  await page.goBack();
  await expect.poll(() => grid(page).evaluate((element) => element.scrollTop)).toBe(5_000);
  await expect(rowCount(page)).not.toHaveText("100+ events");
  await expect(rowsOf(second).first()).toContainText("user.created");
  await page.goForward();
  await expect(rowsOf(page).first()).toContainText("user.deleted");
});

test("a search without an index answers at once, says how far it came, and goes on", async ({
  signedIn: page,
  server,
}) => {
  const [rare] = await runSql<{ request_id: string; seq: string }>(server, [
    `SELECT seq, metadata ->> 'request_id' AS request_id FROM events WHERE organization_id = $1
     ORDER BY occurred_at, seq LIMIT 1`,
    [organization.id],
  ]);
  await page.goto(eventsPath(`?q=metadata.request_id%3A${rare?.request_id}`));
  // Nothing is called empty before all was searched; in the end the oldest event of all is found.
  await expect(page.getByText("No events match")).toHaveCount(0);
  await expect(async () => {
    const more = page.getByRole("button", { name: "Continue" });
    if (await more.isVisible()) await more.click({ timeout: 1_000 });
    await expect(rowsOf(page)).toHaveCount(1, { timeout: 500 });
  }).toPass();
  await expect(rowsOf(page)).toContainText(`#${rare?.seq}`);
});

test("a time explains itself to mouse and keyboard: every clock, its age, when it was received", async ({
  signedIn: page,
  server,
}) => {
  await page.goto(eventsPath());
  const [event] = await runSql<{ occurred: Date; recorded: Date }>(server, [
    `SELECT occurred_at AS occurred, recorded_at AS recorded FROM events WHERE organization_id = $1
     ORDER BY occurred_at DESC, seq DESC LIMIT 1`,
    [organization.id],
  ]);
  if (!event) throw new Error("No events");
  const card = page.getByRole("tooltip");
  await rowsOf(page).first().locator("time").hover();
  await expect(card).toContainText(`Epoch, ms${event.occurred.getTime()}`);
  await expect(card).toContainText(event.recorded.toISOString().slice(11, 23));
  await card.hover();
  await expect(card).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(card).toHaveCount(0);
  await page.mouse.move(2, 2);
  await page.keyboard.press("j");
  await page.keyboard.press("ArrowRight");
  await expect(card).toContainText("Relative");
  await page.keyboard.press("ArrowRight");
  await expect(card).toHaveCount(0);

  // Who opens the event from here has done with the time: one Escape closes the event.
  await page.keyboard.press("ArrowLeft");
  await expect(card).toContainText("Relative");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("drawer-title")).toBeFocused();
  await expect(card).toHaveCount(0);
  await page.keyboard.press("Escape");
  await expect(page.getByTestId("drawer-title")).toHaveCount(0);
});
