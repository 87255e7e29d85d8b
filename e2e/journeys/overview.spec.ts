import { expect, type Page, test } from "@playwright/test";
import { signIn } from "../fixtures";
import { expectAccessible } from "../fixtures/accessible";
import { importEvents, runSql } from "../fixtures/log";
import { ADMIN } from "../global-setup";
import { TestServer } from "../server";

// A server of its own: a table out of the way must not fail anybody else's test.

let server: TestServer;

test.beforeAll(async () => {
  server = new TestServer({
    TRAILSEAL_ADMIN_EMAIL: ADMIN.email,
    TRAILSEAL_ADMIN_PASSWORD: ADMIN.password,
  });
  await server.start();
});
test.afterAll(() => server.remove());
test.beforeEach(({ page }) => signIn(page, server.url));

const DAY_MS = 86_400_000;

/** Over `days` before a moment, in no order; the actors of the last days did nothing before. */
function events(count: number, endMs: number, days: number): object[] {
  return Array.from({ length: count }, (_, number) => {
    const age = ((number * 37) % count) / count;
    const fails = number % 20 === 0;
    return {
      action: fails ? "login.failed" : ["doc.viewed", "doc.shared", "team.joined"][number % 3],
      occurred_at: new Date(endMs - 60_000 - Math.floor(age * days * DAY_MS)).toISOString(),
      actor: { type: "user", id: age < 0.05 ? "usr_new" : `usr_${number % 6}` },
      targets: [{ type: "doc", id: `doc_${number % 11}` }],
      metadata: number % 15 === 0 ? { errorCode: "AccessDenied" } : {},
    };
  });
}

async function newLog(): Promise<string> {
  const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Acme");
  // What looking at them adds would be counted too.
  await runSql(server, ["UPDATE organizations SET read_sampling = 0 WHERE id = $1", [id]]);
  return id;
}

const open = (page: Page, log: string, search = "") => page.goto(`${server.url}/o/${log}${search}`);
const panel = (page: Page, name: string) => page.getByRole("region", { name, exact: true });

/** Follows every number on the page to the file of its events; tells how many were followed. */
async function expectExact(page: Page, log: string): Promise<number> {
  const since = new Date().toISOString();
  // Each file is told in the log, and the page counted before.
  const isOurs = (row: string) => {
    const [, , action, , occurredAt] = row.split(",");
    return action === "trailseal.events_downloaded" && (occurredAt as string) >= since;
  };
  const links = await page.locator(`main a[href^="/o/${log}/events?"]`).evaluateAll((found) =>
    found.map((link) => ({
      href: link.getAttribute("href") as string,
      told: link.querySelector("title")?.textContent ?? link.getAttribute("aria-label") ?? "",
      text: (link.querySelector("span:last-of-type") ?? link).textContent ?? "",
    })),
  );
  const numbers = links.flatMap(({ href, told, text }) => {
    const number = /: ([\d,]+)$/.exec(told) ?? /from ([\d,]+)/.exec(told) ?? /([\d,]+)$/.exec(text);
    return number?.[1] && !href.includes("event=")
      ? [{ href, count: Number(number[1].replaceAll(",", "")) }]
      : [];
  });
  for (const { href, count } of new Map(numbers.map((each) => [each.href, each])).values()) {
    const file = await page.request.get(`${server.url}${href.replace("/events?", "/events/csv?")}`);
    expect(file.status()).toBe(200);
    const [, ...rows] = (await file.text()).trimEnd().split("\n");
    expect(rows.filter((row) => !isOurs(row)).length, href).toBe(count);
  }
  return numbers.length;
}

