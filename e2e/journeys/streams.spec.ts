import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { Webhook } from "standardwebhooks";
import { expect, test } from "../fixtures";
import { expectAccessible } from "../fixtures/accessible";
import { type Receiver, startReceiver } from "../fixtures/receiver";

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

async function sendEvents(url: string, organization: { id: string; key: string }, count: number) {
  for (let number = 0; number < count; number += 1) {
    const response = await fetch(`${url}/audit_logs/events`, {
      method: "POST",
      headers: { authorization: `Bearer ${organization.key}`, "content-type": "application/json" },
      body: JSON.stringify({
        organization_id: organization.id,
        event: {
          action: "user.signed_in",
          occurred_at: new Date().toISOString(),
          actor: { type: "user", id: `u${number}` },
          targets: [{ type: "team", id: "t1" }],
          metadata: { nonce: Math.random().toString(36) },
        },
      }),
    });
    expect(response.ok).toBe(true);
  }
}

test("a webhook is added after a test, delivers in order, fails visibly, recovers, and is deleted", async ({
  signedIn: page,
  server,
  organization,
}) => {
  await page.goto(`/o/${organization.id}/integrity/streams`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(
    "No copy of this log exists elsewhere",
  );
  await expectAccessible(page, "empty list");
  await page.getByRole("link", { name: "New stream" }).click();
  await page.getByLabel("Name").fill("SOC relay");
  await page.getByLabel("Address").fill(`${receiver.url}/hook`);
  await expectAccessible(page, "new stream");

  receiver.setFault({ mode: "status", status: 404, times: 1 });
  await page.getByRole("button", { name: "Send a test event" }).click();
  await expect(page.getByTestId("test-report")).toContainText("The receiver answered 404");
  await expectAccessible(page, "refused test");
  await page.getByRole("button", { name: "Send again" }).click();
  await expect(page.getByTestId("test-report")).toContainText("The receiver took the test event");
  expect(receiver.stored()).toMatchObject([{ seq: null, action: "trailseal.test" }]);

  await page.getByRole("button", { name: "Start delivery" }).click();
  const secret = await page.getByTestId("signing-secret").innerText();
  await page.getByRole("button", { name: "Open the stream" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Active");

  await sendEvents(server.url, organization, 3);
  await expect.poll(() => receiver.stored().map(({ seq }) => seq)).toEqual([null, 0, 1, 2]);
  const { body, headers } = receiver.lastRequest();
  new Webhook(secret).verify(body, headers as Record<string, string>);
  await expect(page.getByText("None waits")).toBeVisible();
  await expect(page.locator("dl")).toContainText("Delivered3");
  await expectAccessible(page, "stream");

  receiver.setFault({ mode: "status", status: 401, body: "who are you" });
  await sendEvents(server.url, organization, 1);
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Failing");
  await expect(page.getByText("The credentials were rejected")).toBeVisible();
  await expectAccessible(page, "failing stream");
  receiver.setFault({ mode: "ok" });
  await page.getByRole("button", { name: "Try now" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Active");
  await expect.poll(() => receiver.stored().at(-1)?.seq).toBe(3);

  await page.getByRole("button", { name: "Pause" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Paused");
  await sendEvents(server.url, organization, 2);
  await expect(page.locator("dl")).toContainText("Lag, events2");
  await page.getByRole("button", { name: "Resume" }).click();
  await expect.poll(() => receiver.stored().at(-1)?.seq).toBe(5);

  await page.getByRole("link", { name: "All streams" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("One stream delivers");
  await expectAccessible(page, "list");
  await page.getByRole("link", { name: "SOC relay" }).click();
  await expect(page.getByRole("button", { name: "Save" })).toBeVisible();

  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText(
    "No copy of this log exists elsewhere",
  );
});

test("another host needs the token again, and a private address is refused with the way out", async ({
  signedIn: page,
  server,
  organization,
}) => {
  await page.goto(`/o/${organization.id}/integrity/streams/new`);
  await page.getByLabel("Splunk HEC").check();
  await page.getByLabel("Name").fill("SOC Splunk");
  await page.getByLabel("Collector address").fill("https://169.254.169.254:8088");
  await page.getByLabel("Token").fill("hec-token-1234");
  await page.getByRole("button", { name: "Send a test event" }).click();
  await expect(page.getByTestId("test-report")).toContainText(
    "169.254.169.254 is not a public address",
  );
  await page.getByRole("button", { name: "Continue without a pass" }).click();
  await page.getByRole("button", { name: "Start delivery" }).click();
  await expect(page.getByText("Some fields need a change")).toBeVisible();
  await expect(page.getByRole("alert").getByText("TRAILSEAL_EGRESS_ALLOW")).toBeVisible();

  await page.getByLabel("Collector address").fill(receiver.url);
  await page.getByRole("button", { name: "Start delivery" }).click();
  await expect(page.getByRole("heading", { level: 1 })).toContainText("Active");
  await sendEvents(server.url, organization, 2);
  await expect.poll(() => receiver.stored().map(({ seq }) => seq)).toEqual([0, 1]);

  await expect(page.getByText("ends in 1234")).toBeVisible();
  await page.getByLabel("Collector address").fill(receiver.url.replace("127.0.0.1", "localhost"));
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Enter it again.")).toBeVisible();
  await page.getByLabel("Token").fill("hec-token-1234");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved. Send a test event")).toBeVisible();
  await page.getByRole("button", { name: "Send a test event" }).click();
  await expect(page.getByTestId("test-report")).toContainText("The receiver took the test event");
});
