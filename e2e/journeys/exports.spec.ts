import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Locator, Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { expectAccessible } from "../fixtures/accessible";
import { parseCsv } from "../fixtures/csv";
import { putExport } from "../fixtures/export-states";
import { eventsForTests, importEvents, runSql } from "../fixtures/log";
import type { TestServer } from "../server";

const PHONE = { width: 390, height: 844 };

const items = (page: Page) => page.getByTestId("export");

async function countStored(server: TestServer, organizationId: string, condition: string) {
  const [row] = await runSql<{ n: number }>(server, [
    `SELECT count(*)::int AS n FROM events WHERE organization_id = $1 AND ${condition}`,
    [organizationId],
  ]);
  return row?.n as number;
}

/** Saves what a link gives, under the name that it suggests. */
async function save(page: Page, directory: string, follow: () => Promise<void>): Promise<string> {
  const downloading = page.waitForEvent("download");
  await follow();
  const download = await downloading;
  const file = path.join(directory, download.suggestedFilename());
  await download.saveAs(file);
  return file;
}

/** Runs the command that the page shows, beside the files. */
async function verify(server: TestServer, item: Locator, file: string) {
  const command = (await item.getByText("npx trailseal verify").innerText())
    .replace(path.basename(file), file)
    .replace(/^npx trailseal /, "");
  return server.cli(...command.split(" ").map((word) => word.replace(/^'|'$/g, "")));
}

let directory: string;
test.beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-exports-"));
});
test.afterEach(() => rmSync(directory, { recursive: true, force: true }));

test("what the explorer shows becomes a file that is verified as shown, with the keyboard alone", async ({
  signedIn: page,
  server,
  organization,
}) => {
  await importEvents(server, organization.id, eventsForTests(250));
  const stored = await countStored(
    server,
    organization.id,
    "actor_id = 'svc_ci' AND occurred_at >= '2026-03-02T08:00:00Z'",
  );
  await page.goto(
    `/o/${organization.id}/events?q=actor:svc_ci&from=2026-03-02T08:00:00Z&event=&view=none`,
  );
  // A key that comes before the page listens opens the menu as a pointer would.
  await expect(async () => {
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Download" }).focus();
    await page.keyboard.press("Enter");
    await expect(page.getByRole("menuitem", { name: "Download CSV now" })).toBeFocused({
      timeout: 2_000,
    });
  }).toPass();
  await page.keyboard.press("ArrowDown");
  await expect(page.getByRole("menuitem", { name: /^Export/ })).toBeFocused();
  await page.keyboard.press("Enter");

  await expect(page.getByRole("heading", { name: "New export" })).toBeFocused();
  await expect(page.getByRole("radio", { name: "CSV" })).toBeChecked();
  await expect(page.getByLabel("Filter", { exact: true })).toHaveValue("actor:svc_ci");
  await expect(page.getByText("From 2026-03-02 08:00 UTC on.")).toBeVisible();
  await expect(
    page.getByRole("radio", { name: /As shown.*Seq, Time, Actor, Action/ }),
  ).toBeChecked();
  await expectAccessible(page, "new export");
  await page.getByRole("checkbox", { name: /Prove completeness/ }).focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Enter");

  const item = items(page);
  await expect(item).toHaveAttribute("data-state", "ready");
  await expect(page.getByRole("form", { name: "New export" })).toHaveCount(0);
  await expect(item).toContainText(`${stored} events, `);
  await expect(item).toContainText("actor is svc_ci");
  await expect(item).toContainText("With proof of completeness");
  await expect(item).toContainText("From 2026-03-02 08:00 UTC on");
  await expect(item).toContainText("#0 to #250 of the log");

  const press = (name: string) => async () => {
    await item.getByRole("link", { name }).focus();
    await page.keyboard.press("Enter");
  };
  const file = await save(page, directory, press("Download"));
  const manifest = await save(page, directory, press("Manifest"));
  expect(manifest).toBe(`${file}.manifest`);
  const rows = parseCsv(readFileSync(file, "utf8"));
  expect(rows).toHaveLength(stored);
  expect(Object.keys(rows[0] as object)).toEqual([
    ...["occurred_at", "actor_name", "actor_id", "action", "targets", "location"],
    ...["seq", "chain_hash"],
  ]);
  expect(new Set(rows.map((row) => row.actor_id))).toEqual(new Set(["svc_ci"]));

  await item.getByText("How to verify").focus();
  await page.keyboard.press("Enter");
  await expectAccessible(page, "an export that is ready");
  const verdict = await verify(server, item, file);
  expect(verdict.stdout).toContain("no event of the log is unaccounted for");
  expect(verdict.code).toBe(0);

  await item.getByRole("button", { name: "Delete file" }).focus();
  await page.keyboard.press("Enter");
  const question = page.getByRole("dialog", { name: "Delete the file of this export?" });
  await expect(question).toBeVisible();
  await expectAccessible(page, "a question before a file is deleted");
  await question.getByRole("button", { name: "Delete file" }).focus();
  await page.keyboard.press("Enter");
  await expect(item).toHaveAttribute("data-state", "expired");
  await expect(item).toBeFocused();
  const gone = await page.request.get(
    `/o/${organization.id}/exports/${await item.getAttribute("id")}/file`,
  );
  expect(gone.status()).toBe(404);
  await item.getByRole("button", { name: "Make again" }).click();
  await expect(items(page)).toHaveCount(2);
  await expect(items(page).first()).toHaveAttribute("data-state", "ready");
  await expect(items(page).first()).toContainText(`${stored} events, `);
});

