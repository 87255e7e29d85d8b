import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Page } from "@playwright/test";
import { expect, test } from "../fixtures";
import { expectAccessible } from "../fixtures/accessible";
import { type Receiver, startReceiver } from "../fixtures/receiver";
import { StreamWizard, sendEvents } from "../fixtures/stream-wizard";
import type { TestServer } from "../server";

// Long ways, looked at for accessibility in both themes and widths.
test.describe.configure({ timeout: 300_000 });

let receiver: Receiver;
let directory: string;

test.beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-receiver-"));
  receiver = await startReceiver({
    file: path.join(directory, "stored.ndjson"),
    token: "hec-token-1234",
  });
});
test.afterEach(async () => {
  await receiver.close();
  fs.rmSync(directory, { recursive: true, force: true });
});

/** A webhook that delivers from now on, its page open. */
async function openStream(page: Page, server: TestServer, organizationId: string): Promise<string> {
  const { id } = await server.cliJson<{ id: string }>(
    ...["streams", "add", "--org", organizationId, "--name", "SOC relay", "--from", "now"],
    ...["--destination", "webhook", "--url", `${receiver.url}/hook`],
  );
  await page.goto(`/o/${organizationId}/integrity/streams/${id}`);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Active");
  return id;
}

/** Of what the log itself sends along, checkpoints and records of changes, nothing. */
const delivered = (action = "user.signed_in") =>
  receiver.stored().filter((event) => event.action === action).length;

test("a stream delivers, fails visibly on every page, recovers, pauses, and is deleted", async ({
  signedIn: page,
  server,
  organization,
}) => {
  await openStream(page, server, organization.id);
  const title = page.getByRole("heading", { level: 1 });
  await sendEvents(server, organization, 3);
  await expect.poll(() => delivered()).toBe(3);
  await expect(page.getByText("None waits")).toBeVisible();
  await expectAccessible(page, "health");
  await page.getByRole("tab", { name: "Attempts" }).click();
  await page.getByRole("table").getByRole("button").first().click();
  await expect(page.getByRole("table")).toContainText("Delivered");
  await expect(page.getByRole("table")).toContainText("answered 200");
  await expectAccessible(page, "attempts");

  receiver.setFault({ mode: "status", status: 401, body: "who are you" });
  await sendEvents(server, organization, 1);
  await expect(title).toContainText("Failing");
  await page.goto(`/o/${organization.id}`);
  const banner = page.getByTestId("stream-alarm");
  await expect(banner).toContainText("The stream SOC relay fails");
  await banner.getByRole("link").click();
  await expect(page.getByText("The credentials were rejected").first()).toBeVisible();
  await expect(page.getByText("who are you")).toBeVisible();
  await expectAccessible(page, "failing stream");
  receiver.setFault({ mode: "ok" });
  await page.getByRole("button", { name: "Try now" }).click();
  await expect(title).toContainText("Active");
  await expect.poll(() => delivered()).toBe(4);
  await page.reload();
  await expect(page.getByTestId("stream-alarm")).toHaveCount(0);

  await page.getByRole("button", { name: "Pause" }).click();
  await expect(title).toContainText("Paused");
  await sendEvents(server, organization, 2);
  await expect(page.locator("dl")).toContainText(/Lag, events[2-9]/);
  await page.getByRole("button", { name: "Resume" }).click();
  await expect.poll(() => delivered()).toBe(6);

  await page.getByRole("link", { name: "All streams" }).click();
  await expect(title).toHaveText("One stream delivers");
  await expect(
    page.getByRole("img", { name: /events delivered in 24 hours/ }).first(),
  ).toBeAttached();
  await expectAccessible(page, "list");
  await page.getByRole("link", { name: "SOC relay" }).first().click();
  await page.getByRole("tab", { name: "Settings" }).click();
  await expectAccessible(page, "settings");
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(title).toHaveText("No copy of this log exists elsewhere");
});

