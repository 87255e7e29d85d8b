import path from "node:path";
import { expect, test } from "../fixtures";
import { eventsForTests, importEvents, runSql } from "../fixtures/log";
import { newPortalLink } from "../fixtures/portal";
import { startReceiver } from "../fixtures/receiver";
import { addStreamAs, addStreamWork } from "../fixtures/stream-states";
import { StreamWizard } from "../fixtures/stream-wizard";

/** Pictures of the pages of streams, in every state; they go where TRAILSEAL_SCREENSHOTS says. */
const folder = path.resolve(process.env.TRAILSEAL_SCREENSHOTS ?? "screenshots");
const SIZES = [
  ["wide", 1440, 900],
  ["phone", 390, 844],
] as const;

test("pictures of streams", async ({ signedIn: page, browser, server, organization }) => {
  test.setTimeout(600_000);
  const { id } = organization;
  await importEvents(server, id, eventsForTests(2_000));
  const streams: Record<string, string> = {};
  for (const state of ["active", "degraded", "error", "paused", "disabled"] as const)
    streams[state] = await addStreamAs(server, id, `SOC ${state}`, state);
  await addStreamWork(server, id, streams.error as string);
  await runSql(
    server,
    [
      `INSERT INTO stream_reconciliations (organization_id, stream_id, from_seq, to_seq, objects, events, checkpoints,
         not_covered, finding, error)
       VALUES ($1, $2, 0, 1800, 4, 1800, 3, '{}', NULL, NULL)`,
      [id, streams.active],
    ],
    // Only object stores are compared.
    [
      `UPDATE streams SET destination = 's3', config = '{"bucket":"audit-lake","region":"eu-central-1"}'
       WHERE organization_id = $1 AND id = $2`,
      [id, streams.active],
    ],
  );
  const receiver = await startReceiver({
    file: path.join(server.dataDir, "pictures.ndjson"),
    token: "",
  });
  const list = `/o/${id}/integrity/streams`;
  const visitor = await (await browser.newContext({ baseURL: server.url })).newPage();
  await visitor.goto(await newPortalLink(server, id, "log_streams"));
  for (const theme of ["light", "dark"] as const) {
    for (const [size, width, height] of SIZES) {
      for (const at of [page, visitor]) {
        await at.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
        await at.setViewportSize({ width, height });
      }
      const shoot = async (name: string, at = page) => {
        await at.waitForLoadState("networkidle");
        const file = `${name}-${size}-${theme}.png`;
        await at.screenshot({ path: path.join(folder, file), fullPage: true });
      };
      await page.goto(list);
      await shoot("streams");
      for (const state of ["active", "degraded", "error"]) {
        await page.goto(`${list}/${streams[state]}`);
        await shoot(`stream-${state}`);
      }
      for (const tab of ["attempts", "set-aside", "jobs", "settings"]) {
        await page.goto(`${list}/${streams.error}?tab=${tab}`);
        await shoot(`stream-${tab}`);
      }
      await visitor.goto(list);
      await shoot("portal-streams", visitor);

      const wizard = new StreamWizard(page, id);
      await page.goto(`${list}/new`);
      await shoot("wizard-1");
      await wizard.choose("HTTPS webhook");
      await page.getByLabel("Address").fill(`${receiver.url}/hook`);
      await page.getByLabel("Name").fill("SOC relay");
      await shoot("wizard-2");
      await wizard.continue();
      await expect(page.locator("pre")).toHaveCount(3);
      await shoot("wizard-3");
      await wizard.continue();
      await wizard.sendTest("200");
      await shoot("wizard-4");
      await wizard.continue();
      await wizard.expectStep("start", "Where does delivery begin?");
      await shoot("wizard-5");
      await page.goto(`${list}/new`);
      await wizard.choose("Google Cloud Storage");
      await shoot("wizard-gcs");
    }
  }
  await receiver.close();
});