test("on a phone: a mistake in the filter is said at its field, NDJSON and a bundle come of the same log", async ({
  signedIn: page,
  server,
  organization,
}) => {
  await page.setViewportSize(PHONE);
  await importEvents(server, organization.id, eventsForTests(120));
  await page.goto(`/o/${organization.id}/exports`);
  await expect(page.getByRole("heading", { name: "No exports yet" })).toBeVisible();
  await expectAccessible(page, "no exports");
  await page.setViewportSize(PHONE);
  await page.getByRole("link", { name: "New export" }).click();
  await page.getByRole("radio", { name: "NDJSON" }).check();
  await page.getByRole("button", { name: "Time: All time" }).click();
  await page.getByRole("textbox", { name: "Time range" }).fill("2026-03-02");
  await page.keyboard.press("Enter");
  await expect(
    page.getByText("2026-03-02 UTC to before 2026-03-03 UTC. Times in the file are always UTC."),
  ).toBeVisible();
  const filter = page.getByLabel("Filter", { exact: true });
  await filter.fill("actr:usr_3");
  await page.getByRole("button", { name: "Create export" }).click();
  await expect(filter).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByRole("form").getByRole("alert")).toContainText("actr is not a field");
  await expect(items(page)).toHaveCount(0);
  await page.getByRole("button", { name: "Use actor" }).click();
  await page.getByRole("button", { name: "Create export" }).click();

  const stored = await countStored(
    server,
    organization.id,
    "actor_id = 'usr_3' AND occurred_at >= '2026-03-02' AND occurred_at < '2026-03-03'",
  );
  const item = items(page).first();
  await expect(item).toContainText(`${stored} events, `);
  await expect(item).toHaveAttribute("data-state", "ready");
  const tap = (name: string) => () => item.getByRole("link", { name }).click();
  const file = await save(page, directory, tap("Download"));
  await save(page, directory, tap("Manifest"));
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  expect(lines).toHaveLength(stored);
  for (const line of lines) expect(JSON.parse(line)).toMatchObject({ actor: { id: "usr_3" } });
  await item.getByText("How to verify").click();
  expect((await verify(server, item, file)).code).toBe(0);

  await page.getByRole("link", { name: "New export" }).click();
  await page.getByRole("radio", { name: "Integrity bundle" }).check();
  await expect(filter).toHaveCount(0);
  await expect(page.getByText("filter, time and columns do not apply")).toBeVisible();
  await page.getByRole("button", { name: "Create export" }).click();
  await expect(items(page)).toHaveCount(2);
  await expect(item).toHaveAttribute("data-state", "ready");
  // With what the log tells of exports.
  const all = await countStored(server, organization.id, "true");
  await expect(item).toContainText(`${all} events, `);
  const bundle = await save(page, directory, tap("Download"));
  await item.getByText("How to verify").click();
  const verdict = await verify(server, item, bundle);
  expect(verdict.stdout).toContain(String(all));
  expect(verdict.code).toBe(0);
});

