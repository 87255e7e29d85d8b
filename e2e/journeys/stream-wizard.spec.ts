import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { Locator } from "@playwright/test";
import { Webhook } from "standardwebhooks";
import { expect, test } from "../fixtures";
import { expectAccessible } from "../fixtures/accessible";
import { newPortalLink } from "../fixtures/portal";
import { type Receiver, startReceiver } from "../fixtures/receiver";
import { type Emulator, startEmulator } from "../fixtures/siem-emulator";
import { newSettings } from "../fixtures/siem-wire";
import { StreamWizard, sendEvents } from "../fixtures/stream-wizard";

// Long ways, looked at for accessibility in both themes and widths.
test.describe.configure({ timeout: 300_000 });

let receiver: Receiver;
let siem: Emulator;
let directory: string;

test.beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-receiver-"));
  const file = path.join(directory, "stored.ndjson");
  receiver = await startReceiver({ file, token: "hec-token-1234" });
  siem = await startEmulator(newSettings("datadog-key-5678"));
});
test.afterEach(async () => {
  await receiver.close();
  await siem.close();
  fs.rmSync(directory, { recursive: true, force: true });
});

test("a webhook in five steps: the address names the step, back and forward work, a reload keeps all but secrets", async ({
  signedIn: page,
  server,
  organization,
}) => {
  const wizard = new StreamWizard(page, organization.id);
  await sendEvents(server, organization, 4);
  await page.goto(`/o/${organization.id}/integrity/streams`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(
    "No copy of this log exists elsewhere",
  );
  await page.getByRole("link", { name: "New stream" }).click();
  await wizard.continue();
  await expect(page.getByText("Choose a destination.")).toBeVisible();
  await expectAccessible(page, "destinations");
  await wizard.choose("HTTPS webhook");

  // What is wrong is told when it is left, before anybody goes on.
  await page.getByLabel("Address").fill("ftp://siem.example.com");
  await page.getByLabel("Name").fill("SOC relay");
  await expect(page.getByText("The address must begin with https://.")).toBeVisible();
  await page.getByLabel("Address").fill(`${receiver.url}/hook`);
  await page.getByRole("button", { name: "Add header" }).click();
  await page.getByLabel("Header 1", { exact: true }).fill("X-Team");
  await wizard.continue();
  await expect(page.getByText("Enter a value.")).toBeVisible();
  await expect(page.getByLabel("Value")).toBeFocused();
  await expectAccessible(page, "credentials");
  await page.getByLabel("Value").fill("team-secret");
  await wizard.continue();
  await wizard.expectStep("format", "What is sent?");

  // Live: three of the newest events as they would be sent; a filter that cannot be read says where.
  await expect(page.locator("pre")).toHaveCount(3);
  await expect(page.locator("pre").first()).toContainText('"action": "user.signed_in"');
  await page.getByLabel("Filter", { exact: true }).fill("actr:u1");
  await page.getByLabel("Filter", { exact: true }).blur();
  await expect(page.getByText(/actr.* is not a field/)).toBeVisible();
  await wizard.continue();
  await expect(page.getByLabel("Filter", { exact: true })).toBeFocused();
  await page.getByLabel("Filter", { exact: true }).fill("actor:u1");
  await expect(page.locator("pre")).toHaveCount(1);
  await expect(page.getByText("takes 1 of the newest 4")).toBeVisible();
  await expectAccessible(page, "format");
  await wizard.continue();
  await wizard.expectStep("test", "Does HTTPS webhook take it?");

  await page.goBack();
  await expect(page.getByLabel("Filter", { exact: true })).toHaveValue("actor:u1");
  await page.goBack();
  await expect(page.getByLabel("Value")).toHaveValue("team-secret");
  await page.goForward();
  await page.goForward();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("Does HTTPS webhook take it?");

  await page.reload();
  await expect(page.getByText("Secrets are not kept when a page is reloaded.")).toBeVisible();
  const kept = await page.evaluate(() => JSON.stringify({ ...sessionStorage }));
  expect(kept).toContain("SOC relay");
  expect(kept).not.toContain("team-secret");
  await page.getByRole("button", { name: "Send a test event" }).click();
  await expect(page).toHaveURL(/step=credentials$/);
  await expect(page.getByLabel("Value")).toBeFocused();
  await page.getByLabel("Value").fill("team-secret");
  await wizard.throughFormat();

  receiver.setFault({ mode: "status", status: 404, body: "nobody here", times: 1 });
  await wizard.sendTest("The receiver answered 404");
  await expect(page.getByTestId("test-report")).toContainText("Check the path of the address");
  await expect(page.getByTestId("test-report")).toContainText("nobody here");
  for (const step of ["Connect", "Reply"])
    await expect(page.getByRole("row", { name: step })).toBeVisible();
  await expectAccessible(page, "refused test");
  await wizard.sendTest("The receiver took the test event");
  await expect(page.getByTestId("test-report")).toContainText("answered 404");
  expect(receiver.stored()).toMatchObject([{ seq: null, action: "trailseal.test" }]);
  expect(receiver.lastRequest().headers["x-team"]).toBe("team-secret");
  await wizard.continue();

  await wizard.expectStep("start", "Where does delivery begin?");
  await expect(page.getByText("1 of 4 events. Then live.")).toBeVisible();
  await page.getByRole("radio", { name: "A point in time" }).check();
  await page.getByLabel("Received since (UTC)").fill("2000-01-01T00:00");
  await expect(page.getByText("1 of 4 events.", { exact: true })).toBeVisible();
  await expectAccessible(page, "start point");
  await page.getByRole("radio", { name: "Everything" }).check();
  await wizard.start();

  const secret = await page.getByTestId("signing-secret").innerText();
  await page.getByRole("button", { name: "Open the stream" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("SOC relay");
  await expect.poll(() => receiver.stored().map(({ seq }) => seq)).toContain(1);
  const { body, headers } = receiver.lastRequest();
  new Webhook(secret).verify(body, headers as Record<string, string>);
  await wizard.open();
  await expect(page.getByRole("radio", { name: "HTTPS webhook" })).not.toBeChecked();
});

test("Splunk by keyboard alone; starting without a pass has to be confirmed", async ({
  signedIn: page,
  server,
  organization,
}) => {
  const wizard = new StreamWizard(page, organization.id);
  const { keyboard } = page;
  /** Tab, until the focus is there. */
  const reach = async (wanted: Locator) => {
    for (let presses = 0; presses < 60; presses += 1) {
      if (await wanted.evaluate((element) => element === document.activeElement)) return;
      await keyboard.press("Tab");
    }
    await expect(wanted).toBeFocused();
  };
  const press = async (name: string) => {
    await reach(page.getByRole("button", { name, exact: true }));
    await keyboard.press("Enter");
  };
  await wizard.open();
  await reach(page.getByRole("radio", { name: "HTTPS webhook" }));
  const splunk = page.getByRole("radio", { name: "Splunk HEC" });
  for (let presses = 0; presses < 20 && !(await splunk.isChecked()); presses += 1)
    await keyboard.press("ArrowDown");
  await keyboard.press("Enter");
  await wizard.expectStep("credentials", "Connect to Splunk HEC");
  await reach(page.getByLabel("Name"));
  await keyboard.type("SOC Splunk");
  await reach(page.getByLabel("Collector address"));
  await keyboard.type(receiver.url);
  await reach(page.getByLabel("Token"));
  await keyboard.type("a-wrong-token");
  await keyboard.press("Enter");
  await wizard.expectStep("format", "What is sent?");
  await press("Continue");
  await wizard.expectStep("test", "Does Splunk HEC take it?");
  await press("Send a test event");
  await expect(page.getByTestId("test-report")).toContainText("Invalid token");
  await press("Continue without a pass");
  await wizard.expectStep("start", "Where does delivery begin?");
  await press("Start delivery");
  await expect(page.getByText("Tick this, or send a test event that is taken.")).toBeVisible();
  await expect(page.getByRole("checkbox", { name: /^Start although/ })).toBeFocused();
  await keyboard.press("Space");
  await keyboard.press("Enter");
  const title = page.getByRole("heading", { level: 1 });
  await expect(title).toContainText("SOC Splunk");

  // The stream says what is wrong; another token lets the events through.
  await sendEvents(server, organization, 2);
  await expect(title).toContainText("Failing");
  await reach(page.getByRole("tab", { name: "Health" }));
  await keyboard.press("ArrowLeft");
  await expect(page.getByRole("tab", { name: "Settings" })).toBeFocused();
  await press("Rotate Token");
  await expect(page.getByLabel("New value")).toBeFocused();
  await keyboard.type("hec-token-1234");
  await keyboard.press("Enter");
  await expect
    .poll(() => receiver.stored().map(({ action }) => action))
    .toContain("user.signed_in");
  await expect(title).toContainText("Active");
});

test("Datadog on a phone", async ({ signedIn: page, server, organization }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  const wizard = new StreamWizard(page, organization.id);
  await wizard.open();
  await expect(page.getByText("Step 1 of 5: Destination")).toBeVisible();
  await wizard.choose("Datadog");
  await page.getByLabel("Name").fill("Datadog EU");
  await page.getByLabel("Site").selectOption("own");
  await page.getByLabel("Intake address").fill(siem.url);
  await page.getByLabel("API key").fill("datadog-key-5678");
  await expectAccessible(page, "phone, credentials");
  await page.setViewportSize({ width: 390, height: 844 });
  await wizard.throughFormat();
  await wizard.sendTest("The receiver took the test event");
  await wizard.continue();
  await wizard.expectStep("start", "Where does delivery begin?");
  await wizard.start();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Datadog EU");
  await sendEvents(server, organization, 2);
  await expect
    .poll(() => siem.stored.map(({ document }) => JSON.stringify(document)).join())
    .toContain("user.signed_in");
});

test("somebody with a portal link for streams adds one, in their organization alone", async ({
  page,
  server,
  organization,
}) => {
  await page.goto(server.url + (await newPortalLink(server, organization.id, "log_streams")));
  await page.getByRole("link", { name: "New stream" }).click();
  const wizard = new StreamWizard(page, organization.id);
  await wizard.choose("HTTPS webhook");
  await page.getByLabel("Name").fill("Customer's own");
  await page.getByLabel("Address").fill(`${receiver.url}/hook`);
  await wizard.throughFormat();
  await wizard.sendTest("The receiver took the test event");
  await wizard.continue();
  await wizard.start();
  await page.getByRole("button", { name: "Open the stream" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Customer's own");
  await sendEvents(server, organization, 1);
  await expect
    .poll(() => receiver.stored().map(({ action }) => action))
    .toContain("user.signed_in");
  await expect(page.getByRole("link", { name: "API keys" })).toHaveCount(0);
  await page.getByRole("link", { name: "All streams" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("One stream delivers");
  await expectAccessible(page, "portal, list");
});
