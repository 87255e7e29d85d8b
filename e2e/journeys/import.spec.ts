import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { expectAccessible } from "../fixtures/accessible";
import { runSql } from "../fixtures/log";

const PHONE = { width: 390, height: 844 };

/** Of a system whose columns say little; one row without an action, one that repeats another's number. */
const FOREIGN = [
  "nr;what;when;who;doc;plan",
  "1;login;02.01.2026 03:04;mei;;pro",
  "2;export;02.01.2026 03:05;tom;d1;pro",
  "3;;02.01.2026 03:06;ann;d2;free",
  "2;export;02.01.2026 03:07;tom;d3;pro",
  "4;login;02.01.2026 03:08;mei;;",
].join("\n");

const items = (page: Page) => page.getByTestId("import");
const rows = (page: Page) => page.getByTestId("preview-row");
const file = (name: string, content: string) => ({
  name,
  mimeType: "text/csv",
  buffer: Buffer.from(content),
});

/** Sets a field by the keys alone: a choice by the beginning of its words. */
async function type(page: Page, label: string, text: string): Promise<void> {
  await page.getByLabel(label, { exact: true }).focus();
  await page.keyboard.type(text);
}

async function press(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name, exact: true }).focus();
  await page.keyboard.press("Enter");
}

test("a CSV of another system is mapped by keyboard, previewed, imported and found in the explorer; what was rejected is downloaded", async ({
  signedIn: page,
  server,
  organization,
}) => {
  await page.goto(`/o/${organization.id}/exports`);
  await page.getByRole("link", { name: "Import", exact: true }).click();
  await expect(page.getByRole("heading", { name: "No imports yet" })).toBeVisible();
  await expectAccessible(page, "no imports");

  await page.getByLabel("File to import").setInputFiles(file("crm.csv", FOREIGN));
  await expect(page.getByRole("heading", { name: "crm.csv" })).toBeVisible();
  await expect(page.getByLabel("Cells are separated by")).toHaveValue("semicolon");
  await expect(page.getByRole("list", { name: "To look at" })).toContainText(
    "No column looks like action",
  );
  await expect(page.getByRole("button", { name: "Start import" })).toBeEnabled();

  await type(page, "Action", "what");
  await type(page, "Time", "when");
  await type(page, "Written as", "A pattern");
  await page.getByLabel("Pattern", { exact: true }).fill("dd.MM.yyyy HH:mm");
  await type(page, "Time zone of times that name none", "Europe/Oslo");
  await type(page, "Actor id", "who");
  await press(page, "Add a target");
  await type(page, "Target id", "doc");
  await page.getByLabel("Target type: text").fill("document");
  await type(page, "Recognise rows by", "nr");
  await page.getByLabel("Name of the source").fill("CRM");

  const first = rows(page).first();
  await expect(first).toContainText("login 2026-01-02 02:04 UTC");
  await expect(first).toContainText("user mei");
  await expect(first).toContainText("plan: pro");
  await expect(rows(page).nth(1)).toContainText("user tom → document d1");
  const rejected = rows(page).nth(2);
  await expect(rejected).toContainText("Rejected: column what");
  await expect(rejected).toContainText("fill the cell, or map action to another column");
  await expect(rows(page).nth(3)).toContainText("Repeats line 3: not stored.");
  await expect(page.getByRole("region", { name: "Preview" }).getByRole("status")).toHaveText(
    "The first 5 rows looked at: 1 is rejected, 1 repeats an earlier row.",
  );
  await expectAccessible(page, "a mapping");

  await page.getByLabel("Keep this mapping as").focus();
  await page.keyboard.type("Our CRM");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Saved as Our CRM.")).toBeVisible();
  await press(page, "Start import");

  const item = items(page);
  await expect(item).toHaveAttribute("data-state", "done");
  await expect(item).toContainText("3 imported");
  await expect(item).toContainText("1 repeat of a row of this file");
  await expect(item).toContainText("1 rejected");
  await expect(item).toContainText("Line 4: column what: action is required");
  await expectAccessible(page, "an import that is done");

  const downloading = page.waitForEvent("download");
  await item.getByRole("link", { name: "Download rejected rows" }).click();
  const lines = readFileSync(await (await downloading).path(), "utf8")
    .trim()
    .split("\n");
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { file: "crm.csv", number: 4, record: { nr: "3", who: "ann" } },
  ]);

  const sealed = await runSql<{ action: string; metadata: Record<string, string> }>(server, [
    "SELECT action, metadata FROM events WHERE organization_id = $1 AND action LIKE 'trailseal.import%' ORDER BY seq",
    [organization.id],
  ]);
  expect(sealed.map(({ action }) => action)).toEqual([
    "trailseal.import_mapping_saved",
    "trailseal.import_started",
    "trailseal.import_finished",
  ]);
  expect(sealed[1]?.metadata).toMatchObject({ file: "crm.csv", source: "CRM", mapping: "Our CRM" });
  expect(sealed[2]?.metadata).toMatchObject({ outcome: "done", stored: "3", repeats: "1" });

  await page.goto(`/o/${organization.id}/events?q=actor:mei`);
  await expect(page.getByTestId("row-count")).toHaveText("2 events");

  // The same file again, with the mapping that was kept: nothing is stored twice.
  await page.goto(`/o/${organization.id}/import`);
  await page.getByLabel("File to import").setInputFiles(file("crm.csv", FOREIGN));
  await page.getByLabel("Begin with").selectOption("Our CRM");
  await expect(rows(page).first()).toContainText("login 2026-01-02 02:04 UTC");
  await press(page, "Start import");
  await expect(item).toHaveCount(2);
  await expect(item.first()).toHaveAttribute("data-state", "done");
  await expect(item.first()).toContainText("0 imported");
  await expect(item.first()).toContainText("3 already there");
});