test("every number of the overview leads to exactly the events it counts", async ({ page }) => {
  const log = await newLog();
  await importEvents(server, log, events(900, Date.now(), 50));
  await open(page, log);
  await expect(page.getByRole("link", { name: "Overview" })).toHaveAttribute(
    "aria-current",
    "page",
  );
  const [counted] = await runSql<{ now: number; fresh: number }>(server, [
    `SELECT count(*)::int AS now, count(*) FILTER (WHERE actor_id = 'usr_new')::int AS fresh
     FROM events WHERE organization_id = $1
       AND occurred_at >= date_trunc('day', now(), 'UTC') - interval '29 days'`,
    [log],
  ]);
  await expect(panel(page, "Events")).toContainText(`${counted?.now} events`);
  await expect(panel(page, "Actors")).toContainText("New: 1 of 7 actors");
  await expect(panel(page, "Denied or failed").getByRole("listitem")).toHaveCount(3);
  expect(await expectExact(page, log)).toBeGreaterThan(70);

  // The new actor's number, followed by a person.
  const fresh = panel(page, "Actors").getByRole("listitem").filter({ hasText: "usr_new" });
  await fresh.last().getByRole("link").first().click();
  await expect(page.getByTestId("row-count")).toHaveText(`${counted?.fresh} events`);
  await page.goBack();

  // A day by the mouse, and the same by the keyboard.
  const bar = panel(page, "Events").locator("svg a").nth(20);
  const href = await bar.getAttribute("href");
  await bar.click();
  await expect(page).toHaveURL(`${server.url}${href}`);
  await page.goBack();
  await panel(page, "Events").getByText("Day by day").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/events\?from=/);
  await page.goBack();

  await page.getByRole("navigation", { name: "Period" }).getByRole("link", { name: "7d" }).click();
  await expect(page).toHaveURL(/range=7d/);
  await expect(panel(page, "Events")).toContainText("the last 7 days");
  await expectExact(page, log);
});

test("a log without events guides to the first; history leads to the days it is about", async ({
  page,
}) => {
  const log = await newLog();
  await open(page, log);
  await expect(page.getByText("Waiting for event #0")).toBeVisible();
  await importEvents(server, log, events(200, Date.parse("2023-07-10T12:00:00Z"), 10));
  await expect(page.getByRole("heading", { name: /^No events in these days/ })).toBeVisible();
  await expectAccessible(page, "overview without events in its days");
  await page.getByRole("link", { name: "30 days up to 10 Jul 2023" }).click();
  await expect(panel(page, "Events")).toContainText("200 events");
  await expectExact(page, log);
  await open(page, log, "?from=2023-07-10");
  await expect(page.getByText("Give both from and to.")).toBeVisible();
});

test("the verdict is never a seal before a check, and says how far one came", async ({ page }) => {
  const log = await newLog();
  await importEvents(server, log, events(120, Date.now(), 5));
  await open(page, log);
  const verdict = page.getByTestId("overview-verdict");
  await expect(verdict).toHaveText("Not yet checked");
  await verdict.getByRole("link").click();
  await page.getByRole("button", { name: "Verify" }).click();
  await expect(page.getByTestId("verdict")).toHaveText("Verified to #120");
  await open(page, log);
  await expect(verdict).toHaveText("Verified to #120");
});

test("a part that cannot be read says so with its request, and the others stay", async ({
  page,
}) => {
  const log = await newLog();
  await importEvents(server, log, events(120, Date.now(), 5));
  await runSql(server, "ALTER TABLE rollup_hourly RENAME TO rollup_away");
  try {
    await open(page, log);
    const alert = panel(page, "Events").getByRole("alert");
    await expect(alert).toContainText("Could not load events.");
    await expect(alert).toContainText(/Request req_\w+/);
    await expect(panel(page, "Actions")).toContainText("doc.viewed");
    await expect(panel(page, "Log")).toContainText("#119");
  } finally {
    await runSql(server, "ALTER TABLE rollup_away RENAME TO rollup_hourly");
  }
  await panel(page, "Events").getByRole("link", { name: "Retry" }).click();
  await expect(panel(page, "Events")).toContainText("120 events");
});

test("while received times stand ahead of the clock, overview, events and integrity say so", async ({
  page,
}) => {
  const log = await newLog();
  await importEvents(server, log, events(30, Date.now(), 5));
  const warning = page.getByTestId("clock-warning");
  await open(page, log);
  await expect(panel(page, "Log")).toContainText("agree");
  await expect(warning).toHaveCount(0);
  await runSql(server, [
    "UPDATE log_heads SET last_recorded_at = now() + interval '20 minutes' WHERE organization_id = $1",
    [log],
  ]);
  for (const place of ["", "/events", "/integrity"]) {
    await open(page, log, place);
    await expect(warning).toContainText(/lies (19|20) min ahead/);
  }
  await expect.poll(() => server.output).toContain(`recorded_at of ${log} lies`);
  await open(page, log);
  await expectAccessible(page, "overview with a clock warning");
});
