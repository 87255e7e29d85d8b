import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { expectAccessible } from "../fixtures/accessible";
import { importEvents, runSql } from "../fixtures/log";
import type { TestServer } from "../server";

const LUIS = { type: "user", id: "usr_luis", name: "Luis Ortega" };
const END_MS = Date.parse("2026-03-20T18:00:00Z");
const MINUTE_MS = 60_000;

/** 40 days of the same work from one address; on the last day another address and new actions. */
function story(): object[] {
  const event = (minutesAgo: number, action: string, part: object = {}) => ({
    action,
    occurred_at: new Date(END_MS - minutesAgo * MINUTE_MS).toISOString(),
    actor: LUIS,
    targets: [{ type: "doc", id: "doc_payroll", name: "Payroll" }],
    context: { location: "203.0.113.71", user_agent: "curl/8.9" },
    ...part,
  });
  const usual = Array.from({ length: 40 }, (_, day) => {
    const at = day * 1_440 + 360;
    return [
      ...Array.from({ length: 6 }, (_, index) => event(at + index, "report.viewed")),
      event(at + 30, "user.signed_in", { targets: [] }),
    ];
  }).flat();
  return [
    ...usual,
    event(0, "payroll.exported", {
      context: { location: "192.0.2.201", user_agent: "aws-cli/2.13.5" },
    }),
    event(5, "user.signed_in", {
      targets: [],
      context: { location: "192.0.2.201", user_agent: "aws-cli/2.13.5" },
    }),
    event(3, "session.flagged", {
      actor: { type: "service", id: "svc_rules", name: "Rules" },
      targets: [LUIS],
    }),
    event(10 * 1_440, "member.role_updated", {
      actor: { type: "user", id: "usr_priya", name: "Priya Raman" },
      targets: [LUIS],
    }),
  ];
}

const DID = "actor_id = 'usr_luis'";
const DONE = `targets @> '[{"id": "usr_luis"}]'`;

async function seqs(server: TestServer, organization: { id: string }, condition: string) {
  const rows = await runSql<{ id: string; action: string }>(server, [
    `SELECT id, action FROM events WHERE organization_id = $1 AND (${condition}) ORDER BY occurred_at DESC, seq DESC`,
    [organization.id],
  ]);
  return rows;
}

const rowsOf = (page: Page) => page.getByTestId("timeline-row");
const drawer = (page: Page) => page.getByTestId("drawer-title");

/** Scrolls until everything is loaded. */
async function toStart(page: Page): Promise<void> {
  await expect(async () => {
    await rowsOf(page).last().scrollIntoViewIfNeeded();
    await expect(page.getByText("Start of this timeline.")).toBeVisible({ timeout: 500 });
  }).toPass();
}

