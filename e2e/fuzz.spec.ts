import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { TestServer } from "./server";

const REQUESTS = process.env.TRAILSEAL_LONG ? 100_000 : 5_000;
/** After so few requests V8 has not yet found its size. */
const MOST_GROWTH = process.env.TRAILSEAL_LONG ? 1.25 : 1.5;
const CONCURRENCY = 16;
const seed = process.env.TEST_SEED ?? "1";

/** Numbers from 0 to below `bound`, the same for the same seed and position. */
function chooser(position: number) {
  let block = createHash("sha256").update(`${seed} ${position}`).digest();
  let at = 0;
  return (bound: number): number => {
    if (at + 4 > block.length) {
      block = createHash("sha256").update(block).digest();
      at = 0;
    }
    at += 4;
    return block.readUInt32LE(at - 4) % bound;
  };
}

type Choose = ReturnType<typeof chooser>;
const pick = <T>(choose: Choose, list: readonly T[]): T => list[choose(list.length)] as T;

const ODD: unknown[] = [
  null,
  "",
  0,
  -1,
  1e308,
  true,
  [],
  {},
  [[]],
  "\u0000",
  "\ud800",
  "%00",
  "'; --",
  "__proto__",
  "9999-99-99T99:99:99Z",
  "2026-01-02T03:04:05.123456789+14:00",
  "é".repeat(300),
  "a".repeat(70_000),
  { a: { b: { c: { d: {} } } } },
];

interface Shape {
  method: string;
  path: string;
  query?: Record<string, string>;
  body?: unknown;
}

function shapes(organization: string): Shape[] {
  const event = {
    action: "fuzz.sent",
    occurred_at: "2026-01-02T03:04:05.678Z",
    actor: { type: "user", id: "u1", name: "U", metadata: { a: 1 } },
    targets: [{ type: "team", id: "t1", metadata: { b: "x" } }],
    context: { location: "203.0.113.9", user_agent: "x" },
    metadata: { c: true },
    version: 1,
  };
  const query = { organization_id: organization };
  const list = { limit: "5", order: "asc", after: "x", before: "y" };
  const schema = {
    type: "object",
    properties: { a: { type: "string", pattern: "^a+$", enum: ["a"] }, b: { type: "number" } },
    required: ["a"],
    additionalProperties: false,
  };
  const details = {
    name: "Fuzz",
    external_id: "x",
    metadata: { a: "b" },
    domain_data: [{ domain: "a.example", state: "verified" }],
    domains: ["b.example"],
    allow_profiles_outside_organization: true,
  };
  return [
    { method: "POST", path: "/audit_logs/events", body: { organization_id: organization, event } },
    {
      method: "POST",
      path: "/portal/generate_link",
      body: {
        organization,
        intent: "audit_logs",
        return_url: "https://a.example/",
        admin_emails: [],
      },
    },
    { method: "GET", path: "/portal", query: { token: "x" } },
    {
      method: "POST",
      path: "/widgets/token",
      body: { organization_id: organization, scopes: ["widgets:audit-log-streaming:manage"] },
    },
    { method: "GET", path: "/_widgets/admin-portal/audit-log-stream" },
    {
      method: "POST",
      path: "/_widgets/admin-portal/generate-link",
      query: { intent: "log_streams" },
    },
    {
      method: "POST",
      path: "/v1/events/batch",
      query: { ...query, atomic: "true", receipts: "true" },
      body: [{ idempotency_key: "k", event }],
    },
    {
      method: "GET",
      path: "/v1/events",
      query: { ...query, q: "-actor:u1 action:fuzz.*", limit: "5", range: "24h", after: "WzEsMV0" },
    },
    { method: "GET", path: "/v1/events/audit_event_01JZ8Q4M7N2V5X9C3B6T0R1KDH", query },
    { method: "GET", path: "/v1/events/audit_event_01JZ8Q4M7N2V5X9C3B6T0R1KDH/proof", query },
    { method: "GET", path: "/v1/checkpoints", query },
    {
      method: "POST",
      path: `/audit_logs/actions/fuzz.schema/schemas`,
      body: {
        targets: [{ type: "team", metadata: schema }],
        actor: { metadata: schema },
        metadata: schema,
      },
    },
    { method: "GET", path: "/audit_logs/actions/fuzz.schema/schemas", query: list },
    { method: "GET", path: "/audit_logs/actions", query: list },
    {
      method: "POST",
      path: "/audit_logs/exports",
      body: {
        organization_id: organization,
        range_start: "2026-01-02T03:04:05.678Z",
        range_end: "2026-02-02",
        actions: ["a"],
        actors: ["b"],
        actor_names: ["c"],
        actor_ids: ["d"],
        targets: ["e"],
      },
    },
    { method: "GET", path: "/audit_logs/exports/audit_log_export_01JZ8Q4M7N2V5X9C3B6T0R1KDH" },
    {
      method: "GET",
      path: "/audit_logs/exports/audit_log_export_01JZ8Q4M7N2V5X9C3B6T0R1KDH/file",
      query: { ...query, expires: "1", signature: "x" },
    },
    { method: "POST", path: "/organizations", body: details },
    { method: "PUT", path: `/organizations/${organization}`, body: details },
    { method: "POST", path: "/v1/organizations", body: { name: "Fuzz", id: organization } },
    { method: "GET", path: "/organizations", query: { ...list, domains: "a.b,c.d", search: "a" } },
    { method: "GET", path: `/organizations/${organization}` },
    { method: "GET", path: "/organizations/external_id/x" },
    { method: "GET", path: `/organizations/${organization}/audit_log_configuration` },
    {
      method: "PUT",
      path: `/organizations/${organization}/audit_logs_retention`,
      body: { retention_period: "1_YEAR", retention_period_in_days: 365 },
    },
    {
      method: "POST",
      path: `/organizations/${organization}/it_contacts`,
      body: { email: "it@a.example" },
    },
    { method: "GET", path: `/organizations/${organization}/it_contacts`, query: list },
    {
      method: "POST",
      path: `/organizations/${organization}/it_contacts/it_contact_x/invite`,
      body: { intents: ["log_streams"] },
    },
    { method: "GET", path: "/v1/streams", query },
    { method: "GET", path: "/v1/verification", query },
    { method: "GET", path: "/openapi.json" },
  ];
}

