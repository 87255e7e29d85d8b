import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { ingestEvent } from "@/lib/events/server/ingest";
import { followRollups } from "@/lib/events/server/rollups";
import { appendEvents, newEvent } from "@/lib/events/server/test-log";
import { createOrganization } from "@/lib/orgs/server/organizations";
import { readKeys } from "@/lib/overview/server/keys";
import { createApiKey, listApiKeys, rotateApiKey } from "./api-keys";

let db: TestDatabase;
let acme: string;

beforeAll(async () => {
  db = await testDatabase();
  acme = (await createOrganization(systemInstanceScope("cli"), { name: "Acme" })).id;
});

afterAll(() => db.close());

const authenticate = (key: string, userAgent = "workos-node/11.0.0") =>
  authenticateApiKey(
    new Request("http://localhost/", {
      headers: { authorization: `Bearer ${key}`, "user-agent": userAgent },
    }),
    "handler:/audit_logs/events",
  );

const own = () => systemScope("cli", acme);
const keyOf = async (id: string) => (await listApiKeys(own())).find((key) => key.id === id);

describe("an API key", () => {
  it("does what it was given, and nothing else", async () => {
    const { key } = await createApiKey(own(), {
      name: "r",
      permissions: ["events:read", "exports"],
    });
    await expect(authenticate(key)).rejects.toMatchObject({ code: "forbidden" });
    const admin = await createApiKey(own(), { name: "a", permissions: ["admin"] });
    const scope = await (await authenticate(admin.key)).scopeFor(acme);
    expect(scope.permissions.has("organizations:manage")).toBe(true);
    await expect(authenticate(admin.key).then((it) => it.instanceScope())).rejects.toMatchObject({
      code: "forbidden",
    });
  });

  it("that was made before there were permissions still sends events, and only that", async () => {
    const { id, key } = await createApiKey(own(), { name: "old" });
    expect((await keyOf(id))?.permissions).toEqual(["events:write"]);
    const { permissions } = await (await authenticate(key)).scopeFor(acme);
    expect([...permissions]).toEqual(["events:write"]);
  });

  it("that is rotated works beside its successor until its end, which nothing prolongs", async () => {
    const old = await createApiKey(own(), {
      name: "app",
      permissions: ["exports", "events:write"],
    });
    const made = await rotateApiKey(own(), { id: old.id, overlapHours: 1 });
    await authenticate(old.key);
    await authenticate(made.key);
    expect(await keyOf(made.id)).toMatchObject({
      name: "app",
      permissions: ["exports", "events:write"],
      expiresAt: null,
    });
    const again = await rotateApiKey(own(), { id: old.id, overlapHours: 500 });
    expect(again.expiresAt).toBe(made.expiresAt);
    await db.owner.query("UPDATE api_keys SET expires_at = now() WHERE id = $1", [old.id]);
    await expect(authenticate(old.key)).rejects.toMatchObject({ code: "unauthorized" });
    await expect(rotateApiKey(own(), { id: old.id, overlapHours: 0 })).rejects.toMatchObject({
      code: "not_found",
    });
    const now = await rotateApiKey(own(), { id: made.id, overlapHours: 0 });
    await expect(authenticate(made.key)).rejects.toMatchObject({ code: "unauthorized" });
    await authenticate(now.key);
  });

  it("of another organization cannot be rotated", async () => {
    const { id } = await createApiKey(own(), { name: "mine" });
    const other = (await createOrganization(systemInstanceScope("cli"), { name: "Other" })).id;
    await expect(
      rotateApiKey(systemScope("cli", other), { id, overlapHours: 1 }),
    ).rejects.toMatchObject({ code: "not_found" });
  });

  it("shows which SDKs use it, fifty at most", async () => {
    const { id, key } = await createApiKey(own(), { name: "sdk" });
    await authenticate(key, "workos-node/8.13.0/fetch (node/v20.20.2)");
    await authenticate(key, "workos-node/8.13.0/fetch (node/v20.20.2)");
    await authenticate(key, "WorkOS Python/3.11.7 Python SDK/10.2.0");
    expect((await keyOf(id))?.clients.map(({ client }) => client).sort()).toEqual([
      "WorkOS Python/3.11.7 Python SDK/10.2.0",
      "workos-node/8.13.0/fetch (node/v20.20.2)",
    ]);
    for (let n = 0; n < 60; n += 1) await authenticate(key, `made-up/${n}`);
    expect((await keyOf(id))?.clients).toHaveLength(50);
  });

  it("is throttled alone, with whole seconds to wait", async () => {
    const { key } = await createApiKey(own(), { name: "fast" });
    const { key: other } = await createApiKey(own(), { name: "slow" });
    const { getEnv } = await import("@/lib/env");
    const settings = getEnv();
    const before = settings.TRAILSEAL_RATE_LIMIT_PER_MINUTE;
    settings.TRAILSEAL_RATE_LIMIT_PER_MINUTE = 2;
    try {
      await authenticate(key);
      await authenticate(key);
      await expect(authenticate(key)).rejects.toMatchObject({
        code: "rate_limited",
        retryAfterS: 30,
      });
      await authenticate(other);
    } finally {
      settings.TRAILSEAL_RATE_LIMIT_PER_MINUTE = before;
    }
  });

  it("is counted by the hour in which its events were received", async () => {
    const first = await createApiKey(own(), { name: "first" });
    const second = await createApiKey(systemInstanceScope("cli"), { name: "second" });
    let sent = 0;
    const send = async (key: string, times: number) => {
      const scope = await (await authenticate(key)).scopeFor(acme);
      for (let n = 0; n < times; n += 1)
        await ingestEvent(
          scope,
          newEvent({ occurredAt: "2020-01-01T00:00:00.000Z" }),
          `sent ${sent++}`,
        );
    };
    await send(first.key, 3);
    await followRollups(acme);
    await send(first.key, 2);
    await send(second.key, 1);
    await appendEvents(acme, [newEvent({})]);
    await followRollups(acme);
    const { rows } = await db.owner.query(
      "SELECT api_key_id, sum(events)::int AS events FROM rollup_keys_hourly WHERE organization_id = $1 GROUP BY 1",
      [acme],
    );
    expect(rows).toHaveLength(2);
    expect(rows).toContainEqual({ api_key_id: first.id, events: 5 });
    expect(rows).toContainEqual({ api_key_id: second.id, events: 1 });
    // Not rolled up yet, and counted all the same.
    const day = 86_400_000;
    const iso = (ms: number) => new Date(ms).toISOString();
    const period = {
      range: null,
      days: 1,
      before: iso(Date.now() - 2 * day),
      from: iso(Date.now() - day),
      to: iso(Date.now() + day),
    };
    await ingestEvent(await (await authenticate(second.key)).scopeFor(acme), newEvent({}), "tail");
    expect(await readKeys(own(), period)).toEqual([
      { id: first.id, name: "first", events: 5 },
      { id: second.id, name: "second", events: 2 },
    ]);
    await followRollups(acme);
    expect(await keyOf(first.id)).toMatchObject({ eventsLastDay: 5 });
    const raw = await db.owner.query(
      `SELECT DISTINCT hour = date_trunc('hour', recorded_at, 'UTC') AS agrees FROM events e
       JOIN rollup_keys_hourly r USING (organization_id, api_key_id)`,
    );
    expect(raw.rows.map(({ agrees }) => agrees)).toContain(true);
  });
});
