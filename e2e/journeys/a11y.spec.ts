import { expect, test } from "../fixtures";
import { expectAccessible } from "../fixtures/accessible";
import { eventsForTests, importEvents, runSql } from "../fixtures/log";
import { newPortalLink } from "../fixtures/portal";

test("every page of the explorer is accessible in both themes, on a desktop and a phone", async ({
  signedIn: page,
  server,
  organization,
}) => {
  test.setTimeout(480_000);
  const at = (place: string) => `/o/${organization.id}/${place}`;
  const rowCount = page.getByTestId("row-count");

  await importEvents(server, organization.id, eventsForTests(150));
  await page.goto(at("events?q=actor.type:user%20-action:policy.changed"));
  await expect(rowCount).toHaveText("100+ events");
  await expectAccessible(page, "events, filtered");
  await page.getByTestId("event-row").first().click();
  for (const tab of ["Summary", "JSON"]) {
    await page.getByRole("tab", { name: tab }).click();
    await expectAccessible(page, `drawer, ${tab}`);
  }
  await page.goto(at("events?q=actor:nobody"));
  await expect(page.getByText("No events match")).toBeVisible();
  await expectAccessible(page, "no match");
  await page.goto(at("events?q=actr:usr_3"));
  await expect(page.getByText("Query not run")).toBeVisible();
  await expectAccessible(page, "query not run");
  await page.goto(at("timeline?actor=user:usr_3"));
  await expect(page.getByText("Start of this timeline.")).toBeVisible();
  await page.getByTestId("timeline-row").first().click();
  await expect(page.getByTestId("drawer-title")).toBeVisible();
  await expectAccessible(page, "timeline with an event open");
});

test("every page of proofs and settings is accessible in both themes, on a desktop and a phone", async ({
  signedIn: page,
  server,
  organization,
}) => {
  test.setTimeout(480_000);
  const at = (place: string) => `/o/${organization.id}/${place}`;

  await page.goto(at("integrity"));
  await expect(page.getByTestId("verdict")).toHaveText("Not yet checked");
  await expectAccessible(page, "integrity of an empty log");

  await importEvents(server, organization.id, eventsForTests(150));
  await page.goto(at("integrity"));
  await page.getByRole("button", { name: "Verify" }).click();
  await expect(page.getByTestId("verdict")).toHaveText("Verified to #150");
  await expectAccessible(page, "integrity, verified");
  await page.goto(at("events"));
  await expect(page.getByText("Verified to #150")).toBeVisible();
  await expectAccessible(page, "events, verified");
  await runSql(
    server,
    "BEGIN",
    "ALTER TABLE events DISABLE TRIGGER ALL",
    [
      "UPDATE events SET chain_hash = sha256('x') WHERE organization_id = $1 AND seq = 71",
      [organization.id],
    ],
    "ALTER TABLE events ENABLE TRIGGER ALL",
    "COMMIT",
  );
  await page.goto(at("integrity"));
  await page.getByRole("button", { name: "Verify again" }).click();
  await expect(page.getByTestId("verdict")).toContainText("Broken at #71");
  await expectAccessible(page, "integrity, broken");

  await page.goto(at("settings/keys"));
  await expect(page.getByRole("row", { name: /e2e/ })).toBeVisible();
  await expectAccessible(page, "keys");
  await page.goto(at("settings"));
  await page.getByLabel("Keep events for").selectOption("90");
  await expect(page.getByText("Would delete 0 of")).toBeVisible();
  await expectAccessible(page, "settings");
  await page.goto("/o/org_01ARZ3NDEKTSV4RRFFQ69G5FAV/events");
  await expectAccessible(page, "not found");
});

test("the portal and the API's page are accessible in both themes, on a desktop and a phone", async ({
  page,
  server,
  organization,
}) => {
  test.setTimeout(480_000);
  await importEvents(server, organization.id, eventsForTests(150));
  await page.goto(await newPortalLink(server, organization.id));
  await expect(page.getByRole("heading", { name: "Audit log" })).toBeVisible();
  await expectAccessible(page, "portal, start");
  await page.getByRole("main").getByRole("link", { name: "Events" }).click();
  await expect(page.getByTestId("row-count")).toHaveText("100+ events");
  await expectAccessible(page, "portal, events");
  await page.getByTestId("event-row").first().click();
  await expect(page.getByTestId("drawer-title")).toBeVisible();
  await expectAccessible(page, "portal, an event");
  await page.goto(`/o/${organization.id}/integrity/streams`);
  await expect(
    page.getByRole("heading", { name: "No copy of this log exists elsewhere" }),
  ).toBeVisible();
  await expectAccessible(page, "portal, streams");
  await page.goto("/portal/ended");
  await expectAccessible(page, "portal, ended");
  await page.goto("/docs/api");
  await expectAccessible(page, "API");
});

test("the pages of schemas are accessible in both themes, on a desktop and a phone", async ({
  signedIn: page,
  server,
  organization,
}) => {
  await importEvents(server, organization.id, eventsForTests(20));
  await page.goto(`/o/${organization.id}/schemas`);
  await expect(page.getByRole("link", { name: "doc.exported" })).toBeVisible();
  await expectAccessible(page, "actions");
  await page.getByRole("link", { name: "doc.exported" }).click();
  await expect(page.getByText("Seen, no schema")).toBeVisible();
  await expectAccessible(page, "an action without a schema");
  await page.getByRole("link", { name: "Register a schema" }).click();
  await expect(page.getByTestId("trial")).toContainText("Would");
  await expectAccessible(page, "a new schema");
});

test("sign-in and a spent set-up link are accessible in both themes, on a desktop and a phone", async ({
  page,
}) => {
  await page.goto("/sign-in");
  await expect(page.getByLabel("E-mail")).toBeVisible();
  await expectAccessible(page, "sign-in");
  await page.goto("/setup?token=spent");
  await expect(page.getByRole("heading", { name: "This link does not work" })).toBeVisible();
  await expectAccessible(page, "set-up");
});