/** The same structure with one place changed, lost, doubled or wrapped. */
function mutate(choose: Choose, value: unknown): unknown {
  const isInner = typeof value === "object" && value !== null && choose(6) > 0;
  if (!isInner) return choose(3) === 0 ? [value] : pick(choose, ODD);
  if (Array.isArray(value)) {
    const at = choose(value.length + 1);
    return at === value.length
      ? [...value, ...value, pick(choose, ODD)]
      : value.map((item, position) => (position === at ? mutate(choose, item) : item));
  }
  const entries = Object.entries(value);
  const at = choose(entries.length + 1);
  if (at === entries.length) return { ...value, [`${pick(choose, ODD)}`]: pick(choose, ODD) };
  if (choose(4) === 0) return Object.fromEntries(entries.filter((_, position) => position !== at));
  return Object.fromEntries(
    entries.map(([key, inner], position) => [key, position === at ? mutate(choose, inner) : inner]),
  );
}

const METHODS = ["PUT", "DELETE", "PATCH", "OPTIONS", "GET"];

function requestOf(choose: Choose, shape: Shape, key: string): [string, RequestInit] {
  const what = choose(8);
  const query = new URLSearchParams(shape.query);
  if (what === 0) {
    const name = pick(choose, [...query.keys(), "limit", "before", "x"]);
    query.set(name, String(pick(choose, ODD)).slice(0, 8_000));
  }
  const path =
    what === 1
      ? pick(choose, [
          `${shape.path}/`,
          `${shape.path}/%ff`,
          `${shape.path}/..%2f`,
          `/${shape.path}`,
        ])
      : shape.path;
  let method = what === 2 ? pick(choose, METHODS) : shape.method;
  // Where the organization is deleted, nothing after it is nearly right.
  if (method === "DELETE" && /^\/organizations\/[^/]+\/?$/.test(path)) method = "PATCH";
  const bare = method === "GET" || shape.body === undefined;
  let body = bare
    ? undefined
    : JSON.stringify(what === 3 ? shape.body : mutate(choose, shape.body));
  if (body && what === 4) body = body.slice(0, choose(body.length));
  const headers: Record<string, string> = {
    "content-type": pick(choose, ["application/json", "application/x-ndjson", "text/plain", "x"]),
    "idempotency-key": `fuzz-${choose(1_000)}`,
  };
  if (what !== 5) headers.authorization = `Bearer ${key}`;
  return [`${path}?${query}`, { method, headers, body, redirect: "manual" }];
}

/** Of a process, where the system tells it. */
function residentBytes(server: TestServer): number | null {
  const { pid } = JSON.parse(readFileSync(path.join(server.dataDir, "instance.json"), "utf8"));
  const file = `/proc/${pid}/status`;
  const found = existsSync(file) && /VmRSS:\s+(\d+) kB/.exec(readFileSync(file, "utf8"));
  return found ? Number(found[1]) * 1_024 : null;
}

test(`${REQUESTS} requests that are nearly right break nothing`, async () => {
  test.setTimeout(process.env.TRAILSEAL_LONG ? 1_800_000 : 180_000);
  const server = new TestServer();
  try {
    await server.start();
    const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Fuzz");
    const options = ["--name", "fuzz", "--permissions", "admin"];
    const { key } = await server.cliJson<{ key: string }>("keys", "create", ...options);
    const all = shapes(id);
    const failures: string[] = [];
    const send = async (position: number) => {
      const choose = chooser(position);
      const [address, init] = requestOf(choose, pick(choose, all), key);
      const what = `seed ${seed}, request ${position}: ${init.method} ${address.slice(0, 200)} ${String(init.body).slice(0, 2_000)}`;
      try {
        const response = await fetch(server.url + address, init);
        const text = await response.text();
        const isJson = response.headers.get("content-type")?.includes("application/json");
        if (response.status >= 500) failures.push(`${what}: ${response.status} ${text}`);
        else if (response.status >= 400 && isJson) {
          const { message, code } = JSON.parse(text);
          if (typeof message !== "string" || typeof code !== "string")
            failures.push(`${what}: ${text}`);
        }
      } catch (error) {
        failures.push(`${what}: ${error}`);
      }
    };
    let next = 0;
    const sendUntil = (end: number) =>
      Promise.all(
        Array.from({ length: CONCURRENCY }, async () => {
          while (next < end) await send(next++);
        }),
      );
    // Caches and pools fill first; what grows after that goes on growing.
    await sendUntil(REQUESTS / 2);
    const halfway = residentBytes(server);
    await sendUntil(REQUESTS);
    const atEnd = residentBytes(server);
    expect(failures.slice(0, 10)).toEqual([]);
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    if (halfway !== null && atEnd !== null) expect(atEnd).toBeLessThan(MOST_GROWTH * halfway);
  } finally {
    await server.remove();
  }
});
