import { createMember } from "../denial/visitor";
import { expect, signIn, test } from "../fixtures";
import { expectAccessible } from "../fixtures/accessible";
import { importEvents } from "../fixtures/log";
import { ADMIN } from "../global-setup";
import { TestServer } from "../server";

// Schemas belong to the instance: every test names an action of its own.

const invoice = (action: string, total: unknown, more: object = {}) => ({
  action,
  occurred_at: new Date().toISOString(),
  actor: { type: "user", id: "usr_1" },
  targets: [{ type: "invoice", id: "inv_1" }],
  metadata: { total },
  ...more,
});

function send(url: string, organization: { id: string; key: string }, event: object) {
  return fetch(`${url}/audit_logs/events`, {
    method: "POST",
    headers: { authorization: `Bearer ${organization.key}`, "content-type": "application/json" },
    body: JSON.stringify({ organization_id: organization.id, event }),
  });
}

const metadataOf = (total: object, more: object = {}) =>
  JSON.stringify({ type: "object", properties: { total }, ...more });

test("an action that was seen gets a schema, held against its events while it is written, and a second version that differs", async ({
  signedIn: page,
  server,
  organization,
}) => {
  const action = `invoice.voided.${organization.id}`;
  await importEvents(
    server,
    organization.id,
    Array.from({ length: 40 }, (_, number) => ({
      ...invoice(action, number % 13 === 0 ? `${number}` : number),
      targets: [{ type: "invoice", id: `inv_${number}` }],
    })),
  );
  await page.goto(`/o/${organization.id}/schemas?q=INVOICE.VOIDED`);
  await expect(page.getByRole("row", { name: action })).toContainText("No schema");
  await page.getByRole("link", { name: action }).click();
  await expect(page.getByText("Seen, no schema")).toBeVisible();

  await page.getByRole("link", { name: "Register a schema" }).click();
  const trial = page.getByTestId("trial");
  await expect(page.getByLabel("Type of target 1")).toHaveValue("invoice");
  await expect(trial).toContainText("Would reject none of the 40 events here.");
  const metadata = page.getByLabel("Metadata of the event");
  await metadata.fill('{ "type": ');
  await expect(page.getByText(/^is not JSON: /)).toBeVisible();
  await metadata.fill(metadataOf({ type: "text" }));
  await expect(page.getByText(/^properties\.total\.type: must be one of string/)).toBeVisible();
  await metadata.fill(metadataOf({ $ref: "https://example.com/total" }));
  await expect(page.getByText(/^properties\.total: .*\$ref/)).toBeVisible();
  await expectAccessible(page, "schema with a problem");
  await metadata.fill(metadataOf({ type: "number" }));
  await expect(trial).toContainText("Would reject 4 of the 40 events here.");
  await expect(trial.getByText("/metadata/total must be number")).toHaveCount(4);
  await expectAccessible(page, "schema that rejects");
  const [rejected] = await Promise.all([
    page.context().waitForEvent("page"),
    trial.getByRole("link", { name: "UTC" }).first().click(),
  ]);
  await expect(rejected.getByTestId("drawer-title")).toContainText(action);
  await rejected.close();
  await page.getByRole("button", { name: "Create version 1" }).click();
  await expect(page.getByText("Version 1 is the newest.")).toBeVisible();
  await expect
    .poll(async () => (await send(server.url, organization, invoice(action, "7"))).status)
    .toBe(400);

  await page.getByRole("link", { name: "New version" }).click();
  await expect(trial).toContainText("Only events sent with version 2 are held against it.");
  await page.getByRole("button", { name: "Add a target" }).click();
  await page.getByLabel("Type of target 2").fill("team");
  await expect(trial).toContainText("Would reject all the 40 events here.");
  await page.getByRole("button", { name: "Remove target 2" }).click();
  await metadata.fill(metadataOf({ type: ["number", "string"] }, { required: ["total"] }));
  await expect(trial).toContainText("Would reject none of the 40 events here.");
  await page.getByRole("button", { name: "Create version 2" }).click();
  await expect(page.getByText("Version 2 is the newest.")).toBeVisible();
  const difference = page.getByRole("region", { name: "Difference" });
  await expect(difference).toContainText("From version 1 to version 2, 2 elements changed");
  await expect(difference).toContainText("metadata.properties.total.type");
  await expect(difference.locator("ins")).toHaveText([/\["number","string"\]$/, /\["total"\]$/]);
  await expectAccessible(page, "difference");
  await page.getByLabel("Against version").fill("2");
  await page.getByRole("button", { name: "Compare" }).click();
  await expect(difference).toContainText("nothing changed");
  expect((await send(server.url, organization, invoice(action, "7", { version: 2 }))).status).toBe(
    200,
  );
  await page.goto(`/o/${organization.id}/schemas?q=${action}`);
  await expect(page.getByRole("row", { name: action })).toContainText("Version 2");
});

test("who does not administer the instance reads schemas, and finds no form", async ({
  page,
  server,
  organization,
}) => {
  await importEvents(server, organization.id, [invoice("only.read", 1)]);
  await signIn(page, server.url, await createMember(server, organization.id));
  await page.goto(`/o/${organization.id}/schemas`);
  await expect(page.getByRole("link", { name: "only.read" })).toBeVisible();
  await expect(page.getByRole("link", { name: "New schema" })).toHaveCount(0);
  await expect(page.getByRole("button", { name: /unknown actions/ })).toHaveCount(0);
  await page.getByRole("link", { name: "only.read" }).click();
  await expect(page.getByText("Seen, no schema")).toBeVisible();
  await expect(page.getByRole("link", { name: "Register a schema" })).toHaveCount(0);
  const response = await page.goto(`/o/${organization.id}/schemas/new?action=only.read`);
  expect(response?.status()).toBe(404);
});

test("events of unknown actions are refused once so chosen, and taken again after", async ({
  browser,
}) => {
  // The choice is the whole instance's: the other tests go on sending to theirs.
  const server = new TestServer({
    TRAILSEAL_ADMIN_EMAIL: ADMIN.email,
    TRAILSEAL_ADMIN_PASSWORD: ADMIN.password,
  });
  try {
    await server.start();
    const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Acme");
    const organization = await server.cliJson<{ key: string }>(
      ...["keys", "create", "--name", "e2e", "--org", id],
    );
    const status = async () =>
      (await send(server.url, { ...organization, id }, invoice("never.registered", 1))).status;
    const page = await (await browser.newContext({ baseURL: server.url })).newPage();
    await signIn(page, server.url);
    await page.goto(`/o/${id}/schemas`);
    await expect(page.getByRole("heading", { name: "No action yet" })).toBeVisible();
    await expectAccessible(page, "no action yet");

    expect(await status()).toBe(200);
    await page.getByRole("button", { name: "Refuse unknown actions" }).click();
    const dialog = page.getByRole("dialog");
    await expect(dialog).toContainText("in every organization of this instance");
    await expectAccessible(page, "refusing unknown actions");
    await dialog.getByRole("button", { name: "Refuse" }).click();
    await expect(page.getByText("are refused with 400 and not stored")).toBeVisible();
    await expect(page.getByRole("link", { name: "never.registered" })).toBeVisible();
    await expect.poll(status).toBe(400);

    await page.getByRole("button", { name: "Accept unknown actions" }).click();
    await dialog.getByRole("button", { name: "Accept" }).click();
    await expect(page.getByText("are accepted, and their actions are listed here")).toBeVisible();
    await expect.poll(status).toBe(200);
  } finally {
    await server.remove();
  }
});
