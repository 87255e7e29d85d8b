import type { Locator, Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { eventsForTests, importEvents, runSql } from "../fixtures/log";
import type { TestServer } from "../server";

const EVENTS = 400;
const PAGE = 100;

// A viewer whose clock is not the server's.
test.use({ timezoneId: "Asia/Kolkata" });

interface Found {
  id: string;
  seq: number;
  action: string;
}

/** The events that a condition in SQL holds for, newest first: the oracle that every count is held against. */
async function expected(
  server: TestServer,
  organization: { id: string },
  condition = "true",
): Promise<Found[]> {
  const rows = await runSql<{ id: string; seq: string; action: string }>(server, [
    `SELECT id, seq, action FROM events WHERE organization_id = $1 AND (${condition})
     ORDER BY occurred_at DESC, seq DESC`,
    [organization.id],
  ]);
  return rows.map((row) => ({ ...row, seq: Number(row.seq) }));
}

const filterInput = (page: Page) => page.getByRole("combobox", { name: "Filter", exact: true });
const rowCount = (page: Page) => page.getByTestId("row-count");
const rowsOf = (page: Page) => page.getByTestId("event-row");

async function type(page: Page, text: string): Promise<void> {
  await filterInput(page).fill(text);
  await filterInput(page).press("Enter");
}

async function scrollToEnd(grid: Locator): Promise<void> {
  await expect(async () => {
    await grid.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await expect(grid.getByText("Start of the log")).toBeInViewport({ timeout: 500 });
  }).toPass();
}

test.describe("a log of 400 events", () => {
  // Nobody writes to it: one log serves all of these tests.
  let organization: { id: string };
  test.beforeAll(async ({ server }) => {
    organization = await server.cliJson("orgs", "create", "--name", "Explored");
    await importEvents(server, organization.id, eventsForTests(EVENTS));
  });
  test.beforeEach(async ({ signedIn: page }) => {
    await page.goto(`/o/${organization.id}/events`);
    await expect(rowCount(page)).toHaveText(`${PAGE}+ events`);
  });

  test("stands newest first and scrolls to its first event", async ({ signedIn: page, server }) => {
    const all = await expected(server, organization);
    expect(all).toHaveLength(EVENTS);
    for (const index of [0, 1, 2, 10]) {
      await expect(rowsOf(page).nth(index)).toContainText(`#${all[index]?.seq}`);
      await expect(rowsOf(page).nth(index)).toHaveAttribute("id", `row-${all[index]?.id}`);
    }
    const grid = page.getByRole("grid", { name: "Events" });
    await scrollToEnd(grid);
    await expect(rowCount(page)).toHaveText(`${EVENTS} events`);
    await expect(rowsOf(page).last()).toHaveAttribute("id", `row-${all.at(-1)?.id}`);
  });

  test("shows for every typed filter as many rows as SQL counts, and the URL carries it", async ({
    signedIn: page,
    server,
  }) => {
    const cases = [
      { q: "actor:usr_3", sql: "actor_id = 'usr_3'" },
      { q: "action:doc.exported", sql: "action = 'doc.exported'" },
      { q: "target:doc_4", sql: `targets @> '[{"id": "doc_4"}]'` },
      { q: "ip:10.0.2.6", sql: "location = '10.0.2.6'" },
      { q: "ip:10.0.3.0/29", sql: "ip <<= inet '10.0.3.0/29'" },
      { q: '"person 3" -quarterly', sql: "actor_name ILIKE '%person 3%'" },
      { q: "metadata.note:*review", sql: "metadata ->> 'note' LIKE '%review'" },
      { q: "metadata.request:req-77", sql: "metadata ->> 'request' = 'req-77'" },
      {
        q: "action:user.* -actor.type:service -has:ip",
        sql: "action LIKE 'user.%' AND actor_type <> 'service' AND location IS NULL",
      },
      {
        q: "target.type:team -actor:svc_ci",
        sql: `targets @> '[{"type": "team"}]' AND actor_id <> 'svc_ci'`,
      },
    ];
    for (const { q, sql } of cases) {
      const found = await expected(server, organization, sql);
      expect(found.length, `${q}: a case that shows something`).toBeGreaterThan(0);
      expect(found.length, `${q}: a case that fits a page`).toBeLessThanOrEqual(PAGE);
      await type(page, q);
      await expect(page).toHaveURL((url) => url.searchParams.get("q") === q);
      await expect(rowCount(page), q).toHaveText(
        `${found.length} ${found.length === 1 ? "event" : "events"}`,
      );
      await expect(rowsOf(page).first()).toHaveAttribute("id", `row-${found[0]?.id}`);
      for (
        let chips = await page.getByRole("button", { name: /^Remove filter/ }).count();
        chips > 0;
      ) {
        chips -= 1;
        await page
          .getByRole("button", { name: /^Remove filter/ })
          .first()
          .click();
        await expect(page.getByRole("button", { name: /^Remove filter/ })).toHaveCount(chips);
      }
      await expect(rowCount(page)).toHaveText(`${PAGE}+ events`);
    }
  });

  test("keeps a filter over reload, back and forward", async ({ signedIn: page, server }) => {
    const one = await expected(server, organization, "actor_id = 'usr_3'");
    const both = await expected(
      server,
      organization,
      "actor_id = 'usr_3' AND action = 'doc.viewed'",
    );
    await type(page, "actor:usr_3");
    await expect(rowCount(page)).toHaveText(`${one.length} events`);
    await type(page, "action:doc.viewed");
    await expect(rowCount(page)).toHaveText(`${both.length} events`);
    await page.reload();
    await expect(rowCount(page)).toHaveText(`${both.length} events`);
    await expect(page.getByRole("button", { name: /^Remove filter/ })).toHaveCount(2);
    await page.goBack();
    await expect(rowCount(page)).toHaveText(`${one.length} events`);
    await expect(page.getByRole("button", { name: /^Remove filter/ })).toHaveCount(1);
    await page.goBack();
    await expect(rowCount(page)).toHaveText(`${PAGE}+ events`);
    await page.goForward();
    await page.goForward();
    await expect(rowCount(page)).toHaveText(`${both.length} events`);
    await page.getByRole("button", { name: "Invert filter: action is doc.viewed" }).click();
    await expect(rowCount(page)).toHaveText(`${one.length - both.length} events`);
  });

  test("says that a query it does not understand was not run, and which clause leaves nothing", async ({
    signedIn: page,
    server,
  }) => {
    await type(page, "actr:usr_3");
    const alert = page.getByRole("alert").filter({ hasText: "actr is not a field" });
    await expect(alert).toContainText("Did you mean actor?");
    await page.goto(`/o/${organization.id}/events?q=actr%3Ausr_3`);
    await expect(page.getByText("Query not run")).toBeVisible();
    await expect(rowsOf(page)).toHaveCount(0);
    await expect(rowCount(page)).toHaveCount(0);
    await page.getByRole("button", { name: "Use actor" }).click();
    await expect(filterInput(page)).toHaveValue("actor:usr_3");
    await filterInput(page).press("Enter");
    const found = await expected(server, organization, "actor_id = 'usr_3'");
    await expect(rowCount(page)).toHaveText(`${found.length} events`);

    await type(page, "action:no.such");
    await expect(page.getByText("No events match")).toBeVisible();
    await expect(rowCount(page)).toHaveText("0 events");
    await expect(page.getByRole("button", { name: /^actor is usr_3/ })).toBeVisible();
    await page.getByRole("button", { name: /^action is no.such/ }).click();
    await expect(rowCount(page)).toHaveText(`${found.length} events`);
  });

  test("opens an event by click and by keyboard, whole, and pivots on what it says", async ({
    signedIn: page,
    server,
  }) => {
    const all = await expected(server, organization);
    const drawer = page.getByRole("complementary", { name: "Event" });
    await rowsOf(page).nth(2).click();
    await expect(drawer.getByTestId("drawer-title")).toHaveText(all[2]?.action as string);
    await expect(drawer).toContainText(`3 of ${PAGE}+`);
    await expect(page).toHaveURL((url) => url.searchParams.get("event") === all[2]?.id);
    await page.keyboard.press("Escape");
    await expect(drawer).toHaveCount(0);

    await page.reload();
    const grid = page.getByRole("grid", { name: "Events" });
    await grid.focus();
    await page.keyboard.press("j");
    await expect(rowsOf(page).first()).toHaveAttribute("aria-selected", "true");
    await page.keyboard.press("Enter");
    await expect(drawer).toContainText(`1 of ${PAGE}+`);
    await expect(drawer.getByTestId("drawer-title")).toHaveText(all[0]?.action as string);

    await drawer.getByRole("button", { name: "Next event" }).click();
    await expect(drawer).toContainText(`2 of ${PAGE}+`);
    await expect(page).toHaveURL((url) => url.searchParams.get("event") === all[1]?.id);
    await drawer.getByRole("button", { name: "Previous event" }).click();
    await expect(drawer).toContainText(`1 of ${PAGE}+`);
    await drawer.getByRole("tab", { name: "JSON" }).click();
    await drawer.getByRole("button", { name: "Raw" }).click();
    await expect(drawer.getByTestId("event-json")).toContainText(`"id": "${all[0]?.id}"`);
    const shown = JSON.parse(await drawer.getByTestId("event-json").innerText());
    const [stored] = await runSql<{
      actor: { id: string };
      metadata: object;
      hash: string;
    }>(server, [
      "SELECT actor, metadata, encode(chain_hash, 'hex') AS hash FROM events WHERE organization_id = $1 AND id = $2",
      [organization.id, all[0]?.id],
    ]);
    if (!stored) throw new Error("The event is not in the database");
    expect(shown).toMatchObject({ actor: stored.actor, metadata: stored.metadata });
    await drawer.getByRole("tab", { name: "Integrity" }).click();
    await expect(drawer.getByTestId("chain-hash")).toHaveText(stored.hash);

    await drawer.getByRole("tab", { name: "Summary" }).click();
    const actor = stored.actor.id;
    const action = all[0]?.action as string;
    await drawer.getByRole("button", { name: `Only Actor ${actor}` }).click();
    const ofActor = await expected(server, organization, `actor_id = '${actor}'`);
    await expect(page).toHaveURL((url) => url.searchParams.get("q") === `actor:${actor}`);
    await expect(rowCount(page)).toHaveText(`${ofActor.length} events`);
    await rowsOf(page).first().click();
    await drawer.getByRole("button", { name: `Without Action ${action}` }).click();
    const others = ofActor.filter((event) => event.action !== action);
    await expect(page).toHaveURL(
      (url) => url.searchParams.get("q") === `actor:${actor} -action:${action}`,
    );
    await expect(rowCount(page)).toHaveText(`${others.length} events`);
  });

  test("tells the story of an actor and of a target, event for event", async ({
    signedIn: page,
    server,
  }) => {
    const both = `actor_id = 'usr_3' AND targets @> '[{"id": "doc_4"}]'`;
    const first = (await expected(server, organization, both))[0]?.id;
    await type(page, "actor:usr_3 target:doc_4");
    await expect(rowsOf(page).first()).toHaveAttribute("id", `row-${first}`);
    await rowsOf(page).first().click();
    const drawer = page.getByRole("complementary", { name: "Event" });
    const stories = [
      { link: "Timeline of this actor", heading: "Person 3", sql: "actor_id = 'usr_3'" },
      {
        link: "Timeline of this target",
        heading: "Plan 4",
        sql: `targets @> '[{"type": "doc", "id": "doc_4"}]'`,
      },
    ];
    for (const { link, heading, sql } of stories) {
      const found = await expected(server, organization, sql);
      await drawer.getByTitle(link).first().click();
      await expect(page.getByRole("heading", { name: heading })).toBeVisible();
      await expect(page.getByText("Start of this timeline.")).toBeVisible();
      const rows = page.getByTestId("timeline-row");
      await expect(rows).toHaveCount(found.length);
      const shown = await rows.allInnerTexts();
      for (const [index, text] of shown.entries())
        expect(text, `${link}, row ${index}`).toContain(found[index]?.action);
      await rows.first().click();
      await expect(drawer.getByTestId("drawer-title")).toHaveText(found[0]?.action as string);
      // Out of the event, then out of the timeline.
      await page.goBack();
      await expect(drawer.getByTestId("drawer-title")).toHaveCount(0);
      await page.goBack();
    }
  });

  test("narrows to a time in the viewer's zone or UTC, whichever it shows", async ({
    signedIn: page,
    server,
  }) => {
    await expect(page.getByRole("columnheader", { name: "Time, UTC+05:30" })).toBeVisible();
    const applyRange = async (from: string, to: string) => {
      await page.getByRole("button", { name: /^Time:/ }).click();
      const dialog = page.getByRole("dialog", { name: "Time" });
      await dialog.getByLabel("From", { exact: true }).fill(from);
      await dialog.getByLabel("To", { exact: true }).fill(to);
      await dialog.getByRole("button", { name: "Apply" }).click();
    };
    const countOf = async (from: string, to: string) =>
      (
        await expected(
          server,
          organization,
          `occurred_at >= timestamptz '${from}' AND occurred_at < timestamptz '${to}'`,
        )
      ).length;

    await applyRange("2026-03-02T14:00:00", "2026-03-02T20:00:00");
    const local = await countOf("2026-03-02T14:00:00+05:30", "2026-03-02T20:00:00+05:30");
    await expect(rowCount(page)).toHaveText(`${local} events`);
    expect(new URL(page.url()).searchParams.get("from")).toBe("2026-03-02T08:30:00.000Z");

    await page.keyboard.press("u");
    await expect(page.getByRole("columnheader", { name: "Time, UTC", exact: true })).toBeVisible();
    await expect(page.getByRole("button", { name: /^Time:/ })).toContainText("2026-03-02 08:30");
    await applyRange("2026-03-02T06:00:00", "2026-03-02T09:00:00");
    const utc = await countOf("2026-03-02T06:00:00Z", "2026-03-02T09:00:00Z");
    await expect(rowCount(page)).toHaveText(`${utc} events`);
    expect(utc).not.toBe(local);
    await page.keyboard.press("u");
    await expect(page.getByRole("columnheader", { name: "Time, UTC+05:30" })).toBeVisible();
  });
});