test("one under way says how far it is through a reload, and is cancelled; one that failed says why and goes on or begins anew", async ({
  signedIn: page,
  server,
  organization,
}) => {
  const at = `/o/${organization.id}/exports`;
  const put = (given: Parameters<typeof putExport>[2]) => putExport(server, organization.id, given);
  const known = await put({ state: "running", events: 1_200, bytes: 480_000, total: 5_000 });
  const unknown = await put({
    ...{ state: "running", format: "ndjson", events: 800, bytes: 320_000, isSafe: true },
    search: { q: "actor:usr_1", actions: ["doc.viewed"] },
  });
  const failed = await put({
    ...{ state: "failed", events: 300, bytes: 9_000, isSafe: true },
    error: "The disk is full.",
  });
  const lost = await put({ state: "failed", error: "Permission denied.", search: { q: "door" } });
  const bare = await put({ state: "ready", manifestError: "No key to sign with." });
  const waiting = await put({ state: "queued", error: "The database went away." });
  const item = (id: string) => page.locator(`#${id}`);

  await page.goto(at);
  await expect(page.getByRole("heading", { name: "3 in the making, one file" })).toBeVisible();
  await expect(item(known)).toContainText("1,200 of 5,000 events");
  await expect(item(known).getByRole("progressbar")).toHaveJSProperty("max", 5_000);
  await expect(item(unknown)).toContainText("800 events");
  await expect(item(unknown)).toContainText("back to 2 Mar 2026, 08:30:00 UTC");
  await expect(item(unknown)).not.toContainText("left");
  await expect(item(unknown)).toContainText("actor is usr_1");
  await expect(item(unknown)).toContainText("action is doc.viewed");
  await expect(item(waiting)).toContainText("Last problem: The database went away.");
  await expect(item(failed)).toContainText("The disk is full.");
  await expect(item(failed)).toContainText("300 events are written and kept until");
  await expect(item(bare)).toContainText("No key to sign with.");
  await expect(item(bare).getByRole("link", { name: "Manifest" })).toHaveCount(0);
  await expectAccessible(page, "exports in every state");

  await runSql(server, ["UPDATE exports SET events = 2_600 WHERE id = $1", [known]]);
  await expect(item(known)).toContainText("2,600 of 5,000 events");
  await expect(item(known)).toContainText(/per second.*about .* left/);
  await page.reload();
  await expect(item(known)).toContainText("2,600 of 5,000 events");

  await item(known).getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Keep going" }).click();
  await expect(item(known).getByRole("button", { name: "Cancel" })).toBeFocused();
  await item(known).getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Cancel export" }).click();
  await expect(item(known)).toHaveAttribute("data-state", "cancelled");
  await item(waiting).getByRole("button", { name: "Cancel" }).click();
  await expect(item(waiting)).toHaveAttribute("data-state", "cancelled");

  // What was written lies on another host, so a worker here begins anew and ends.
  await item(failed).getByRole("button", { name: "Resume" }).click();
  await expect(item(failed)).toHaveAttribute("data-state", "ready");
  await item(lost).getByRole("button", { name: "Try again" }).click();
  const again = items(page).first();
  await expect(again).toHaveAttribute("data-state", "ready");
  await expect(again).toContainText("text door");
  await expect(item(lost)).toHaveAttribute("data-state", "failed");

  await item(bare).getByRole("button", { name: "Revoke links" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke links" }).click();
  await expect(page.getByRole("dialog")).toHaveCount(0);
  const [row] = await runSql<{ is_revoked: boolean }>(server, [
    "SELECT links_epoch > 0 AS is_revoked FROM exports WHERE id = $1",
    [bare],
  ]);
  expect(row?.is_revoked).toBe(true);
});

test("whoever goes elsewhere meanwhile is told when their export is ready", async ({
  signedIn: page,
  server,
  organization,
}) => {
  await importEvents(server, organization.id, eventsForTests(20));
  await page.goto(`/o/${organization.id}/exports?new=1`);
  // Held as by a worker elsewhere until somebody looks at another page.
  await runSql(
    server,
    `CREATE FUNCTION hold_export() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN IF NEW.organization_id = '${organization.id}' THEN NEW.lease_until = now() + interval '1 hour'; END IF;
          RETURN NEW; END $$`,
    "CREATE TRIGGER hold_export BEFORE INSERT ON exports FOR EACH ROW EXECUTE FUNCTION hold_export()",
  );
  try {
    await page.getByRole("button", { name: "Create export" }).click();
    await expect(items(page)).toHaveAttribute("data-state", "queued");
  } finally {
    await runSql(server, "DROP TRIGGER hold_export ON exports", "DROP FUNCTION hold_export()");
  }
  await page.keyboard.press("g");
  await page.keyboard.press("i");
  await expect(page.getByTestId("verdict")).toBeVisible();
  await runSql(server, [
    "UPDATE exports SET lease_until = NULL WHERE organization_id = $1",
    [organization.id],
  ]);
  // With the event of its own request.
  await expect(page.getByRole("status", { name: "Notices" })).toContainText(
    "CSV export is ready: 21 events",
  );
  await page.keyboard.press("g");
  await page.keyboard.press("x");
  await expect(items(page)).toHaveAttribute("data-state", "ready");
});

test("an address with a range that is none exports nothing and says so", async ({
  signedIn: page,
  organization,
}) => {
  await page.goto(`/o/${organization.id}/exports?new=1&range=soon`);
  await expect(page.getByText("A range is a number and a unit")).toBeVisible();
  await expect(page.getByRole("button", { name: "Create export" })).toHaveCount(0);
  await page.getByRole("link", { name: "Start over" }).click();
  await expect(page.getByRole("button", { name: "Create export" })).toBeVisible();
});

test("exports behind the newest fifty are a page further, each listed once", async ({
  signedIn: page,
  server,
  organization,
}) => {
  const ids: string[] = [];
  for (let made = 0; made < 52; made += 1)
    ids.unshift(await putExport(server, organization.id, { state: "expired" }));
  const listed = () => items(page).evaluateAll((all) => all.map(({ id }) => id));
  await page.goto(`/o/${organization.id}/exports`);
  expect(await listed()).toEqual(ids.slice(0, 50));
  await page.getByRole("link", { name: "Older" }).click();
  await expect(page.getByRole("heading", { name: "Earlier exports" })).toBeVisible();
  expect(await listed()).toEqual(ids.slice(50));
  await expect(page.getByRole("link", { name: "Older" })).toHaveCount(0);
  await page.getByRole("link", { name: "Newest" }).click();
  await expect(items(page)).toHaveCount(50);
  await page.goto(`/o/${organization.id}/exports?before=me`);
  await expect(page.getByRole("heading", { name: "Which exports?" })).toBeVisible();
});
