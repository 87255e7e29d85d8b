import { gzipSync } from "node:zlib";
import type { Page } from "@playwright/test";
import { access } from "../lib/auth/access";
import { expect, test } from "./fixtures";
import { eventsForTests, importEvents } from "./fixtures/log";

/** Kilobytes (1,024 bytes) of gzip that a page may load before anybody touches it. */
const BUDGETS: Record<string, { path: string; scriptKb: number }> = {
  "/docs/api": { path: "/docs/api", scriptKb: 150 },
  "/portal/ended": { path: "/portal/ended", scriptKb: 150 },
  "/sign-in": { path: "/sign-in", scriptKb: 150 },
  "/invitation": { path: "/invitation", scriptKb: 150 },
  "/o": { path: "/o", scriptKb: 225 },
  "/account": { path: "/account", scriptKb: 225 },
  "/instance": { path: "/instance", scriptKb: 225 },
  "/instance/portal": { path: "/instance/portal", scriptKb: 225 },
  "/o/[org]": { path: "/o/ORG", scriptKb: 240 },
  "/o/[org]/events": { path: "/o/ORG/events", scriptKb: 260 },
  "/o/[org]/timeline": { path: "/o/ORG/timeline?actor=user:usr_3", scriptKb: 240 },
  "/o/[org]/integrity": { path: "/o/ORG/integrity", scriptKb: 220 },
  "/o/[org]/integrity/drill": { path: "/o/ORG/integrity/drill", scriptKb: 220 },
  "/o/[org]/integrity/streams": { path: "/o/ORG/integrity/streams", scriptKb: 225 },
  "/o/[org]/integrity/streams/new": { path: "/o/ORG/integrity/streams/new", scriptKb: 225 },
  "/o/[org]/integrity/streams/[id]": { path: "/o/ORG/integrity/streams/STREAM", scriptKb: 225 },
  "/o/[org]/exports": { path: "/o/ORG/exports?new=1", scriptKb: 225 },
  "/o/[org]/import": { path: "/o/ORG/import", scriptKb: 225 },
  "/o/[org]/import/[id]": { path: "/o/ORG/import/UPLOAD", scriptKb: 225 },
  "/o/[org]/settings": { path: "/o/ORG/settings", scriptKb: 225 },
  "/o/[org]/schemas": { path: "/o/ORG/schemas", scriptKb: 225 },
  "/o/[org]/schemas/action": { path: "/o/ORG/schemas/action?name=doc.viewed", scriptKb: 225 },
  "/o/[org]/schemas/new": { path: "/o/ORG/schemas/new?action=doc.viewed", scriptKb: 225 },
  "/o/[org]/settings/keys": { path: "/o/ORG/settings/keys", scriptKb: 225 },
  "/o/[org]/settings/sso": { path: "/o/ORG/settings/sso", scriptKb: 225 },
  "/o/[org]/settings/portal": { path: "/o/ORG/settings/portal", scriptKb: 225 },
  "/o/[org]/settings/members": { path: "/o/ORG/settings/members", scriptKb: 225 },
};
/** One sends on to another; the others open only before there is an administrator, and behind a link. */
const UNMEASURED = ["/", "/setup", "/portal/start", "/portal/enter"];
const STYLE_KB = 25;
/** What opens on demand brings at most this much more. */
const LAZY_KB = 30;

const kb = (bytes: number) => Math.round(bytes / 102.4) / 10;

/** What the page has loaded since it was last asked, gzip sizes in bytes. */
function watchLoads(page: Page) {
  const loads: Promise<{ type: string; bytes: number }>[] = [];
  page.on("requestfinished", (request) => {
    // The worker comes after the rows are shown, and beside the page.
    const isWorker = new URL(request.url()).pathname === "/proof-worker.js";
    const type = isWorker ? "worker" : request.resourceType();
    if (!["script", "stylesheet", "worker"].includes(type)) return;
    loads.push(
      request
        .response()
        .then((response) => response?.body())
        .then((body) => ({ type, bytes: gzipSync(body ?? "").length }))
        .catch((error: Error) => {
          // What comes after the last look is nobody's.
          if (!error.message.includes("Test ended")) throw error;
          return { type, bytes: 0 };
        }),
    );
  });
  return async () => {
    await page.waitForLoadState("networkidle");
    const all = await Promise.all(loads.splice(0));
    const sum = (type: string) =>
      kb(all.filter((load) => load.type === type).reduce((total, { bytes }) => total + bytes, 0));
    return { scriptKb: sum("script"), styleKb: sum("stylesheet"), workerKb: sum("worker") };
  };
}

