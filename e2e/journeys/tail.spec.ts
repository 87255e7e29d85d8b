import type { APIRequestContext, Page } from "@playwright/test";
import { createMember, signInByRequest } from "../denial/visitor";
import { expect, signIn, test } from "../fixtures";
import { expectAccessible } from "../fixtures/accessible";
import { eventsForTests, importEvents, runSql } from "../fixtures/log";
import { type ReverseProxy, startProxy } from "../fixtures/proxy";
import { ADMIN } from "../global-setup";
import { TestServer } from "../server";

interface Organization {
  id: string;
  key: string;
}

async function send(request: APIRequestContext, to: Organization, action: string, at = new Date()) {
  const response = await request.post("/audit_logs/events", {
    headers: { authorization: `Bearer ${to.key}` },
    data: {
      organization_id: to.id,
      event: {
        action,
        occurred_at: at.toISOString(),
        actor: { type: "user", id: "usr_live", name: "Ada" },
        targets: [{ type: "doc", id: "doc_1" }],
        context: { location: "10.0.0.1" },
      },
    },
  });
  expect(response.status()).toBe(200);
}

const live = (page: Page) => page.getByRole("button", { name: /^Live/ });
const rowsWith = (page: Page, text: string) =>
  page.getByTestId("event-row").filter({ hasText: text });

/** Opens a search with the mouse out of the way and switches its tail on. */
async function switchOn(page: Page, url: string): Promise<void> {
  await page.mouse.move(2, 2);
  await page.goto(url);
  await expect(page.getByTestId("event-row").first()).toBeVisible();
  await page.waitForLoadState("networkidle");
  await page.keyboard.press("l");
}

async function goLive(page: Page, url: string): Promise<void> {
  await switchOn(page, url);
  await expect(live(page)).toHaveAccessibleName("Live: on");
}

test.describe("behind a reverse proxy", () => {
  let proxy: ReverseProxy;
  test.beforeEach(async ({ server }) => {
    proxy = await startProxy(server.url);
  });
  test.afterEach(() => proxy.close());

  test("events appear within two seconds, late ones marked, and wait while somebody reads", async ({
    page,
    request,
    server,
    organization,
  }) => {
    await importEvents(server, organization.id, eventsForTests(150));
    await signIn(page, proxy.url);
    await goLive(page, `${proxy.url}/o/${organization.id}/events?q=-action:noise.made`);

    await send(request, organization, "doc.opened");
    await expect(rowsWith(page, "doc.opened")).toBeVisible({ timeout: 2_000 });
    await send(request, organization, "noise.made");
    await send(request, organization, "doc.found", new Date(Date.now() - 3_600_000));
    await expect(rowsWith(page, "doc.found").getByText("late")).toBeVisible({ timeout: 2_000 });
    await expect(page.getByTestId("event-row").first()).toContainText("doc.found");
    await expect(rowsWith(page, "doc.opened").getByText("late")).toHaveCount(0);
    await expect(rowsWith(page, "noise.made")).toHaveCount(0);
    await expect(page.getByTestId("tail-summary")).toHaveText(/^\d new events?$/);

    await page.getByTestId("event-row").nth(3).hover();
    await expect(live(page)).toHaveAccessibleDescription(
      "Paused while the mouse is over the list.",
    );
    const top = await rowsWith(page, "doc.found").boundingBox();
    await send(request, organization, "doc.closed");
    await send(request, organization, "doc.shared");
    await expect(page.getByRole("button", { name: "2 new" })).toBeVisible({ timeout: 2_500 });
    expect(await rowsWith(page, "doc.found").boundingBox()).toEqual(top);
    await page.getByRole("button", { name: "2 new" }).click();
    await expect(page.getByTestId("event-row").first()).toContainText("doc.shared");
    await page.mouse.move(2, 2);
    await expect(live(page)).toHaveAccessibleName("Live: on");

    await rowsWith(page, "doc.opened").click();
    await expect(live(page)).toHaveAccessibleDescription("Paused while an event is open.");
    await send(request, organization, "doc.moved");
    await expect(page.getByRole("button", { name: "1 new" })).toBeVisible({ timeout: 2_500 });
    await page.getByRole("button", { name: "Close" }).click();

    const stored = await runSql<{ count: string }>(server, [
      "SELECT count(*) FROM events WHERE organization_id = $1 AND actor_id = 'usr_live' AND action <> 'noise.made'",
      [organization.id],
    ]);
    await page.getByRole("textbox").or(page.getByRole("combobox")).first().focus();
    await page.mouse.move(2, 2);
    await expect(rowsWith(page, "Ada")).toHaveCount(Number(stored[0]?.count));
    await expectAccessible(page, "a live tail");
  });

  test("a connection that breaks is taken up again without loss or repetition", async ({
    page,
    request,
    server,
    organization,
  }) => {
    await importEvents(server, organization.id, eventsForTests(20));
    await signIn(page, proxy.url);
    await goLive(page, `${proxy.url}/o/${organization.id}/events`);
    for (const round of [1, 2, 3]) {
      await send(request, organization, `round.started_${round}`);
      proxy.cut();
      await send(request, organization, `round.ended_${round}`);
      await expect(rowsWith(page, `round.ended_${round}`)).toBeVisible({ timeout: 12_000 });
    }
    const shown = await rowsWith(page, "Ada").allInnerTexts();
    expect(shown.map((text) => /round\.\w+/.exec(text)?.[0])).toEqual(
      [3, 2, 1].flatMap((round) => [`round.ended_${round}`, `round.started_${round}`]),
    );
  });

  test("where a proxy holds messages back, it asks every five seconds", async ({
    page,
    request,
    server,
    organization,
  }) => {
    await importEvents(server, organization.id, eventsForTests(20));
    await signIn(page, proxy.url);
    proxy.hold = /\/events\/tail$/;
    await switchOn(page, `${proxy.url}/o/${organization.id}/events`);
    await expect(live(page)).toHaveAccessibleName("Live: every 5 s", { timeout: 20_000 });
    await send(request, organization, "doc.opened");
    await expect(rowsWith(page, "doc.opened")).toBeVisible({ timeout: 7_000 });
  });
});

