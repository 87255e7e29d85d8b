import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { expectAccessibleNow } from "../fixtures/accessible";
import { eventsForTests, importEvents, runSql } from "../fixtures/log";
import type { TestServer } from "../server";

// One event as one HTML file, opened from the disk with the network off.

const HOSTILE = {
  action: "note.written",
  occurred_at: "2026-05-01T12:00:00.000Z",
  actor: { type: "user", id: "usr_h", name: "</script><script>document.title='run'</script>" },
  targets: [{ type: "doc", id: "doc_1", name: "<img src=x onerror=alert(1)>" }],
  metadata: { text: "a </SCRIPT> & “quotes” 🙂" },
};

let directory: string;
let organization: { id: string };

test.beforeAll(async ({ server }) => {
  directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-proof-"));
  organization = await server.cliJson("orgs", "create", "--name", "Proof");
  await importEvents(server, organization.id, [...eventsForTests(300), HOSTILE]);
});
test.afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function signed(server: TestServer): Promise<void> {
  // Downloads of proofs are events of the log, too.
  const covered = `SELECT max(c.tree_size) = max(h.next_seq) AS "isWhole" FROM checkpoints c
    JOIN log_heads h ON h.organization_id = c.organization_id WHERE c.organization_id = $1`;
  await expect
    .poll(
      async () =>
        (await runSql<{ isWhole: boolean }>(server, [covered, [organization.id]]))[0]?.isWhole,
      { message: "a checkpoint over everything", timeout: 30_000 },
    )
    .toBe(true);
}

/** From the event's page, as an auditor gets it. */
async function download(page: Page): Promise<string> {
  await page.goto(`/o/${organization.id}/events?q=action:note.written`);
  await page.getByTestId("event-row").first().click();
  await page.getByRole("tab", { name: "Integrity" }).click();
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Download proof" }).click(),
  ]);
  return readFileSync(await file.path(), "utf8");
}

const verdictOf = (page: Page) => page.getByRole("heading", { level: 1 });

async function open(page: Page, html: string): Promise<void> {
  const file = path.join(directory, "proof.html");
  writeFileSync(file, html);
  await page.context().setOffline(true);
  await page.goto(pathToFileURL(file).href);
}

/** Another character of the same alphabet, at the first place that the pattern's group has. */
function changed(html: string, pattern: RegExp): string {
  const match = pattern.exec(html);
  const at = (match?.indices?.[1] ?? [])[0];
  if (at === undefined) throw new Error(`${pattern} is not in the file`);
  const other = html[at] === "1" ? "2" : "1";
  return html.slice(0, at) + other + html.slice(at + 1);
}

test("verifies itself offline; with one byte changed it says what fails", async ({
  signedIn: page,
  server,
}) => {
  await signed(server);
  const html = await download(page);
  expect(Buffer.byteLength(html)).toBeLessThan(120_000);

  await open(page, html);
  await expect(verdictOf(page)).toHaveText("Verified: event #300 stands in the signed log");
  await expect(page).toHaveTitle("Proof of event #300");
  await expect(page.getByText("</script><script>document.title='run'</script>")).toBeVisible();
  await expectAccessibleNow(page);

  const cases: [name: string, pattern: RegExp, says: string][] = [
    ["the event", /"id":"usr_(h)"/d, "the event is not the one that was sealed"],
    ["a salt", /"salts":"(.)/d, "the event is not the one that was sealed"],
    ["the previous hash", /"previous_hash":"(.)/d, "the event is not the one that was sealed"],
    ["its number in the proof", /\\nindex (3)/d, "the proof is another event's"],
    ["a node", /\\nindex 300\\n(.)/d, "the event is not in the log that was signed"],
    ["the root", /\\n301\\n(.)/d, "no signature of this key covers the log"],
    ["the signature", /— \S+ ......(.)/d, "no signature of this key covers the log"],
  ];
  for (const [name, pattern, says] of cases) {
    await open(page, changed(html, pattern));
    await expect(verdictOf(page), name).toHaveText(`Not proven: ${says}`);
    await expect(page.locator('li[data-state="failed"]'), name).toHaveCount(1);
  }

  await open(page, html.replace("Not proven: ", "All is well: "));
  await expect(verdictOf(page), "the program").toHaveText(
    "Not checked: this page's program did not run",
  );
});

test("another log's key proves nothing, in the page and on the command line", async ({
  signedIn: page,
  server,
}) => {
  await signed(server);
  const html = await download(page);
  const other = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Other");
  const { stdout: vkey } = await server.cli("vkey", "--org", other.id);
  const { stdout: own } = await server.cli("vkey", "--org", organization.id);
  await open(page, html);
  const key = page.getByLabel("The log's key");
  await key.fill(vkey);
  await expect(verdictOf(page)).toHaveText("Not proven: no signature of this key covers the log");
  await key.fill(own);
  await expect(verdictOf(page)).toHaveText("Verified: event #300 stands in the signed log");

  const file = path.join(directory, "proof.html");
  const check = (trusted: string) =>
    server.cli("verify", "--proof", file, "--vkey", trusted.trim(), "--json");
  expect((await check(own)).code).toBe(0);
  expect((await check(vkey)).code).toBe(1);
});

const marks = (page: Page) =>
  page
    .getByTestId("event-row")
    .locator("[data-seal]")
    .evaluateAll((found) => [...new Set(found.map((mark) => (mark as HTMLElement).dataset.seal))]);

test.describe("in the list of events", () => {
  test("every row is proven in the browser, and the drawer shows how", async ({
    signedIn: page,
    server,
  }) => {
    await signed(server);
    await page.goto(`/o/${organization.id}/events`);
    await expect.poll(() => marks(page)).toEqual(["proven"]);
    await page.getByTestId("event-row").first().click();
    await page.getByRole("tab", { name: "Integrity" }).click();
    await expect(page.getByTestId("proof-state")).toContainText(
      "Proven in this browser: it stands in the signed log.",
    );
  });

  test("what cannot be fetched is never shown as damage", async ({ signedIn: page, server }) => {
    await signed(server);
    await page.route("**/events/proofs*", (route) => route.abort());
    await page.goto(`/o/${organization.id}/events`);
    await expect(page.getByTestId("event-row").first()).toBeVisible();
    await page.waitForTimeout(1_500);
    // What the server itself has verified may be said.
    expect(["sealed", "verified"]).toEqual(expect.arrayContaining(await marks(page)));
    await page.getByTestId("event-row").first().click();
    await page.getByRole("tab", { name: "Integrity" }).click();
    await expect(page.getByText("This says nothing about the event.")).toBeVisible();
    await page.unroute("**/events/proofs*");
    await page.getByRole("button", { name: "Retry" }).click();
    await expect(page.getByTestId("proof-state")).toContainText("Proven in this browser");
  });

  test("an event that was changed in the database has a cross, and the drawer says why", async ({
    signedIn: page,
    server,
  }) => {
    await signed(server);
    await runSql(
      server,
      "ALTER TABLE events DISABLE TRIGGER ALL",
      [
        `UPDATE events SET metadata = '{"text":"changed"}' WHERE organization_id = $1 AND action = 'note.written'`,
        [organization.id],
      ],
      "ALTER TABLE events ENABLE TRIGGER ALL",
    );
    await page.goto(`/o/${organization.id}/events?q=action:note.written`);
    await expect.poll(() => marks(page)).toEqual(["failed"]);
    await page.getByTestId("event-row").first().click();
    await page.getByRole("tab", { name: "Integrity" }).click();
    await expect(page.getByTestId("proof-state")).toContainText(
      "Not proven: the content does not hash to the chain hash.",
    );
  });
});
