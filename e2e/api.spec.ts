import { once } from "node:events";
import net from "node:net";
import { ConflictException, WorkOS } from "@workos-inc/node";
import { expect, test } from "./fixtures";
import { runSql } from "./fixtures/log";
import { TestServer } from "./server";

/** A key of the instance with these permissions. */
async function makeKey(server: TestServer, ...permissions: string[]): Promise<string> {
  const options = ["--name", "api", "--permissions", permissions.join(",")];
  return (await server.cliJson<{ key: string }>("keys", "create", ...options)).key;
}

function client(server: TestServer, key: string): WorkOS {
  const { hostname, port } = new URL(server.url);
  return new WorkOS(key, { apiHostname: hostname, port: Number(port), https: false });
}

/** Bytes as they are, and all that comes back until the server closes. */
async function sendRaw(server: TestServer, text: string): Promise<string> {
  const { hostname, port } = new URL(server.url);
  const socket = net.connect(Number(port), hostname);
  socket.on("error", () => undefined);
  let answer = "";
  socket.on("data", (chunk) => {
    answer += chunk.toString();
  });
  socket.write(text);
  await once(socket, "close");
  return answer;
}

test.describe("organizations by the official SDK", () => {
  test("are created, found, listed to the end, changed and deleted", async ({ server }) => {
    const { organizations } = client(server, await makeKey(server, "organizations"));
    const stamp = Date.now().toString(36);
    const made = await organizations.createOrganization(
      {
        name: `Umbrella ${stamp}`,
        domainData: [{ domain: `${stamp}.example`, state: "verified" as never }],
        externalId: `ext ${stamp}`,
        metadata: { plan: "pro" },
      },
      { idempotencyKey: stamp },
    );
    expect(made).toMatchObject({ externalId: `ext ${stamp}`, metadata: { plan: "pro" } });
    expect(await organizations.getOrganization(made.id)).toEqual(made);
    expect(await organizations.getOrganizationByExternalId(`ext ${stamp}`)).toEqual(made);
    await expect(
      organizations.createOrganization({
        name: "Other",
        domainData: [{ domain: `${stamp}.example`, state: "verified" as never }],
      }),
    ).rejects.toBeInstanceOf(ConflictException);
    const found = await organizations.listOrganizations({
      domains: [`${stamp}.example`, "x.example"],
    });
    expect(found.data).toEqual([made]);
    // Others are made meanwhile.
    const before = await runSql<{ id: string }>(
      server,
      "SELECT id FROM organizations WHERE deleted_at IS NULL",
    );
    const all = await (await organizations.listOrganizations({ order: "asc" })).autoPagination();
    const ids = all.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(before.filter(({ id }) => !ids.includes(id))).toEqual([]);
    const changed = await organizations.updateOrganization({
      organization: made.id,
      name: `Umbrella Corp ${stamp}`,
      externalId: null,
    });
    expect(changed).toMatchObject({ externalId: null, metadata: { plan: "pro" } });
    await organizations.deleteOrganization(made.id);
    await expect(organizations.getOrganization(made.id)).rejects.toMatchObject({ status: 404 });
  });

  test("a retention is told in the node dialect and read in days; contacts are kept", async ({
    server,
    organization,
  }) => {
    const { auditLogs, organizations } = client(server, await makeKey(server, "organizations"));
    const asked = { id: organization.id, retentionPeriod: "3_MONTHS" as const };
    const answer = { retentionPeriodInDays: 90 };
    expect(await auditLogs.updateOrganizationAuditLogsRetention(asked)).toEqual(answer);
    expect(await auditLogs.getOrganizationAuditLogsRetention(asked)).toEqual(answer);
    const organizationId = organization.id;
    const contact = await organizations.createItContact({ organizationId, email: "it@a.example" });
    await organizations.inviteItContact({
      organizationId,
      contactId: contact.id,
      intents: ["log_streams"],
    });
    await organizations.revokeItContact({ organizationId, contactId: contact.id });
    expect((await organizations.listItContacts({ organizationId })).data).toMatchObject([
      { id: contact.id, email: contact.email },
    ]);
    await organizations.deleteItContact({ organizationId, contactId: contact.id });
    expect((await organizations.listItContacts({ organizationId })).data).toEqual([]);
  });
});

test("whatever is no known route answers JSON in the shape of the contract", async ({ server }) => {
  const cases: [method: string, path: string, status: number][] = [
    ["GET", "/nothing/here", 404],
    ["POST", "/nothing/here", 404],
    ["DELETE", "/", 405],
    ["PUT", "/sign-in", 405],
    ["POST", "/icon.svg", 405],
    ["POST", "/_next/static/chunks/x.js", 405],
    ["GET", "/audit_logs/events/", 404],
    ["GET", "/organizations//x", 404],
    ["PATCH", "/organizations/org_x", 405],
    ["PROPFIND", "/organizations", 405],
    ["GET", "/o/%00", 307],
    ["GET", `/${"a".repeat(10_000)}`, 404],
    ["GET", "/%E0%A4%A", 400],
    ["GET", "/AUDIT_LOGS/events", 404],
    ["POST", "/api/auth/nothing", 400],
    ["GET", "/_next/static/nothing.js", 404],
  ];
  for (const [method, path, status] of cases) {
    const response = await fetch(server.url + path, { method, redirect: "manual" });
    const what = `${method} ${path.slice(0, 40)}`;
    const text = await response.text();
    if (status === 307) {
      expect(response.status, what).toBeLessThan(500);
      continue;
    }
    expect.soft(response.status, what).toBe(status);
    expect.soft(response.headers.get("x-request-id"), what).toMatch(/^req_/);
    expect.soft(response.headers.get("content-type"), what).toMatch(/^application\/json/);
    const body = JSON.parse(text);
    expect
      .soft(body, what)
      .toMatchObject({ message: expect.any(String), code: expect.any(String) });
    expect.soft(body, what).not.toHaveProperty("error");
    expect.soft("errors" in body, what).toBe(status === 400);
  }
  const page = await fetch(`${server.url}/nothing/here`, { headers: { accept: "text/html" } });
  expect(page.headers.get("content-type")).toMatch(/^text\/html/);
});

