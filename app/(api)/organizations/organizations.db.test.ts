import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
// biome-ignore lint/style/noRestrictedImports: a test makes its own database.
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { createApiKey } from "@/lib/keys/server/api-keys";
import { createStream } from "@/lib/streams/server/streams";
import * as configuration from "./[id]/audit_log_configuration/route";
import * as retention from "./[id]/audit_logs_retention/route";
import * as invite from "./[id]/it_contacts/[contact]/invite/route";
import * as revoke from "./[id]/it_contacts/[contact]/revoke/route";
import * as contact from "./[id]/it_contacts/[contact]/route";
import * as contacts from "./[id]/it_contacts/route";
import * as one from "./[id]/route";
import * as byExternalId from "./external_id/[externalId]/route";
import * as all from "./route";

let db: TestDatabase;
let instanceKey: string;

beforeAll(async () => {
  db = await testDatabase();
  const input = { name: "backend", permissions: ["organizations" as const] };
  instanceKey = (await createApiKey(systemInstanceScope("cli"), input)).key;
});

afterAll(() => db.close());

type Handler<P> = (request: Request, props: { params: Promise<P> }) => Promise<Response>;

interface Call {
  key?: string;
  query?: string;
  body?: unknown;
  idempotencyKey?: string;
}

async function call<P extends object>(
  handler: Handler<P>,
  params: P,
  { key = instanceKey, query = "", body, idempotencyKey }: Call = {},
) {
  const request = new Request(`http://localhost/${Object.values(params).join("/")}?${query}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      ...(idempotencyKey ? { "idempotency-key": idempotencyKey } : {}),
    },
    body: JSON.stringify(body ?? {}),
  });
  const response = await handler(request, { params: Promise.resolve(params) });
  return { status: response.status, body: JSON.parse(await response.text()) };
}

const create = (body: object, idempotencyKey?: string) =>
  call(all.POST, {}, { body, ...(idempotencyKey ? { idempotencyKey } : {}) });
const list = (query: string, key?: string) => call(all.GET, {}, { query, ...(key ? { key } : {}) });
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe("organizations of the compatible API", () => {
  it("come back as they were made: created, by id, by external id", async () => {
    const made = await create({
      name: "Globex",
      domain_data: [{ domain: "Globex.example", state: "pending" }],
      metadata: { tier: "gold" },
      external_id: "ext/1",
      allow_profiles_outside_organization: null,
    });
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      object: "organization",
      id: expect.stringMatching(/^org_[0-9A-Z]{26}$/),
      name: "Globex",
      allow_profiles_outside_organization: false,
      domains: [
        {
          object: "organization_domain",
          id: expect.stringMatching(/^org_domain_/),
          organization_id: made.body.id,
          domain: "globex.example",
          state: "pending",
          verification_strategy: "manual",
          created_at: TIME,
          updated_at: TIME,
        },
      ],
      external_id: "ext/1",
      metadata: { tier: "gold" },
      created_at: TIME,
      updated_at: TIME,
    });
    const { id } = made.body;
    expect((await call(one.GET, { id })).body).toEqual(made.body);
    expect((await call(byExternalId.GET, { externalId: "ext/1" })).body).toEqual(made.body);
    expect((await call(byExternalId.GET, { externalId: "nobody" })).status).toBe(404);
  });

  it("change only in what a request speaks of; domains and metadata are replaced whole", async () => {
    const { id } = (await create({ name: "A", domains: ["a.example"], metadata: { a: "1" } })).body;
    const named = await call(one.PUT, { id }, { body: { name: "B", external_id: "b" } });
    expect(named.body).toMatchObject({
      name: "B",
      external_id: "b",
      metadata: { a: "1" },
      domains: [{ domain: "a.example", state: "verified" }],
    });
    const replaced = await call(
      one.PUT,
      { id },
      {
        body: {
          domain_data: [{ domain: "b.example", state: "verified" }],
          metadata: {},
          external_id: null,
        },
      },
    );
    expect(replaced.body).toMatchObject({ name: "B", external_id: null, metadata: {} });
    expect(replaced.body.domains).toMatchObject([{ domain: "b.example" }]);
    // What was let go is free for others.
    expect((await create({ name: "C", domains: ["a.example"], external_id: "b" })).status).toBe(
      201,
    );
  });

  it("are refused by name: taken domains and external ids, wrong metadata and fields", async () => {
    await create({ name: "First", domains: ["taken.example"], external_id: "taken" });
    expect(await create({ name: "D", domains: ["taken.example"] })).toMatchObject({
      status: 409,
      body: { code: "conflict" },
    });
    expect(await create({ name: "E", external_id: "taken" })).toMatchObject({
      status: 400,
      body: { code: "external_id_already_used", errors: [{ field: "external_id" }] },
    });
    expect(await create({ name: "F", metadata: { key: 5 } })).toMatchObject({
      status: 400,
      body: { code: "invalid_metadata", errors: [{ field: "metadata.key" }] },
    });
    const wrong = await create({ domain_data: "x", external_id: "\u0000" });
    expect(wrong.status).toBe(422);
    expect(wrong.body.errors).toContainEqual({ field: "name", code: "required" });
    expect(await create([])).toMatchObject({ status: 422 });
    const { rows } = await db.owner.query(
      "SELECT count(*)::int AS made FROM organizations WHERE name IN ('D', 'E', 'F')",
    );
    expect(rows[0].made).toBe(0);
  });

  it("are hidden when deleted, with their id taken and the rest free", async () => {
    const body = { name: "Gone", domains: ["gone.example"], external_id: "gone" };
    const { id } = (await create(body)).body;
    expect((await call(one.DELETE, { id })).status).toBe(202);
    for (const answer of [
      await call(one.GET, { id }),
      await call(one.DELETE, { id }),
      await call(one.PUT, { id }, { body: { name: "x" } }),
      await call(retention.GET, { id }),
      await call(configuration.GET, { id }),
      await call(byExternalId.GET, { externalId: "gone" }),
    ]) {
      expect(answer).toMatchObject({ status: 404, body: { code: "entity_not_found" } });
    }
    expect((await list("search=Gone")).body.data).toEqual([]);
    expect((await create(body)).status).toBe(201);
    const kept = await db.owner.query("SELECT 1 FROM log_heads WHERE organization_id = $1", [id]);
    expect(kept.rowCount).toBe(1);
  });

  it("are listed page by page, searched by name as typed, and found by any of their domains", async () => {
    for (let n = 0; n < 7; n += 1)
      await create({ name: `Page 100%_${n}`, domains: [`p${n}.example`] });
    await create({ name: "Page 1000" });
    const names: string[] = [];
    let after: string | null = "";
    while (after !== null) {
      const page = await list(`search=page%20100%25_&limit=3&order=asc&after=${after}`);
      names.push(...page.body.data.map(({ name }: { name: string }) => name));
      after = page.body.list_metadata.after;
    }
    expect(names).toEqual(Array.from({ length: 7 }, (_, n) => `Page 100%_${n}`));
    const found = await list("domains=p1.example%2CP3.example&order=desc");
    expect(found.body.data.map(({ name }: { name: string }) => name)).toEqual([
      "Page 100%_3",
      "Page 100%_1",
    ]);
    expect((await list("domains=nobody.example")).body.data).toEqual([]);
    expect((await list("after=org_unknown")).body).toEqual({
      object: "list",
      data: [],
      list_metadata: { before: null, after: null },
    });
    expect((await list("search=%00")).status).toBe(422);
  });

  it("of a key that is bound to one are this one: it cannot make, delete or see others", async () => {
    const { id } = (await create({ name: "Bound" })).body;
    const other = (await create({ name: "Other" })).body.id;
    const { key } = await createApiKey(systemScope("cli", id), {
      name: "bound",
      permissions: ["organizations"],
    });
    expect((await list("", key)).body.data).toMatchObject([{ id }]);
    expect((await call(one.GET, { id }, { key })).status).toBe(200);
    expect((await call(one.GET, { id: other }, { key })).status).toBe(404);
    expect((await call(all.POST, {}, { key, body: { name: "New" } })).status).toBe(403);
    expect((await call(one.DELETE, { id }, { key })).status).toBe(403);
    expect((await call(one.GET, { id: other })).status).toBe(200);
  });

  it("need a key with the permission", async () => {
    const { key } = await createApiKey(systemInstanceScope("cli"), { name: "writer" });
    expect(await call(all.GET, {}, { key })).toMatchObject({
      status: 403,
      body: { code: "forbidden", message: expect.any(String) },
    });
  });
});

describe("Idempotency-Key on a POST", () => {
  it("is answered once more for the same body, refused for another, and makes one thing", async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => create({ name: "Once", domains: [] }, "bar")),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    // The same in another order is the same.
    expect((await create({ domains: [], name: "Once" }, "bar")).body).toEqual(answers[0]?.body);
    expect(await create({ name: "Twice" }, "bar")).toEqual({
      status: 400,
      body: {
        message:
          "Another idempotency key (bar) with different request parameters was found. Please use a different idempotency key.",
        code: "invalid_request",
        errors: [],
      },
    });
    expect((await list("search=Once")).body.data).toHaveLength(1);
  });

  it("keeps no refusal, nor anything beyond 24 hours, nor for another API key", async () => {
    await create({ name: "Holder", external_id: "held" });
    expect((await create({ name: "Late", external_id: "held" }, "retry")).status).toBe(400);
    const { id } = (await call(byExternalId.GET, { externalId: "held" })).body;
    await call(one.PUT, { id }, { body: { external_id: null } });
    const first = await create({ name: "Late", external_id: "held" }, "retry");
    expect(first.status).toBe(201);
    await call(one.PUT, { id: first.body.id }, { body: { external_id: null } });
    await db.owner.query("UPDATE answered_requests SET expires_at = now() - interval '1 second'");
    const later = await create({ name: "Late", external_id: "held" }, "retry");
    expect(later).toMatchObject({ status: 201 });
    expect(later.body.id).not.toBe(first.body.id);
    const input = { name: "second", permissions: ["organizations" as const] };
    const { key } = await createApiKey(systemInstanceScope("cli"), input);
    const body = { name: "Late" };
    expect((await call(all.POST, {}, { key, body, idempotencyKey: "retry" })).status).toBe(201);
  });
});

describe("retention", () => {
  it("is never set, then what either dialect says, in days", async () => {
    const { id } = (await create({ name: "Keeps" })).body;
    const set = (body: object) => call(retention.PUT, { id }, { body });
    const get = async () => (await call(retention.GET, { id })).body;
    expect(await get()).toEqual({ retention_period_in_days: null });
    for (const [body, days] of [
      [{ retention_period: "3_MONTHS" }, 90],
      [{ retention_period: "1_YEAR" }, 365],
      [{ retention_period: "10_YEARS" }, 3650],
      [{ retention_period_in_days: 30 }, 30],
      [{ retention_period_in_days: 60, retention_period: "2_MONTHS" }, 60],
    ] as const) {
      expect(await set(body)).toEqual({ status: 200, body: { retention_period_in_days: days } });
      expect(await get()).toEqual({ retention_period_in_days: days });
    }
    for (const body of [
      {},
      { retention_period: "12_MONTHS" },
      { retention_period_in_days: 0 },
      { retention_period_in_days: "30" },
      { retention_period_in_days: 30, retention_period: "2_MONTHS" },
    ]) {
      const answer = await set(body);
      expect(answer.status).toBe(422);
      expect(answer.body.errors.length).toBeGreaterThan(0);
    }
    expect((await call(configuration.GET, { id })).body).toEqual({
      organization_id: id,
      retention_period_in_days: 60,
      state: "inactive",
    });
  });
});

describe("the configuration", () => {
  it("shows the organization's stream and how it does, in the contract's words", async () => {
    const { id } = (await create({ name: "Streams" })).body;
    const scope = systemScope("cli", id);
    const config = { url: "https://siem.example.com/", format: "json" as const, headers: [] };
    const { stream } = await createStream(scope, {
      destination: "webhook",
      name: "SIEM",
      config,
      from: "now",
      secrets: {},
    });
    const read = async () => (await call(configuration.GET, { id })).body;
    expect(await read()).toEqual({
      organization_id: id,
      retention_period_in_days: 3650,
      // The log has only the event that tells of the stream.
      state: "inactive",
      log_stream: {
        id: stream.id,
        type: "GenericHttps",
        state: "active",
        last_synced_at: null,
        created_at: TIME,
      },
    });
    for (const [ours, theirs] of [
      ["paused", "inactive"],
      ["degraded", "error"],
      ["error", "invalid"],
      ["disabled", "invalid"],
    ]) {
      await db.owner.query(
        "UPDATE stream_state SET state = $2, last_success_at = '2026-03-05T07:59:41.003Z' WHERE stream_id = $1",
        [stream.id, ours],
      );
      expect((await read()).log_stream).toMatchObject({
        state: theirs,
        last_synced_at: "2026-03-05T07:59:41.003Z",
      });
    }
  });
});

describe("IT contacts", () => {
  it("are kept per organization, with at most one active invitation", async () => {
    const { id } = (await create({ name: "IT" })).body;
    const add = (email: string) => call(contacts.POST, { id }, { body: { email } });
    const first = (await add("it@globex.example")).body;
    expect(first).toEqual({
      object: "it_contact",
      id: expect.stringMatching(/^it_contact_/),
      email: "it@globex.example",
      created_at: TIME,
      updated_at: TIME,
    });
    expect((await add("it@globex.example")).status).toBe(409);
    expect((await add("nonsense")).status).toBe(422);
    const second = (await add("two@globex.example")).body;
    const invited = (who: string, intents: string[]) =>
      call(invite.POST, { id, contact: who }, { body: { intents } });
    expect((await invited(first.id, ["log_streams"])).status).toBe(200);
    expect((await invited(second.id, ["sso"])).status).toBe(409);
    expect((await invited(second.id, ["audit_logs"])).status).toBe(422);
    expect((await call(revoke.POST, { id, contact: first.id })).status).toBe(200);
    expect((await invited(second.id, ["sso"])).status).toBe(200);
    expect((await call(contact.DELETE, { id, contact: first.id })).status).toBe(200);
    expect((await call(contact.DELETE, { id, contact: first.id })).status).toBe(404);
    const left = (await call(contacts.GET, { id })).body;
    expect(left.data).toMatchObject([{ id: second.id }]);
  });
});
