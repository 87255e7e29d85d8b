import type { APIRequestContext } from "@playwright/test";
import { actions, callAction, resultOf } from "./denial/places";
import { createMember, visit } from "./denial/visitor";
import { expect, test } from "./fixtures";
import { eventsForTests, importEvents, runSql } from "./fixtures/log";
import { TestServer } from "./server";

interface Sealed {
  seq: string;
  action: string;
  actor: { id: string; name?: string };
  targets: { type: string; id: string; name?: string }[];
  context: { location: string; user_agent?: string } | null;
  metadata: Record<string, string>;
}

/** What the log says of itself, in its order. */
const sealedIn = (server: TestServer, organizationId: string, pattern = "trailseal.%") =>
  runSql<Sealed>(server, [
    `SELECT seq, action, actor, targets, context, metadata FROM events
     WHERE organization_id = $1 AND action LIKE $2 ORDER BY seq`,
    [organizationId, pattern],
  ]);

test("who reads is recorded once for an act, and the live tail is quiet about it", async ({
  signedIn: page,
  server,
  organization,
}) => {
  const { id } = organization;
  await importEvents(server, id, eventsForTests(30));
  await page.goto(`/o/${id}/settings`);
  const field = page.getByLabel("Record reads");
  await expect(field).toHaveValue("0");
  await field.selectOption({ label: "all" });
  await page.getByRole("button", { name: "Apply" }).click();
  await expect
    .poll(async () => (await sealedIn(server, id)).map(({ metadata }) => metadata))
    .toEqual([{ recorded: "all", recorded_before: "none" }]);

  await page.goto(`/o/${id}/events?q=action:doc.*`);
  await expect(page.getByTestId("event-row").first()).toBeVisible();
  await page.waitForLoadState("networkidle");
  await page.reload();
  await expect(page.getByTestId("event-row").first()).toBeVisible();
  const searched = await sealedIn(server, id, "trailseal.events_searched");
  expect(searched).toMatchObject([
    {
      actor: { type: "trailseal", name: expect.stringContaining("@") },
      metadata: { q: "action:doc.*" },
      context: { location: expect.any(String), user_agent: expect.stringContaining("Mozilla") },
    },
  ]);

  await page.goto(`/o/${id}/events`);
  await page.getByRole("button", { name: "Live" }).click();
  await page.getByTestId("event-row").filter({ hasText: "doc." }).first().click();
  await expect(page.getByTestId("drawer-title")).toBeVisible();
  await expect
    .poll(async () => (await sealedIn(server, id, "trailseal.event_viewed")).length)
    .toBe(1);
  // Four times what the tail needs to see that the log moved.
  await page.waitForTimeout(2_000);
  await expect(page.getByText(/\d+ new events?/)).toHaveCount(0);
  await expect(page.getByTestId("event-row").filter({ hasText: "event_viewed" })).toHaveCount(0);

  await page.goto(`/o/${id}/timeline?actor=user:usr_1`);
  await page.waitForLoadState("networkidle");
  expect(await sealedIn(server, id, "trailseal.timeline_viewed")).toMatchObject([
    { targets: [{ type: "user", id: "usr_1" }], metadata: { role: "actor" } },
  ]);
});

const ROUNDS = process.env.TRAILSEAL_LONG ? 12 : 3;
const ROUND_MS = 1_500;