test.describe("the timeline of an actor", () => {
  let organization: { id: string };
  test.beforeAll(async ({ server }) => {
    organization = await server.cliJson("orgs", "create", "--name", "Timelines");
    await importEvents(server, organization.id, story());
  });
  test.beforeEach(async ({ signedIn: page }) => {
    await page.goto(`/o/${organization.id}/timeline?actor=user:usr_luis`);
    await expect(page.getByRole("heading", { name: "Luis Ortega" })).toBeVisible();
    await expect(
      page
        .getByLabel("90 days")
        .getByText(/done to/)
        .first(),
    ).toBeVisible();
  });

  test("shows both lanes day by day in sessions, and every event once", async ({
    signedIn: page,
    server,
  }) => {
    const last = page.getByRole("region", { name: "Friday 20 March 2026" });
    await expect(last.getByTestId("day-count")).toContainText("9 actions, 1 done to");
    await expect(last.getByText("17:55 to 18:00")).toBeVisible();
    await expect(last.getByText("aws-cli 2.13")).toBeVisible();
    await expect(last.getByText("new IP")).toBeVisible();
    await expect(last.getByText("first time")).toHaveCount(1);
    await expect(rowsOf(page).first()).toContainText("payroll.exported");
    await toStart(page);
    const days = await page.getByTestId("day-count").allInnerTexts();
    const sum = (pattern: RegExp) =>
      days.reduce((total, text) => total + Number(pattern.exec(text)?.[1] ?? 0), 0);
    expect(days.join()).not.toContain("+");
    expect(sum(/(\d+) actions?/)).toBe((await seqs(server, organization, DID)).length);
    expect(sum(/(\d+) done to/)).toBe((await seqs(server, organization, DONE)).length);
  });

  test("a run opens into its events, and each opens beside it with its link", async ({
    signedIn: page,
    server,
  }) => {
    const all = await seqs(server, organization, `(${DID}) OR ${DONE}`);
    const run = page.getByRole("button", { name: "Show the 6 equal events" }).first();
    // The next page is read ahead.
    await page.waitForLoadState("networkidle");
    const before = await rowsOf(page).count();
    await run.click();
    await expect(rowsOf(page)).toHaveCount(before + 5);
    await rowsOf(page).nth(4).click();
    await expect(drawer(page)).toHaveText(all[4]?.action as string);
    await expect(page).toHaveURL((url) => url.searchParams.get("event") === all[4]?.id);
    await page.reload();
    await expect(drawer(page)).toHaveText(all[4]?.action as string);
    await page.keyboard.press("Escape");
    await expect(drawer(page)).toHaveCount(0);
    await page.goBack();
    await expect(drawer(page)).toBeVisible();
  });

  test("by keyboard alone: along the rows, into an event, out of it, over the days and to one", async ({
    signedIn: page,
    server,
  }) => {
    const all = await seqs(server, organization, `(${DID}) OR ${DONE}`);
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    await page.keyboard.press("ArrowDown");
    await expect(rowsOf(page).nth(1)).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(drawer(page)).toHaveText(all[1]?.action as string);
    await page.keyboard.press("Escape");
    await expect(drawer(page)).toHaveCount(0);
    await expect(rowsOf(page).nth(1)).toBeFocused();
    // The run of six opens and closes by the arrow keys.
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    const before = await rowsOf(page).count();
    await page.keyboard.press("ArrowRight");
    await expect(rowsOf(page)).toHaveCount(before + 5);
    await page.keyboard.press("ArrowLeft");
    await expect(rowsOf(page)).toHaveCount(before);
    // The strip is one tab stop; a day far back is asked for by its end.
    const strip = page.getByRole("toolbar", { name: /^Days/ });
    await strip
      .getByRole("button", { name: /^Friday 20 March 2026: 9 actions, 1 done to/ })
      .focus();
    for (let week = 0; week < 5; week += 1) await page.keyboard.press("PageUp");
    await expect(
      strip.getByRole("button", { name: /^Friday 13 February 2026: 7 actions/ }),
    ).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("region", { name: "Friday 13 February 2026" })).toBeInViewport();
  });

  test("a place in time is part of the URL, and leads on in both directions", async ({
    signedIn: page,
    server,
  }) => {
    await page.goto(
      `/o/${organization.id}/timeline?actor=user:usr_luis&lane=did&at=2026-02-20T00:00:00Z`,
    );
    await expect(
      page
        .getByRole("region")
        .filter({ has: page.getByTestId("day-count") })
        .first(),
    ).toHaveAccessibleName("Thursday 19 February 2026");
    await toStart(page);
    await expect(async () => {
      const newer = page.getByRole("button", { name: "Newer events" });
      if ((await newer.count()) > 0) await newer.click({ timeout: 1_000 });
      await expect(newer).toHaveCount(0, { timeout: 1_000 });
    }).toPass();
    const days = await page.getByTestId("day-count").allInnerTexts();
    const total = days.reduce((sum, text) => sum + Number(/\d+/.exec(text)?.[0]), 0);
    expect(total).toBe((await seqs(server, organization, DID)).length);
  });

  test("the filter, the lanes and the time narrow it, and what is usual leads to its events", async ({
    signedIn: page,
    server,
  }) => {
    const usual = page.getByRole("region", { name: "What is usual" });
    const expected = await seqs(server, organization, `${DID} AND action = 'report.viewed'`);
    await expect(usual.getByRole("link", { name: "report.viewed" })).toBeVisible();
    await expect(usual).toContainText(String(expected.length));
    await page
      .getByRole("navigation", { name: "Lanes" })
      .getByRole("link", { name: "Was done to" })
      .click();
    await expect(page).toHaveURL((url) => url.searchParams.get("lane") === "done");
    const done = await seqs(server, organization, DONE);
    await expect(rowsOf(page)).toHaveCount(done.length);
    await page.goto(
      `/o/${organization.id}/timeline?actor=user:usr_luis&q=action:user.*&from=2026-03-19&to=2026-03-21`,
    );
    const narrowed = await seqs(
      server,
      organization,
      `${DID} AND action LIKE 'user.%' AND occurred_at >= '2026-03-19Z' AND occurred_at < '2026-03-21Z'`,
    );
    await expect(rowsOf(page)).toHaveCount(narrowed.length);
    await page.goto(
      `/o/${organization.id}/timeline?actor=user:usr_luis&from=2020-01-01&to=2020-01-02`,
    );
    await expect(page.getByText("No events by Luis Ortega in this range.")).toBeVisible();
    await page.getByRole("button", { name: "All time, no filter" }).click();
    await expect(rowsOf(page).first()).toBeVisible();
    await usual.getByRole("link", { name: "report.viewed" }).click();
    await expect(page).toHaveURL(/\/events\?q=/);
    await expect(page.getByTestId("event-row").first()).toContainText("report.viewed");
  });

  test("what fails says so by itself and comes back; nobody is nobody", async ({
    signedIn: page,
  }) => {
    await page.route("**/timeline/usual?*", (route) =>
      route.fulfill({
        status: 503,
        headers: { "x-request-id": "req_1" },
        json: { message: "Busy." },
      }),
    );
    await page.reload();
    const alert = page
      .getByRole("alert")
      .filter({ hasText: "Could not load what is usual. Busy. Request req_1." });
    await expect(alert).toBeVisible();
    await expect(rowsOf(page).first()).toBeVisible();
    await page.unroute("**/timeline/usual?*");
    await alert.getByRole("button", { name: "Retry" }).click();
    await expect(page.getByRole("region", { name: "What is usual" })).toContainText("over all");
    await page.goto(`/o/${organization.id}/timeline?actor=user:nobody`);
    await expect(page.getByText("No event kept has the actor")).toBeVisible();
    await page.goto(`/o/${organization.id}/timeline?actor=user:usr_luis&at=yesterday`);
    await expect(page.getByText("Query not run")).toBeVisible();
  });

  test("is accessible in both themes, on a desktop and a phone", async ({ signedIn: page }) => {
    await expectAccessible(page, "timeline of both lanes");
    await rowsOf(page).first().click();
    await expect(drawer(page)).toBeVisible();
    await expectAccessible(page, "timeline with an event open");
    await page.goto(`/o/${organization.id}/timeline?target=doc:doc_payroll`);
    await expect(page.getByText("newest")).toHaveCount(0);
    await expect(page.getByRole("region", { name: "What is usual" })).toContainText("over all");
    await expectAccessible(page, "timeline of a target");
  });
});