test("a session that is revoked ends the tail within a minute", async ({
  page,
  server,
  organization,
}) => {
  const member = await createMember(server, organization.id);
  await signIn(page, server.url, member);
  await importEvents(server, organization.id, eventsForTests(5));
  await goLive(page, `/o/${organization.id}/events`);
  await runSql(server, ["UPDATE sessions SET revoked_at = now() WHERE user_id = $1", [member.id]]);
  await expect(live(page)).toHaveAccessibleName("Live: ended", { timeout: 60_000 });
  await expect(live(page)).toHaveAccessibleDescription("Your session has ended. Sign in again.");
});

test("what cannot be live says why", async ({ signedIn: page, server, organization }) => {
  await importEvents(server, organization.id, eventsForTests(5));
  await page.goto(`/o/${organization.id}/events?to=2026-12-01`);
  await expect(live(page)).toHaveAttribute("aria-disabled", "true");
  await expect(live(page)).toHaveAccessibleDescription(/range that ends now/);
  await page.keyboard.press("l");
  await expect(live(page)).toHaveAttribute("aria-pressed", "false");
  const refused = await page.request.get(
    `/o/${organization.id}/events/tail?from_seq=0&to=2026-12-01`,
  );
  expect(refused.status()).toBe(400);
  expect((await page.request.get(`/o/${organization.id}/events/tail`)).status()).toBe(400);
});

test("stopping the server ends its tails at once, with a word", async ({ playwright }) => {
  const server = new TestServer({
    TRAILSEAL_ADMIN_EMAIL: ADMIN.email,
    TRAILSEAL_ADMIN_PASSWORD: ADMIN.password,
  });
  await server.start();
  try {
    const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Acme");
    const request = await playwright.request.newContext({ baseURL: server.url });
    await signInByRequest(request, ADMIN);
    const { cookies } = await request.storageState();
    const headers = {
      cookie: cookies.map(({ name, value }) => `${name}=${value}`).join("; "),
      "accept-encoding": "gzip",
      "last-event-id": "-1",
    };
    const tails = await Promise.all(
      Array.from({ length: 20 }, () => fetch(`${server.url}/o/${id}/events/tail`, { headers })),
    );
    for (const { headers: received } of tails) {
      expect(received.get("content-type")).toContain("text/event-stream");
      expect(received.get("cache-control")).toBe("no-store, no-transform");
      expect(received.get("x-accel-buffering")).toBe("no");
      expect(received.get("content-encoding")).toBeNull();
    }
    const texts = Promise.all(tails.map((tail) => tail.text()));
    const startedMs = Date.now();
    await server.stop();
    expect(Date.now() - startedMs).toBeLessThan(5_000);
    for (const text of await texts)
      expect(text).toContain('event: end\ndata: {"reason":"stopping"}');
  } finally {
    await server.remove();
  }
});
