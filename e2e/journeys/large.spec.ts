import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { runSql } from "../fixtures/log";
import type { TestServer } from "../server";

// Every pattern of the explorer on 100,000 events; the table alone has its own suite.
const EVENTS = 100_000;
let organization: { id: string; key: string };

test.beforeAll(async ({ server }) => {
  const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Crowded");
  const { key } = await server.cliJson<{ key: string }>(
    "keys",
    "create",
    "--name",
    "e2e",
    "--org",
    id,
  );
  organization = { id, key };
  await server.cliJson("seed", "--org", id, "--events", String(EVENTS), "--seed", "7");
});

test.beforeEach(async ({ signedIn: page }) => {
  await page.goto(`/o/${organization.id}/events`);
  await expect(rowCount(page)).toHaveText("100+ events");
});

const rowCount = (page: Page) => page.getByTestId("row-count");
const rows = (page: Page) => page.getByTestId("event-row");
const section = (page: Page, name: string) => page.getByRole("region", { name, exact: true });

/** What the list says of so many: further pages may have come in. */
const countWords = (count: number) =>
  new RegExp(`^(${count > 100 ? "\\d+\\+|" : ""}${count}) events?$`);

async function newest(server: TestServer, condition: string, limit: number): Promise<string[]> {
  const found = await runSql<{ id: string }>(server, [
    `SELECT id FROM events WHERE organization_id = $1 AND (${condition})
     ORDER BY occurred_at DESC, seq DESC LIMIT $2`,
    [organization.id, limit],
  ]);
  return found.map(({ id }) => id);
}

const shown = (page: Page, limit: number) =>
  rows(page).evaluateAll(
    (all, most) => all.slice(0, most).map((row) => row.id.replace("row-", "")),
    limit,
  );

async function countOf(server: TestServer, condition: string): Promise<number> {
  const [row] = await runSql<{ n: number }>(server, [
    `SELECT count(*)::int AS n FROM events WHERE organization_id = $1 AND (${condition})`,
    [organization.id],
  ]);
  return row?.n ?? 0;
}

test("by keyboard alone: a question, its events, one of them, and the story of who did it", async ({
  signedIn: page,
  server,
}) => {
  await expect(async () => {
    await page.keyboard.press("/");
    await expect(page.getByRole("combobox", { name: "Filter", exact: true })).toBeFocused({
      timeout: 200,
    });
  }).toPass();
  await page.keyboard.type("action:");
  await expect(page.getByRole("option").first()).toHaveText(/\.\w+/);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/q=action/);
  const q = new URL(page.url()).searchParams.get("q") as string;
  const action = q.slice("action:".length);
  await expect(async () =>
    expect(await shown(page, 12)).toEqual(await newest(server, `action = '${action}'`, 12)),
  ).toPass();

  // Out of the text, into the list.
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  const title = page.getByTestId("drawer-title");
  await expect(title).toBeFocused();
  const [, second, third] = await newest(server, `action = '${action}'`, 3);
  await expect(page).toHaveURL(new RegExp(`event=${second}`));
  await page.keyboard.press("j");
  await expect(page).toHaveURL(new RegExp(`event=${third}`));
  await page.keyboard.press("Escape");
  await expect(title).toHaveCount(0);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press(".");
  await page.getByRole("menuitem", { name: "Actor’s timeline" }).press("Enter");
  await expect(page).toHaveURL(/timeline\?actor=/);
  const actor = (new URL(page.url()).searchParams.get("actor") as string).replace(/^[^:]*:/, "");
  const [last] = await newest(server, `actor_id = '${actor}'`, 1);
  await expect(page.locator(`[data-row="${last}"]`)).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(/events\?q=action/);
  await expect(page.locator(`[id="row-${third}"]`)).toBeVisible();
});