async function withoutPrefetch(page: Page): Promise<void> {
  // Another page's budget: what links ask for ahead.
  await page.route(
    (url) => url.searchParams.has("_rsc"),
    (route, request) =>
      request.headers()["next-router-prefetch"] ? route.abort() : route.continue(),
  );
}

function report(what: string, rows: [string, number, number][]): void {
  const lines = rows.map(
    ([name, used, budget]) =>
      `${name.padEnd(40)} ${used.toFixed(1).padStart(7)} ${String(budget).padStart(6)} ${used > budget ? "PAST BUDGET" : ""}`,
  );
  console.log([`${what.padEnd(40)}  gzip KB budget`, ...lines].join("\n"));
}

test("every page loads no more script and style than its budget", async ({
  signedIn: page,
  browser,
  server,
  organization,
}) => {
  const pages = Object.keys(access).flatMap((key) => /^page:(.+)$/.exec(key)?.[1] ?? []);
  expect(Object.keys(BUDGETS).sort()).toEqual(
    pages.filter((key) => !UNMEASURED.includes(key)).sort(),
  );

  await importEvents(server, organization.id, eventsForTests(300));
  const stream = await server.cliJson<{ id: string }>(
    ...["streams", "add", "--org", organization.id, "--name", "s"],
    ...["--destination", "webhook", "--url", "http://127.0.0.1:9/"],
  );
  const upload = await page.request.post(`/o/${organization.id}/import/upload?name=crm.csv`, {
    data: Buffer.from("id,action,time,user\n1,login,2026-01-02T03:04:05Z,mei\n"),
  });
  const { id: uploaded } = (await upload.json()) as { id: string };
  const { cookies } = await page.context().storageState();
  const rows: [string, number, number][] = [];
  let mostStyle = 0;
  let mostWorker = 0;
  for (const [name, { path, scriptKb }] of Object.entries(BUDGETS)) {
    const isOpen = access[`page:${name}` as keyof typeof access].who === "public";
    // Nothing cached, and a session only where one is needed: sign-in sends away who has one.
    const context = await browser.newContext({ baseURL: server.url });
    if (!isOpen) await context.addCookies(cookies);
    const fresh = await context.newPage();
    await withoutPrefetch(fresh);
    const loaded = watchLoads(fresh);
    const address = path
      .replace("ORG", organization.id)
      .replace("STREAM", stream.id)
      .replace("UPLOAD", uploaded);
    const response = await fresh.goto(address);
    expect(response?.status(), name).toBe(200);
    expect(new URL(fresh.url()).pathname, name).toBe(address.split("?")[0]);
    const used = await loaded();
    rows.push([name, used.scriptKb, scriptKb]);
    mostStyle = Math.max(mostStyle, used.styleKb);
    mostWorker = Math.max(mostWorker, used.workerKb);
    await context.close();
  }
  rows.push(["styles, most of any page", mostStyle, STYLE_KB]);
  rows.push(["the worker that checks proofs", mostWorker, LAZY_KB]);
  report("Page", rows);
  expect(rows.filter(([, used, budget]) => used > budget)).toEqual([]);
});

const LAZY: { name: string; open(page: Page): Promise<void> }[] = [
  {
    name: "command palette",
    async open(page) {
      await page.keyboard.press("ControlOrMeta+k");
      await expect(page.getByRole("dialog")).toBeVisible();
    },
  },
  {
    name: "help sheet",
    async open(page) {
      await page.keyboard.press("?");
      await expect(page.getByRole("dialog")).toBeVisible();
    },
  },
  {
    name: "event drawer",
    async open(page) {
      await page.getByTestId("event-row").first().click();
      await expect(page.getByTestId("drawer-title")).toBeVisible();
    },
  },
  {
    name: "event drawer, JSON",
    async open(page) {
      await page.getByRole("tab", { name: "JSON" }).click();
      await expect(page.getByRole("tabpanel")).toBeVisible();
    },
  },
];

test("what opens on demand brings little with it", async ({
  signedIn: page,
  server,
  organization,
}) => {
  await importEvents(server, organization.id, eventsForTests(20));
  await withoutPrefetch(page);
  await page.goto(`/o/${organization.id}/events`);
  await expect(page.getByTestId("event-row").first()).toBeVisible();
  const loaded = watchLoads(page);
  await loaded();
  const rows: [string, number, number][] = [];
  for (const { name, open } of LAZY) {
    await open(page);
    rows.push([name, (await loaded()).scriptKb, LAZY_KB]);
    if ((await page.getByRole("dialog").count()) > 0) await page.keyboard.press("Escape");
    await expect(page.getByRole("dialog")).toHaveCount(0);
  }
  report("On demand, on the events page", rows);
  expect(rows.filter(([, used, budget]) => used > budget)).toEqual([]);
});