test("on a phone: a file too much is refused in words, one taken for the wrong thing is corrected, discarded, and another imported", async ({
  signedIn: page,
  organization,
}) => {
  await page.setViewportSize(PHONE);
  await page.goto(`/o/${organization.id}/import`);
  const choose = page.getByLabel("File to import");
  await choose.setInputFiles(file("nothing.csv", ""));
  await expect(page.getByRole("region", { name: "New import" }).getByRole("alert")).toHaveText(
    "nothing.csv is empty: there is nothing to import.",
  );
  await choose.setInputFiles(file("crm.csv", FOREIGN));
  await expect(rows(page).first()).toBeVisible();
  await page.getByLabel("The file is").selectOption("NDJSON");
  await expect(rows(page).first()).toContainText("Rejected");
  await expect(page.getByLabel("Action", { exact: true })).toHaveCount(0);
  await page.getByLabel("The file is").selectOption("CSV");
  await page.getByLabel("Other columns").selectOption("Leave out");
  await page.getByRole("button", { name: "Add to metadata", exact: true }).click();
  await expect(page.getByRole("region", { name: "Preview" }).getByRole("alert")).toHaveText(
    "Metadata: give each entry a name.",
  );
  await expect(page.getByRole("button", { name: "Start import" })).toBeDisabled();
  await page.getByRole("button", { name: "Discard" }).click();
  await expect(page.getByRole("heading", { name: "No imports yet" })).toBeVisible();

  const line = { action: "a", occurred_at: "2026-01-02T03:04:05Z", targets: [] };
  const event = JSON.stringify({ ...line, actor: { type: "user", id: "usr_1" } });
  await choose.setInputFiles(file("events.ndjson", `${event}\n`));
  await expect(rows(page).first()).toContainText("user usr_1");
  await page.getByRole("button", { name: "Start import" }).click();
  await expect(items(page)).toHaveAttribute("data-state", "done");
  await expect(items(page)).toContainText("1 imported");
  await items(page).getByRole("button", { name: "Remove" }).click();
  const question = page.getByRole("dialog", { name: "Remove this import from the list?" });
  await expectAccessible(page, "a question before an import is removed");
  await page.setViewportSize(PHONE);
  await question.getByRole("button", { name: "Remove import" }).click();
  await expect(items(page)).toHaveCount(0);
});

test("a preview that failed is asked for again, and the import starts", async ({
  signedIn: page,
  organization,
}) => {
  const line = { action: "a", occurred_at: "2026-01-02T03:04:05Z", targets: [] };
  const event = JSON.stringify({ ...line, actor: { type: "user", id: "usr_1" } });
  await page.goto(`/o/${organization.id}/import`);
  await page.route(/\/import\/import_/, (route) =>
    route.request().method() === "POST" ? route.abort() : route.continue(),
  );
  await page.getByLabel("File to import").setInputFiles(file("events.ndjson", `${event}\n`));
  const preview = page.getByRole("region", { name: "Preview" });
  await expect(preview.getByRole("alert")).toHaveText("The server did not answer.");
  await expect(page.getByRole("button", { name: "Start import" })).toBeDisabled();
  await page.unroute(/\/import\/import_/);
  await preview.getByRole("button", { name: "Try again" }).click();
  await expect(rows(page).first()).toContainText("user usr_1");
  await page.getByRole("button", { name: "Start import" }).click();
  await expect(items(page)).toHaveAttribute("data-state", "done");
});

test("a page of another site cannot upload, nor can anybody to an organization that is not theirs", async ({
  signedIn: page,
  organization,
}) => {
  const send = (org: string, headers: Record<string, string> = {}) =>
    page.request.post(`/o/${org}/import/upload?name=a.csv`, { data: "a,b\n1,2\n", headers });
  const forged = await send(organization.id, { origin: "https://elsewhere.example" });
  expect(forged.status()).toBe(403);
  expect(await forged.json()).toMatchObject({ code: "foreign_origin" });
  expect((await send("org_01JZ8Q4M7N2V5X9C3B6T0R1KDH")).status()).toBe(404);
  expect((await send(organization.id)).status()).toBe(201);
});