test("by mouse alone: facets over a stated sample, a stretch of the histogram, a typed value", async ({
  signedIn: page,
  server,
}) => {
  // Actors are counted over the newest 4,000.
  const [top] = await runSql<{ name: string; id: string; n: number }>(server, [
    `SELECT coalesce(max(actor_name), actor_id) AS name, actor_id AS id, count(*)::int AS n FROM (
       SELECT * FROM events WHERE organization_id = $1 ORDER BY occurred_at DESC, seq DESC LIMIT 4000) e
     GROUP BY actor_id ORDER BY n DESC, actor_id LIMIT 1`,
    [organization.id],
  ]);
  if (!top) throw new Error("No actors");
  const counted = top.n.toLocaleString("en-US");
  await section(page, "Actor")
    .getByRole("button", { name: `${top.name}, ${counted}` })
    .click();
  await expect(page).toHaveURL(/q=actor/);
  await expect(async () =>
    expect(await shown(page, 12)).toEqual(await newest(server, `actor_id = '${top.id}'`, 12)),
  ).toPass();

  const histogram = page.getByTestId("histogram");
  const box = await histogram.boundingBox();
  if (!box) throw new Error("No histogram");
  await page.mouse.move(box.x + box.width * 0.4, box.y + 30);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.5, box.y + 30, { steps: 5 });
  await page.mouse.up();
  await expect(page).toHaveURL(/from=.*to=/);
  const params = new URL(page.url()).searchParams;
  const within = `actor_id = '${top.id}' AND occurred_at >= '${params.get("from")}' AND occurred_at < '${params.get("to")}'`;
  const total = await countOf(server, within);
  await expect(rowCount(page)).toHaveText(countWords(total));
  await expect(page.getByText(`${total.toLocaleString("en-US")} events`).first()).toBeVisible();

  // A clause that was clicked together is in force without a key.
  await page.getByRole("combobox", { name: "Filter" }).click();
  await page.getByRole("option", { name: /^action Action/ }).click();
  const option = page.getByRole("option").first();
  await expect(option).not.toHaveText(/^action/);
  const chosen = ((await option.locator("span").first().textContent()) ?? "").trim();
  await option.click();
  await expect(page).toHaveURL(
    (url) => url.searchParams.get("q")?.endsWith(`action:${chosen}`) ?? false,
  );
  const both = await countOf(server, `${within} AND action = '${chosen}'`);
  await expect(rowCount(page)).toHaveText(countWords(both));
});

test("the palette finds an actor among all, a view keeps a search, a new event appears by itself", async ({
  signedIn: page,
  request,
  server,
}) => {
  const [rare] = await runSql<{ id: string; type: string }>(server, [
    `SELECT actor_id AS id, actor_type AS type FROM events WHERE organization_id = $1
     GROUP BY 1, 2 ORDER BY count(*), 1 LIMIT 1`,
    [organization.id],
  ]);
  if (!rare) throw new Error("No rare actor");
  await page.keyboard.press("Control+k");
  await expect(page.getByRole("combobox", { name: "Search or jump to" })).toBeFocused();
  await page.keyboard.type(`@${rare.id}`);
  await expect(page.getByRole("option", { name: new RegExp(rare.id) }).first()).toBeVisible();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(
    (url) => url.searchParams.get("actor") === `${rare.type}:${rare.id}`,
  );
  const [only] = await newest(server, `actor_id = '${rare.id}'`, 1);
  await expect(page.locator(`[data-row="${only}"]`)).toBeVisible();

  await page.goto(`/o/${organization.id}/events?q=-action:user.*&range=24h`);
  await page.getByRole("button", { name: /^View/ }).click();
  await page.getByRole("menuitem", { name: "Save as new view…" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill("Not users");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/view=view_/);

  await page.goto(`/o/${organization.id}/events`);
  await expect(rowCount(page)).toHaveText("100+ events");
  await page.mouse.move(2, 2);
  await page.waitForLoadState("networkidle");
  await page.keyboard.press("l");
  await expect(page.getByRole("button", { name: /^Live/ })).toHaveAccessibleName("Live: on");
  const response = await request.post("/audit_logs/events", {
    headers: { authorization: `Bearer ${organization.key}` },
    data: {
      organization_id: organization.id,
      event: {
        action: "door.opened",
        occurred_at: new Date().toISOString(),
        actor: { type: "user", id: "usr_live" },
        targets: [{ type: "door", id: "d_1" }],
        context: { location: "10.0.0.1" },
      },
    },
  });
  expect(response.status()).toBe(200);
  await expect(rows(page).first()).toContainText("door.opened");
});