test("what is not even HTTP, too large, compressed or expects too much answers JSON", async ({
  server,
  organization,
}) => {
  const cases: [string, number][] = [
    ["nonsense\r\n\r\n", 400],
    [`GET / HTTP/1.1\r\nHost: x\r\nX-Long: ${"a".repeat(40_000)}\r\n\r\n`, 431],
    ["GET /organizations HTTP/1.1\r\nHost: x\r\nExpect: magic\r\nConnection: close\r\n\r\n", 417],
    ["TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 405],
    [
      "POST /organizations HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
      415,
    ],
  ];
  for (const [text, status] of cases) {
    const answer = await sendRaw(server, text);
    const [head = "", body = ""] = answer.split("\r\n\r\n");
    expect.soft(head, text.slice(0, 40)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect.soft(head.toLowerCase(), text.slice(0, 40)).toContain("x-request-id: req_");
    expect.soft(body, text.slice(0, 40)).toContain('"code":');
  }
  const response = await fetch(`${server.url}/organizations`, {
    method: "POST",
    headers: { authorization: `Bearer ${organization.key}` },
    body: "x".repeat(2_000_000),
  });
  expect(response.status).toBe(413);
});

test("a sane X-Request-ID is taken over, another replaced; HEAD answers like GET", async ({
  server,
}) => {
  const ask = async (id: string, method = "GET") =>
    (
      await fetch(`${server.url}/organizations`, { method, headers: { "x-request-id": id } })
    ).headers.get("x-request-id");
  expect(await ask("3f2c9a7e-0d1b-4c55-9a4e-1f0a2b3c4d5e")).toBe(
    "3f2c9a7e-0d1b-4c55-9a4e-1f0a2b3c4d5e",
  );
  expect(await ask("3f2c9a7e.HEAD", "HEAD")).toBe("3f2c9a7e.HEAD");
  for (const id of ["short", "two words here", "a".repeat(129), '{"level":"error"}'])
    expect(await ask(id)).toMatch(/^req_/);
});

test("a key without the permission is told so; a rotated one works beside its successor", async ({
  server,
  organization,
}) => {
  const list = (key: string) =>
    fetch(`${server.url}/organizations`, { headers: { authorization: `Bearer ${key}` } });
  const refused = await list(organization.key);
  expect(refused.status).toBe(403);
  expect(await refused.json()).toMatchObject({ code: "forbidden", message: expect.any(String) });
  const options = ["--name", "r", "--permissions", "organizations", "--org", organization.id];
  const old = await server.cliJson<{ id: string; key: string }>("keys", "create", ...options);
  const made = await server.cliJson<{ key: string }>("keys", "rotate", old.id, "--overlap", "1");
  expect((await list(old.key)).status).toBe(200);
  expect(await (await list(made.key)).json()).toMatchObject({ data: [{ id: organization.id }] });
});

test.describe("a server with a low limit and its own log", () => {
  test("throttles each key alone with 429, and logs requests without what they carry", async () => {
    const server = new TestServer({ TRAILSEAL_RATE_LIMIT_PER_MINUTE: "3" });
    try {
      await server.start();
      const key = await makeKey(server, "organizations");
      const ask = (path = "/organizations?search=mei@example.com") =>
        fetch(server.url + path, {
          headers: { authorization: `Bearer ${key}`, "x-request-id": "traced-0001" },
        });
      for (let n = 0; n < 3; n += 1) expect((await ask()).status).toBe(200);
      const throttled = await ask();
      expect(throttled.status).toBe(429);
      expect(throttled.headers.get("retry-after")).toMatch(/^([1-9]|1\d|20)$/);
      expect(await throttled.json()).toEqual({
        message: "Too many requests.",
        code: "rate_limit_exceeded",
      });
      const other = { authorization: `Bearer ${await makeKey(server, "organizations")}` };
      const free = await fetch(`${server.url}/organizations`, { headers: other });
      expect(free.status).toBe(200);

      await ask("/organizations/external_id/mei@example.com");
      await expect.poll(() => server.output).toContain("external_id/…");
      const lines = server.output
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line));
      const traced = lines.filter((line) => line.request_id === "traced-0001");
      expect(traced.map(({ status }) => status)).toContain(429);
      expect(traced[0]).toMatchObject({
        level: "info",
        msg: "request",
        method: "GET",
        path: "/organizations",
        status: 200,
        api_key_id: expect.stringMatching(/^key_/),
      });
      expect(lines.every((line) => line.msg !== "request" || line.request_id)).toBe(true);
      for (const secret of ["mei@example.com", "127.0.0.1", key])
        expect(JSON.stringify(lines)).not.toContain(secret);
    } finally {
      await server.remove();
    }
  });
});
