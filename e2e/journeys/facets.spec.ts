import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { eventsForTests, importEvents, runSql } from "../fixtures/log";

// Nobody writes to it: one log serves all of these tests.
const EVENTS = 400;
let organization: { id: string };

test.beforeAll(async ({ server }) => {
  organization = await server.cliJson("orgs", "create", "--name", "Facets");
  await importEvents(server, organization.id, eventsForTests(EVENTS));
});

test.beforeEach(async ({ signedIn: page }) => {
  await page.goto(`/o/${organization.id}/events`);
  await expect(section(page, "Action").getByRole("listitem").first()).toBeVisible();
});

const section = (page: Page, name: string) => page.getByRole("region", { name, exact: true });
const rowCount = (page: Page) => page.getByTestId("row-count");
const histogram = (page: Page) => page.getByTestId("histogram");

async function counts(server: Parameters<typeof runSql>[0], column: string, condition = "true") {
  const rows = await runSql<{ value: string; n: string }>(server, [
    `SELECT ${column} AS value, count(*) AS n FROM events WHERE organization_id = $1 AND ${condition}
     GROUP BY 1 ORDER BY n DESC, value`,
    [organization.id],
  ]);
  return rows.map(({ value, n }) => ({ value, n: Number(n) }));
}

test("each facet counts under all filters but its own; values are included, excluded and kept alone", async ({
  signedIn: page,
  server,
}) => {
  const actions = await counts(server, "action");
  await expect(section(page, "Action").getByRole("listitem")).toHaveCount(actions.length);
  for (const { value, n } of actions)
    await expect(
      section(page, "Action").getByRole("button", { name: `${value}, ${n}`, exact: true }),
    ).toBeVisible();

  const [first, second] = actions as [{ value: string; n: number }, { value: string; n: number }];
  await section(page, "Action")
    .getByRole("button", { name: `${first.value}, ${first.n}` })
    .click();
  await expect(rowCount(page)).toHaveText(`${first.n} events`);
  // Its own counts stay; those of the others are under it.
  await expect(
    section(page, "Action").getByRole("button", { name: `${second.value}, ${second.n}` }),
  ).toBeVisible();
  const [actor] = await counts(server, "actor_name", `action = '${first.value}'`);
  await expect(
    section(page, "Actor").getByRole("button", { name: `${actor?.value}, ${actor?.n}` }),
  ).toBeVisible();

  await section(page, "Action")
    .getByRole("button", { name: `${second.value}, ${second.n}` })
    .click();
  await expect(page).toHaveURL(/OR/);
  await section(page, "Action")
    .getByRole("button", { name: `Only ${first.value}` })
    .click({ force: true });
  await expect(rowCount(page)).toHaveText(`${first.n} events`);
  await section(page, "Action")
    .getByRole("button", { name: `Exclude ${first.value}` })
    .click({ force: true });
  await expect(
    section(page, "Action").getByRole("button", { name: `Excluded: ${first.value}, ${first.n}` }),
  ).toBeVisible();
  await expect(page).toHaveURL(/q=-action/);
  await section(page, "Action")
    .getByRole("button", { name: `Excluded: ${first.value}` })
    .click();
  await expect(page).not.toHaveURL(/q=/);
  await page.goBack();
  await expect(page).toHaveURL(/q=-action/);
  await section(page, "Action")
    .getByRole("button", { name: `${second.value}, ${second.n}` })
    .click({ modifiers: ["Alt"] });
  await expect(rowCount(page)).toHaveText(`100+ events`);
  await expect(page).toHaveURL(/q=-action%3A%28/);
});

test("search inside a facet finds what its list does not show, metadata keys open on demand", async ({
  signedIn: page,
  server,
}) => {
  const targets = (
    await runSql<{ value: string; n: string }>(server, [
      `SELECT target_id AS value, count(DISTINCT seq) AS n FROM event_targets WHERE organization_id = $1
       GROUP BY 1 ORDER BY n DESC, value`,
      [organization.id],
    ])
  ).map(({ value, n }) => ({ value, n: Number(n) }));
  const last = targets.at(-1) as { value: string; n: number };
  await section(page, "Target")
    .getByRole("button", { name: /values$/ })
    .click();
  await page.getByLabel("Search Target values").fill(last.value);
  await expect(section(page, "Target").getByTitle(new RegExp(`\\b${last.value}\\b`))).toHaveCount(
    1,
  );
  const notes = await counts(server, "metadata ->> 'note'");
  await page.getByRole("button", { name: "metadata.note" }).click();
  for (const { value, n } of notes)
    await expect(
      section(page, "metadata.note").getByRole("button", { name: `${value}, ${n}`, exact: true }),
    ).toBeVisible();
  await page.getByRole("grid", { name: "Events" }).focus();
  await page.keyboard.press("[");
  await expect(section(page, "Action")).toHaveCount(0);
  await page.reload();
  await expect(rowCount(page)).toHaveText("100+ events");
  await expect(section(page, "Action")).toHaveCount(0);
  // What is hidden loads after the events: its key works from then on.
  await expect(async () => {
    await page.keyboard.press("[");
    await expect(section(page, "Action")).toBeVisible({ timeout: 1_000 });
  }).toPass();
});

test("the histogram narrows the time by keyboard and by mouse, as one step back", async ({
  signedIn: page,
  server,
}) => {
  await expect(page.getByText(`${EVENTS} events`).first()).toBeVisible();
  await histogram(page).focus();
  for (const key of ["End", "ArrowLeft", "ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft"])
    await page.keyboard.press(key);
  const words = (await histogram(page).getAttribute("aria-valuetext")) ?? "";
  const chosen = Number(/· (\d+) events/.exec(words)?.[1]);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/from=.*to=/);
  const params = new URL(page.url()).searchParams;
  const [row] = await runSql<{ n: string }>(server, [
    "SELECT count(*) AS n FROM events WHERE organization_id = $1 AND occurred_at >= $2 AND occurred_at < $3",
    [organization.id, params.get("from"), params.get("to")],
  ]);
  expect(Number(row?.n)).toBe(chosen);
  await expect(rowCount(page)).toHaveText(new RegExp(`^${chosen} events?$`));
  await page.goBack();
  await expect(rowCount(page)).toHaveText("100+ events");

  const box = await histogram(page).boundingBox();
  if (!box) throw new Error("No histogram");
  const drag = async (from: number, to: number) => {
    await page.mouse.move(box.x + box.width * from, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * to, box.y + 30, { steps: 5 });
  };
  await drag(0.2, 0.4);
  await page.keyboard.press("Escape");
  await page.mouse.up();
  expect(page.url()).not.toContain("from=");
  await drag(0.2, 0.4);
  await page.mouse.up();
  await expect(page).toHaveURL(/from=.*to=/);
  const narrow = new URL(page.url()).searchParams;
  const spanMs = (of: URLSearchParams) =>
    Date.parse(of.get("to") ?? "") - Date.parse(of.get("from") ?? "");
  await expect(histogram(page)).toBeVisible();
  await histogram(page).dblclick({ position: { x: 50, y: 30 } });
  await expect
    .poll(() => spanMs(new URL(page.url()).searchParams))
    .toBeGreaterThanOrEqual(2 * spanMs(narrow));
});
