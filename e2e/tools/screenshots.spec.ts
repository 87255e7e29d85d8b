import path from "node:path";
import type { Page } from "@playwright/test";
import pg from "pg";
import { expect, test } from "../fixtures";
import { runSql } from "../fixtures/log";
import { newPortalLink } from "../fixtures/portal";

/** Pictures of the main pages, to be held against the design's; they go where TRAILSEAL_SCREENSHOTS says. */
const folder = path.resolve(process.env.TRAILSEAL_SCREENSHOTS ?? "screenshots");
const SIZES = [
  ["wide", 1440, 900],
  ["phone", 390, 844],
] as const;

test("pictures of the pages", async ({ signedIn: page, browser, server }) => {
  test.setTimeout(600_000);
  const create = (name: string) => server.cliJson<{ id: string }>("orgs", "create", "--name", name);
  const [busy, empty] = [await create("Halden Robotics"), await create("Quiet Ltd")];
  await server.cliJson(
    "seed",
    "--org",
    busy.id,
    "--events",
    "20000",
    "--days",
    "60",
    "--actors",
    "60",
    "--targets",
    "300",
  );
  await server.cliJson("verify", "--org", busy.id);
  const [actor] = await runSql<{ name: string }>(server, [
    `SELECT actor_type || ':' || actor_id AS name FROM events WHERE organization_id = $1
     GROUP BY 1 HAVING count(*) BETWEEN 100 AND 400 ORDER BY count(*) DESC LIMIT 1`,
    [busy.id],
  ]);
  const [action] = await runSql<{ name: string }>(server, [
    "SELECT action AS name FROM events WHERE organization_id = $1 GROUP BY 1 ORDER BY count(*) DESC LIMIT 1",
    [busy.id],
  ]);
  const events = `/o/${busy.id}/events`;
  const firstRow = (at: Page) => at.getByTestId("event-row").first();
  const pages: [name: string, open: (page: Page) => Promise<void>][] = [
    ["overview", async (at) => void (await at.goto(`/o/${busy.id}`))],
    ["events", async (at) => void (await at.goto(events))],
    [
      "drawer",
      async (at) => {
        await at.goto(events);
        await at.getByTestId("event-row").nth(3).click();
        await expect(at.getByTestId("drawer-title")).toBeVisible();
      },
    ],
    [
      "timeline",
      async (at) =>
        void (await at.goto(
          `/o/${busy.id}/timeline?actor=${encodeURIComponent(actor?.name ?? "")}`,
        )),
    ],
    ["integrity", async (at) => void (await at.goto(`/o/${busy.id}/integrity`))],
    ["exports", async (at) => void (await at.goto(`/o/${busy.id}/exports`))],
    [
      "new-export",
      async (at) => void (await at.goto(`/o/${busy.id}/exports?new=1&q=action:user.*&range=30d`)),
    ],
    ["import", async (at) => void (await at.goto(`/o/${busy.id}/import`))],
    ["keys", async (at) => void (await at.goto(`/o/${busy.id}/settings/keys`))],
    ["settings", async (at) => void (await at.goto(`/o/${busy.id}/settings`))],
    ["schemas", async (at) => void (await at.goto(`/o/${busy.id}/schemas`))],
    [
      "new-schema",
      async (at) => void (await at.goto(`/o/${busy.id}/schemas/new?action=${action?.name}`)),
    ],
    ["api", async (at) => void (await at.goto("/docs/api"))],
    ["portal-ended", async (at) => void (await at.goto("/portal/ended"))],
    ["empty", async (at) => void (await at.goto(`/o/${empty.id}/events`))],
    [
      "no-match",
      async (at) => void (await at.goto(`${events}?q=action:user.*+ip:198.51.100.0/30`)),
    ],
    ["not-run", async (at) => void (await at.goto(`${events}?q=actr:usr_1`))],
    [
      "error",
      async (at) => {
        await at.goto(events);
        await expect(firstRow(at)).toBeVisible();
        // The table alone is locked: the next search meets the time limit of a read.
        const holder = new pg.Client({ connectionString: server.ownerUrl() });
        await holder.connect();
        await holder.query("BEGIN; LOCK TABLE events IN ACCESS EXCLUSIVE MODE");
        await at.goto(`${events}?q=door`, { timeout: 60_000 });
        await expect(at.getByText(/Request req_/).first()).toBeVisible({ timeout: 30_000 });
        await holder.end();
      },
    ],
  ];
  const visitor = await (await browser.newContext({ baseURL: server.url })).newPage();
  await visitor.goto(await newPortalLink(server, busy.id));
  for (const theme of ["light", "dark"] as const) {
    for (const [size, width, height] of SIZES) {
      await visitor.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
      await visitor.setViewportSize({ width, height });
      for (const place of ["events", "integrity/streams"]) {
        await visitor.goto(`/o/${busy.id}/${place}`);
        await visitor.waitForLoadState("networkidle");
        const name = `portal-${place.split("/").at(-1)}-${size}-${theme}.png`;
        await visitor.screenshot({ path: path.join(folder, name) });
      }
    }
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    for (const [size, width, height] of SIZES) {
      await page.setViewportSize({ width, height });
      for (const [name, open] of pages) {
        await open(page);
        await page.waitForLoadState("networkidle");
        await page.screenshot({ path: path.join(folder, `${name}-${size}-${theme}.png`) });
      }
    }
  }
});
