import { request as httpRequest } from "node:http";
import { asOwner } from "./denial/visitor";
import { expect, test } from "./fixtures";
import type { TestServer } from "./server";

/** What clients send that cannot be installed here. */

const event = {
  action: "raw.sent",
  occurred_at: "2026-01-02T03:04:05.678Z",
  actor: { type: "user", id: "u1" },
  targets: [{ type: "team", id: "t1" }],
  context: { location: "203.0.113.9" },
};

/** The path as it is: fetch would mend it. */
function ask(server: TestServer, method: string, path: string, body = "", key = "sk_none") {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  return new Promise<{ status: number; type: string; body: unknown }>((resolve, reject) => {
    const { hostname, port } = new URL(server.url);
    const options = { hostname, port, method, path, headers };
    const sent = httpRequest(options, async (response) => {
      let text = "";
      for await (const chunk of response) text += chunk;
      const type = response.headers["content-type"] ?? "";
      const isJson = type.startsWith("application/json") && text !== "";
      resolve({ status: response.statusCode ?? 0, type, body: isJson ? JSON.parse(text) : text });
    });
    sent.once("error", reject).end(body);
  });
}

test("times as other languages write them are the same moment, to the millisecond", async ({
  server,
  organization: { id, key },
}) => {
  const written = {
    naive: "2026-01-02T03:04:05.678",
    microseconds: "2026-01-02T03:04:05.678901+00:00",
    ticks: "2026-01-02T03:04:05.6789012Z",
    offset: "2026-01-02T05:04:05.678+02:00",
  };
  for (const [name, occurred_at] of Object.entries(written)) {
    const body = JSON.stringify({
      organization_id: id,
      event: { ...event, action: `raw.${name}`, occurred_at },
    });
    const answer = await ask(server, "POST", "/audit_logs/events", body, key);
    expect(answer, name).toMatchObject({ status: 200, body: { success: true } });
  }
  const same =
    "SELECT FROM events WHERE organization_id = $1 AND occurred_at = '2026-01-02T03:04:05.678Z'";
  expect(await asOwner(server, same, [id])).toBe(Object.keys(written).length);
});

test("portal links are made in every dialect", async ({ server, organization: { id } }) => {
  const create = ["keys", "create", "--name", "raw", "--permissions", "admin"];
  const { key } = await server.cliJson<{ key: string }>(...create);
  for (const more of [
    { it_contact_emails: ["it@globex.example"] },
    { admin_emails: ["it@globex.example"], intent_options: { sso: { bookmark_slug: "x" } } },
    { return_url: null, success_url: null, intent: null },
    {},
  ]) {
    const body = JSON.stringify({ organization: id, ...more });
    const answer = await ask(server, "POST", "/portal/generate_link", body, key);
    expect(answer, body).toMatchObject({ status: 201, body: { link: expect.any(String) } });
  }
});

test("what other SDKs say in their own way is understood", async ({
  server,
  organization: { id },
}) => {
  const create = ["keys", "create", "--name", "raw", "--permissions", "admin"];
  const { key } = await server.cliJson<{ key: string }>(...create);
  const send = (method: string, path: string, body: object) =>
    ask(server, method, path, JSON.stringify(body), key);
  const retention = `/organizations/${id}/audit_logs_retention`;
  const days = { retention_period_in_days: 30 };
  expect(await send("PUT", retention, days)).toMatchObject({ status: 200, body: days });
  expect(await send("PUT", retention, { ...days, retention_period: "1_YEAR" })).toMatchObject({
    status: 422,
    body: { errors: [{ field: "retention_period_in_days" }] },
  });
  const range = { range_start: "2026-01-01T00:00:00", range_end: "2026-02-01T00:00:00.000000" };
  const exported = { organization_id: id, ...range, actors: ["Ann"], actor_ids: null };
  expect(await send("POST", "/audit_logs/exports", exported)).toMatchObject({ status: 201 });

  const schema = { targets: [{ type: "doc", metadata: null }], actor: null, metadata: null };
  const action = `raw:named%20${Date.now()}`;
  expect(await send("POST", `/audit_logs/actions/${action}/schemas`, schema)).toMatchObject({
    status: 201,
    body: { version: 1 },
  });
  expect(await send("POST", "/audit_logs/actions/a/b/schemas", schema)).toMatchObject({
    status: 404,
  });

  const domains = ["one", "two"].map((word) => `${word}-${Date.now()}.example`);
  for (const domain of domains) {
    const made = await send("POST", "/organizations", { name: "Raw", domains: [domain] });
    expect(made).toMatchObject({ status: 201, body: { domains: [{ domain }] } });
  }
  const joined = encodeURIComponent(domains.join(","));
  const found = await ask(server, "GET", `/organizations?domains=${joined}&order=asc`, "", key);
  expect(found.body).toMatchObject({
    data: domains.map((domain) => ({ domains: [{ domain }] })),
  });
});

test("what is no route answers JSON of the contract, whatever it is", async ({ server }) => {
  const cases: [string, string, number][] = [
    ["GET", "/audit_logs/events", 405],
    ["DELETE", "/portal/generate_link", 405],
    ["PUT", "/v1/events", 405],
    ["POST", "/audit_logs", 404],
    ["GET", "/audit_logs/%E0%A4%A", 400],
    ["POST", "/portal/%", 400],
    ["GET", "/v1/nothing", 404],
    ["GET", "/v1/events/a%2Fb", 401],
    ["POST", "/_widgets/other", 404],
    ["GET", "/widgets/token/", 404],
  ];
  for (const [method, path, status] of cases) {
    const answer = await ask(server, method, path);
    const what = `${method} ${path}`;
    expect(answer.status, what).toBe(status);
    expect(answer.type, what).toBe("application/json; charset=utf-8");
    expect(answer.body, what).toMatchObject({
      message: expect.any(String),
      code: expect.any(String),
      ...(status === 400 ? { errors: [] } : {}),
    });
    expect(answer.body, what).not.toHaveProperty("error");
  }
});
