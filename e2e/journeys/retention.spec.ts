import pg from "pg";
import { expect, test } from "../fixtures";
import { expectAccessible } from "../fixtures/accessible";
import { eventsForTests, importEvents } from "../fixtures/log";

test("a period is set, a hold keeps everything until it is released, and what was deleted is listed", async ({
  signedIn: page,
  server,
  organization,
}) => {
  const { id } = organization;
  await importEvents(server, id, eventsForTests(40));
  const imported = new Date(Date.now() + 1).toISOString();
  const settings = `/o/${id}/settings`;
  await page.goto(settings);
  const fact = (term: string) =>
    page.locator("dl > div").filter({ has: page.getByText(term, { exact: true }) });
  await expect(fact("Kept for")).toContainText("For ever");
  await expect(fact("Last deletion")).toContainText("None yet");
  await expect(page.getByText("Nothing was deleted yet.")).toBeVisible();
  await expect(page.getByText("No hold was placed yet.")).toBeVisible();

  await page.getByLabel("Keep events for").selectOption("90");
  await expect(page.getByText(/Would delete 0 of 4\d events now/)).toBeVisible();
  await page.getByLabel("Events that a stream has not delivered").selectOption("delete");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(fact("Kept for")).toContainText(
    "90 days from receipt, set here, and 7 days of grace",
  );
  await expect(fact("Next deletion")).toContainText("4");

  await page.getByLabel("Reason for a hold").fill("case 2026-14");
  await page.getByRole("button", { name: "Place hold" }).click();
  await expect(page.getByText("case 2026-14")).toBeVisible();
  await expectAccessible(page, "settings with a hold");
  const pruning = await server.cli("prune", "--org", id, "--before", imported, "--yes");
  expect(pruning.code).toBe(1);
  expect(pruning.stderr).toContain("case 2026-14");

  await page.getByRole("button", { name: "Release" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Reason for the release").fill("closed");
  await dialog.getByRole("button", { name: "Release" }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText(/released \d/)).toBeVisible();

  await server.cliJson("prune", "--org", id, "--before", imported, "--yes");
  await page.reload();
  await expect(fact("Last deletion")).toContainText("40 events");
  await expect(page.getByRole("row", { name: /Done/ })).toContainText("#40");
  await expectAccessible(page, "settings after a deletion");
  const plans = await server.cliJson<{ state: string; days: number; source: string }[]>(
    ...["retention", "plan", "--org", id],
  );
  expect(plans).toMatchObject([{ state: "nothing", days: 90, source: "organization" }]);
  const report = await server.cliJson<{ logs: object[] }>(
    ...["retention", "run", "--org", id, "--yes"],
  );
  expect(report.logs).toMatchObject([{ organization_id: id, removed: 0, error: null }]);
  const unsure = await server.cli("retention", "run", "--org", id);
  expect(unsure.code).toBe(1);
  expect(unsure.stderr).toContain("--yes");

  // What the database's login for the app changes by itself is no policy, until somebody saves it.
  const app = new pg.Client({ connectionString: server.appUrl() });
  await app.connect();
  await app.query("UPDATE organizations SET retention_days = 30 WHERE id = $1", [id]);
  await app.end();
  await page.reload();
  const refused = page.getByTestId("retention-refused");
  await expect(refused).toContainText(/keep events for 30 days, its event #\d+ says 90 days/);
  await expectAccessible(page, "settings that the log contradicts");
  const plan = await server.cli("retention", "plan", "--org", id);
  expect(plan.stdout).toContain("says 90 days");
  expect(await server.cli("retention", "run", "--org", id, "--yes")).toMatchObject({ code: 1 });
  await page.getByRole("button", { name: "Save" }).click();
  await expect(refused).toBeHidden();

  // All of it is in the log, by whom it was done.
  await page.goto(`/o/${id}/events?q=action:trailseal.*`);
  for (const action of ["retention_changed", "hold_placed", "hold_released", "pruned"])
    await expect(
      page
        .getByTestId("event-row")
        .filter({ hasText: `trailseal.${action}` })
        .first(),
    ).toBeVisible();
});