test("what the receiver refuses is set aside, sent again or discarded, and the event says what became of it", async ({
  signedIn: page,
  server,
  organization,
}) => {
  await openStream(page, server, organization.id);
  receiver.setFault({ mode: "poison", action: "doc.exported" });
  await sendEvents(server, organization, 2, "doc.exported");
  await sendEvents(server, organization, 1);
  await expect.poll(() => delivered()).toBe(1);
  await page.getByRole("tab", { name: "Set aside 2" }).click();
  await expect(page.getByRole("button", { name: /^Send #\d+ again$/ })).toHaveCount(2);
  await expectAccessible(page, "set aside");

  await page
    .getByRole("button", { name: /^Discard #/ })
    .first()
    .click();
  await page.getByRole("dialog").getByRole("button", { name: "Discard" }).click();
  await expect(page.getByRole("button", { name: /^Discard #/ })).toHaveCount(1);
  receiver.setFault({ mode: "ok" });
  await page.getByRole("button", { name: "Send all again" }).click();
  await expect.poll(() => delivered("doc.exported")).toBe(1);
  await expect(page.getByText("No event is set aside.")).toBeVisible();

  await page.goto(`/o/${organization.id}/events?q=action:user.*`);
  await page.getByTestId("event-row").first().click();
  await page.getByRole("tab", { name: "Deliveries" }).click();
  await expect(page.getByTestId("deliveries")).toContainText("SOC relay");
  await expect(page.getByTestId("deliveries")).toContainText("Delivered");
  await expectAccessible(page, "deliveries");
});

test("a backfill sends a range again; the cursor moves once its consequence is confirmed", async ({
  signedIn: page,
  server,
  organization,
}) => {
  await sendEvents(server, organization, 5);
  await openStream(page, server, organization.id);
  await page.getByRole("tab", { name: "Backfills" }).click();
  await page.getByRole("button", { name: "Start a backfill" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Start" }).click();
  await expect(page.getByText("Enter where it begins.")).toBeVisible();
  await page.getByRole("radio", { name: "Sequence number" }).check();
  await page.getByLabel("First event").fill("1");
  await page.getByLabel("Until before event").fill("4");
  await expect(page.getByText("3 events.")).toBeVisible();
  await expectAccessible(page, "start a backfill");
  await page.getByRole("dialog").getByRole("button", { name: "Start" }).click();
  await expect
    .poll(() => receiver.stored().map(({ seq }) => seq))
    .toEqual(expect.arrayContaining([1, 2, 3]));
  await expect(page.getByText("Finished").first()).toBeVisible();

  await page.getByRole("tab", { name: "Health" }).click();
  await page.getByRole("button", { name: "Move" }).click();
  await page.getByLabel("Next event").fill("0");
  await page.getByLabel("Reason").fill("The index was lost");
  await page.getByRole("dialog").getByRole("button", { name: "Move" }).click();
  await expect(page.getByRole("alert").getByText(/events will be sent again/)).toBeVisible();
  await expectAccessible(page, "move the cursor");
  expect(receiver.stored().map(({ seq }) => seq)).not.toContain(0);
  await page.getByRole("button", { name: /^Send \d+ events again$/ }).click();
  await expect.poll(() => receiver.stored().map(({ seq }) => seq)).toContain(0);
});

test("another host needs the token again, and a private address is refused with the way out", async ({
  signedIn: page,
  server,
  organization,
}) => {
  const wizard = new StreamWizard(page, organization.id);
  await wizard.open();
  await wizard.choose("Splunk HEC");
  await page.getByLabel("Name").fill("SOC Splunk");
  await page.getByLabel("Collector address").fill("https://169.254.169.254:8088");
  await page.getByLabel("Token").fill("hec-token-1234");
  await wizard.continue();
  await expect(page.getByText("TRAILSEAL_EGRESS_ALLOW")).toBeVisible();
  await page.getByLabel("Collector address").fill(receiver.url);
  await wizard.throughFormat();
  await wizard.sendTest("The receiver took the test event");
  await wizard.continue();
  await wizard.start();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Active");
  await sendEvents(server, organization, 2);
  await expect.poll(() => delivered()).toBe(2);

  await page.getByRole("tab", { name: "Settings" }).click();
  await expect(page.getByText("ends in 1234").first()).toBeVisible();
  await page.getByLabel("Collector address").fill(receiver.url.replace("127.0.0.1", "localhost"));
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Enter it again.")).toBeVisible();
  await page.getByLabel("Token", { exact: true }).fill("hec-token-1234");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved. Send a test event")).toBeVisible();
  await page.getByRole("button", { name: "Send a test event" }).click();
  await expect(page.getByTestId("test-report")).toContainText("The receiver took the test event");
});
