import {
  BadRequestException,
  NotFoundException,
  UnauthorizedException,
  UnprocessableEntityException,
  WorkOS,
} from "@workos-inc/node";
import pg from "pg";
import { expect, test } from "./fixtures";
import type { TestServer } from "./server";

const occurredAt = "2026-01-02T03:04:05.678Z";
const wireEvent = {
  action: "user.signed_in",
  occurred_at: occurredAt,
  actor: { type: "user", id: "usr_1" },
  targets: [{ type: "team", id: "team_1" }],
  context: { location: "203.0.113.9" },
};

function client(server: TestServer, key: string): WorkOS {
  const { hostname, port } = new URL(server.url);
  return new WorkOS(key, { apiHostname: hostname, port: Number(port), https: false });
}

async function count(server: TestServer, organizationId: string): Promise<number> {
  const database = new pg.Client({ connectionString: server.ownerUrl() });
  await database.connect();
  try {
    const { rows } = await database.query(
      "SELECT count(*)::int AS events FROM events WHERE organization_id = $1",
      [organizationId],
    );
    return rows[0].events;
  } finally {
    await database.end();
  }
}

test.describe("POST /audit_logs/events", () => {
  const post = (
    server: TestServer,
    key: string,
    body: string | Uint8Array,
    headers: Record<string, string> = {},
  ) =>
    fetch(`${server.url}/audit_logs/events`, {
      method: "POST",
      headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json", ...headers },
      body: body as BodyInit,
    });

  test("the official SDK stores an event, and its retry of the same key stores nothing", async ({
    server,
    organization,
  }) => {
    const { auditLogs } = client(server, organization.key);
    const event = {
      action: "invoice.voided",
      occurredAt: new Date(occurredAt),
      actor: { type: "user", id: "usr_88", name: "Mei Tan", metadata: { role: "finance" } },
      targets: [{ type: "invoice", id: "inv_4410", metadata: { currency: "SGD" } }],
      context: { location: "203.0.113.9", userAgent: "Mozilla/5.0" },
      metadata: { invoice_total: 129.5, dry_run: false },
    };
    await auditLogs.createEvent(organization.id, event, { idempotencyKey: "one" });
    await auditLogs.createEvent(organization.id, event, { idempotencyKey: "one" });
    expect(await count(server, organization.id)).toBe(1);
    await auditLogs.createEvent(organization.id, event);
    await auditLogs.createEvent(organization.id, event);
    expect(await count(server, organization.id)).toBe(3);
  });

  test("the SDK turns refusals into its own exceptions", async ({ server, organization }) => {
    const event = { ...wireEvent, occurredAt: new Date(occurredAt) };
    const send = (key: string, org: string, extra: object = {}) =>
      client(server, key).auditLogs.createEvent(org, { ...event, ...extra });
    await expect(send("sk_wrong", organization.id)).rejects.toBeInstanceOf(UnauthorizedException);
    await expect(send(organization.key, "org_unknown")).rejects.toBeInstanceOf(NotFoundException);
    await expect(
      send(organization.key, organization.id, { metadata: { nested: { a: 1 } } }),
    ).rejects.toBeInstanceOf(UnprocessableEntityException);
    expect(BadRequestException).toBeDefined();
    expect(await count(server, organization.id)).toBe(0);
  });

  const refusals: [
    string,
    (organizationId: string) => string | Uint8Array,
    number,
    Record<string, unknown>,
  ][] = [
    ["malformed JSON", () => "{bad", 400, { code: "invalid_request", errors: [] }],
    [
      "bytes that are not UTF-8",
      () => new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]),
      400,
      { code: "invalid_request" },
    ],
    [
      "wrong types",
      () => JSON.stringify({ organization_id: 5, event: { action: 5 } }),
      422,
      { message: "Validation failed." },
    ],
    [
      "an unknown organization",
      () => JSON.stringify({ organization_id: "org_x", event: wireEvent }),
      404,
      { message: "Organization not found: 'org_x'.", code: "entity_not_found", entity_id: "org_x" },
    ],
    ["a body of 2 MB", () => "x".repeat(2_000_000), 413, { code: "payload_too_large" }],
    ["a body of 12 MB", () => "x".repeat(12_000_000), 413, { code: "payload_too_large" }],
    [
      "a reserved action",
      (id) =>
        JSON.stringify({
          organization_id: id,
          event: { ...wireEvent, action: "trailseal.pruned" },
        }),
      422,
      {},
    ],
    [
      "a leap second",
      (id) =>
        JSON.stringify({
          organization_id: id,
          event: { ...wireEvent, occurred_at: "2026-01-02T03:04:60Z" },
        }),
      422,
      {},
    ],
    [
      "a lone surrogate",
      (id) =>
        `{"organization_id":"${id}","event":${JSON.stringify({ ...wireEvent, metadata: { a: "X" } }).replace("X", "\\ud800")}}`,
      422,
      {},
    ],
  ];

  for (const [name, body, status, expected] of refusals) {
    test(`${name} is refused with ${status} and a body that says why`, async ({
      server,
      organization,
    }) => {
      const response = await post(server, organization.key, body(organization.id));
      expect(response.status).toBe(status);
      expect(response.headers.get("content-type")).toBe("application/json; charset=utf-8");
      expect(response.headers.get("x-request-id")).toMatch(/^req_/);
      const answer = await response.json();
      expect(answer).toMatchObject(expected);
      expect(typeof answer.message).toBe("string");
      expect(answer).not.toHaveProperty("error");
      expect(await count(server, organization.id)).toBe(0);
    });
  }

  test("a body of no stated length that is too large is taken before it is refused, so that its sender reads why", async ({
    server,
    organization,
  }) => {
    const chunk = new TextEncoder().encode("x".repeat(65_536));
    let left = 48;
    const body = new ReadableStream({
      pull(controller) {
        left -= 1;
        if (left < 0) controller.close();
        else controller.enqueue(chunk);
      },
    });
    const response = await fetch(`${server.url}/audit_logs/events`, {
      method: "POST",
      headers: { Authorization: `Bearer ${organization.key}`, "Content-Type": "application/json" },
      body,
      duplex: "half",
    } as RequestInit);
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ code: "payload_too_large" });
  });

  test("a missing or wrong key is a 401 before anything else is looked at", async ({ server }) => {
    const response = await post(server, "sk_wrong", "{bad");
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ message: "Unauthorized" });
  });

  test("an occurred_at without offset is UTC, and more digits are cut off, not rounded", async ({
    server,
    organization,
  }) => {
    const body = JSON.stringify({
      organization_id: organization.id,
      event: { ...wireEvent, occurred_at: "2026-01-02T03:04:05.6789999" },
    });
    expect((await post(server, organization.key, body)).status).toBe(200);
    const database = new pg.Client({ connectionString: server.ownerUrl() });
    await database.connect();
    const { rows } = await database.query(
      "SELECT occurred_at FROM events WHERE organization_id = $1",
      [organization.id],
    );
    await database.end();
    expect(rows[0].occurred_at.toISOString()).toBe("2026-01-02T03:04:05.678Z");
  });

  test("200 parallel copies of one key store one event; no key twice stores one; unknown fields are named", async ({
    server,
    organization,
  }) => {
    const body = JSON.stringify({
      organization_id: organization.id,
      event: { ...wireEvent, surprise: 1 },
    });
    const answers = await Promise.all(
      Array.from({ length: 200 }, () =>
        post(server, organization.key, body, { "Idempotency-Key": "same" }),
      ),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(answers[0]?.headers.get("trailseal-ignored")).toBe("surprise");
    expect(await answers[0]?.json()).toEqual({ success: true });
    expect(await count(server, organization.id)).toBe(1);
    const keyless = JSON.stringify({
      organization_id: organization.id,
      event: { ...wireEvent, action: "keyless" },
    });
    for (let copy = 0; copy < 2; copy += 1)
      expect((await post(server, organization.key, keyless)).status).toBe(200);
    expect(await count(server, organization.id)).toBe(2);
  });

  test("a revoked key is refused at once", async ({ server, organization }) => {
    const made = await server.cliJson<{ id: string; key: string }>(
      "keys",
      "create",
      "--name",
      "short",
      "--org",
      organization.id,
    );
    const body = JSON.stringify({ organization_id: organization.id, event: wireEvent });
    expect((await post(server, made.key, body)).status).toBe(200);
    await server.cliJson("keys", "revoke", made.id);
    expect((await post(server, made.key, body)).status).toBe(401);
  });

  test("unknown paths, wrong methods and malformed escapes below the API answer JSON", async ({
    server,
  }) => {
    for (const [path, method, status] of [
      ["/audit_logs/nothing", "GET", 404],
      ["/audit_logs/events", "GET", 405],
      ["/audit_logs/%zz", "POST", 400],
    ] as const) {
      const response = await fetch(server.url + path, { method });
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({
        message: expect.any(String),
        code: expect.any(String),
      });
    }
  });
});