test("a kill -9 amid self-audited actions: cause and record are both there, or neither", async ({
  playwright,
}) => {
  test.setTimeout(300_000);
  const server = new TestServer();
  try {
    await server.start();
    const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Killed");
    const options = ["--name", "k", "--permissions", "admin", "--org", id];
    const { key } = await server.cliJson<{ key: string }>("keys", "create", ...options);
    await importEvents(server, id, eventsForTests(20));
    const member = await createMember(server, id, "owner");
    let isOver = false;
    const shown: string[] = [];

    const call = async (method: string, path: string, body?: object) => {
      const response = await fetch(server.url + path, {
        method,
        headers: { Authorization: `Bearer ${key}` },
        signal: AbortSignal.timeout(5_000),
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      await response.text();
      return response.status;
    };
    const range = { range_start: "2026-01-01T00:00:00Z", range_end: "2026-02-01T00:00:00Z" };
    const acts: ((n: number) => Promise<unknown>)[] = [
      () => call("POST", "/audit_logs/exports", { organization_id: id, ...range }),
      (n) => call("POST", `/organizations/${id}/it_contacts`, { email: `c${n}@example.com` }),
      () => call("POST", "/portal/generate_link", { organization: id }),
      (n) =>
        call("PUT", `/organizations/${id}/audit_logs_retention`, {
          retention_period_in_days: 30 + (n % 300),
        }),
      async (n) => {
        const status = await call("GET", `/v1/events?organization_id=${id}&q=metadata.n:${n}`);
        if (status === 200) shown.push(`metadata.n:${n}`);
      },
      async (n) => {
        const request = await visitAgain();
        const named = { name: `key ${n}`, permissions: ["events:write"] };
        await done(request, "createApiKeyAction", named);
        await done(request, "setReadSamplingAction", 1);
      },
    ];
    let signedIn: { url: string; request: APIRequestContext } | null = null;
    const visitAgain = async () => {
      if (signedIn?.url !== server.url)
        signedIn = { url: server.url, request: await visit(playwright, server, member) };
      return signedIn.request;
    };
    const done = async (request: APIRequestContext, name: string, input: unknown) => {
      const action = actions.find(([, { exportedName }]) => exportedName === name);
      if (!action) throw new Error(`There is no ${name}`);
      await resultOf(await callAction(request, action, id, [id, input]));
    };
    const answered = acts.map(() => 0);
    const doing = acts.map(async (act, kind) => {
      for (let n = kind; !isOver; n += acts.length) {
        try {
          await act(n);
          answered[kind] = (answered[kind] ?? 0) + 1;
        } catch {
          // A server that is gone comes back; whether it did it is what is asked below.
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
    });
    for (let round = 0; round < ROUNDS; round += 1) {
      await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
      await server.kill();
      await server.start();
    }
    // A slow machine does little between two kills.
    await expect.poll(() => Math.min(...answered), { timeout: 60_000 }).toBeGreaterThan(4);
    isOver = true;
    await Promise.all(doing);

    const idsOf = async (table: string) =>
      (
        await runSql<{ id: string }>(server, [
          `SELECT id FROM ${table} WHERE organization_id = $1 ORDER BY id`,
          [id],
        ])
      ).map((row) => row.id);
    const told = async (action: string) =>
      (await sealedIn(server, id, action)).map(({ targets }) => targets[0]?.id).sort();
    for (const [table, action] of [
      ["api_keys", "trailseal.api_key_created"],
      ["exports", "trailseal.export_requested"],
      ["it_contacts", "trailseal.it_contact_added"],
      ["portal_sessions", "trailseal.portal_link_made"],
    ] as const) {
      const there = await idsOf(table);
      expect(there.length, table).toBeGreaterThan(1);
      expect(await told(action), table).toEqual(there.sort());
    }
    const [settings] = await runSql<{ days: number }>(server, [
      "SELECT retention_days AS days FROM organizations WHERE id = $1",
      [id],
    ]);
    const changes = await sealedIn(server, id, "trailseal.retention_changed");
    expect(changes.length).toBeGreaterThan(1);
    expect(changes.at(-1)?.metadata.days).toBe(String(settings?.days));
    for (const [at, change] of changes.entries())
      if (at > 0) expect(change.metadata.days_before).toBe(changes[at - 1]?.metadata.days);
    // What was shown was sealed before.
    const searches = await sealedIn(server, id, "trailseal.events_searched");
    expect(shown.length).toBeGreaterThan(1);
    expect(searches.map(({ metadata }) => metadata.q)).toEqual(expect.arrayContaining(shown));
    expect(await server.cliJson("verify", "--org", id)).toMatchObject({ ok: true });
  } finally {
    await server.remove();
  }
});
