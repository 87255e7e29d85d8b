import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { BadRequestException, WorkOS } from "@workos-inc/node";
import { expect, test } from "./fixtures";
import { runSql } from "./fixtures/log";
import { TestServer } from "./server";

// Schemas belong to the instance: every test names actions of its own.

async function instanceKey(server: TestServer): Promise<string> {
  const options = ["--name", "schemas", "--permissions", "schemas,events:write"];
  return (await server.cliJson<{ key: string }>("keys", "create", ...options)).key;
}

function client(server: TestServer, key: string): WorkOS {
  const { hostname, port } = new URL(server.url);
  return new WorkOS(key, { apiHostname: hostname, port: Number(port), https: false });
}

const event = (action: string) => ({
  action,
  occurredAt: new Date("2026-01-02T03:04:05.678Z"),
  actor: { type: "user", id: "usr_1", metadata: { role: "admin" } },
  targets: [{ type: "invoice", id: "inv_1" }],
  context: { location: "203.0.113.9" },
  metadata: { total: 12.5 },
});

test("the official SDK creates and lists schemas, and gets what breaks one as its own exception", async ({
  server,
  organization,
}) => {
  const { auditLogs } = client(server, await instanceKey(server));
  const made = await auditLogs.createSchema({
    action: "invoice voided:now",
    targets: [{ type: "invoice" }],
    actor: { metadata: { role: "string" } },
    metadata: { total: "number" },
  });
  expect(made).toMatchObject({
    object: "audit_log_schema",
    version: 1,
    targets: [{ type: "invoice" }],
    metadata: { total: "number" },
  });
  for (let version = 2; version <= 105; version += 1) {
    const next = { action: "invoice.paged", targets: [{ type: `t${version}` }] };
    expect((await auditLogs.createSchema(next)).version).toBe(version - 1);
  }
  const list = await auditLogs.listSchemas("invoice.paged" as never);
  const all = await list.autoPagination();
  expect(all.map(({ version }) => version)).toEqual(
    Array.from({ length: 104 }, (_, index) => 104 - index),
  );

  await auditLogs.createEvent(organization.id, event("invoice voided:now"));
  const refused = await auditLogs
    .createEvent(organization.id, {
      ...event("invoice voided:now"),
      targets: [{ type: "team", id: "t" }],
      metadata: { total: "12.5" },
    })
    .catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(BadRequestException);
  expect(refused).toMatchObject({
    code: "invalid_audit_log_event",
    message: "Invalid Audit Log event.",
    errors: [
      {
        instancePath: "/targets",
        keyword: "contains",
        schemaPath: "#/properties/targets/allOf/0/contains",
      },
      { instancePath: "/metadata/total", keyword: "type" },
    ],
  });
  const wrongVersion = { ...event("invoice voided:now"), version: 7 };
  await expect(auditLogs.createEvent(organization.id, wrongVersion)).rejects.toMatchObject({
    errors: [{ instancePath: "/version", keyword: "registered" }],
  });
  const [stored] = await runSql<{ n: number }>(server, [
    "SELECT count(*)::int AS n FROM events WHERE organization_id = $1",
    [organization.id],
  ]);
  expect(stored?.n).toBe(1);
});

test("over plain HTTP: names encoded or not, what is wrong by field, and whose key may", async ({
  server,
  organization,
}) => {
  const key = await instanceKey(server);
  const send = (name: string, body: unknown, with_ = key) =>
    fetch(`${server.url}/audit_logs/actions/${name}/schemas`, {
      method: "POST",
      headers: { Authorization: `Bearer ${with_}`, "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  const schema = { targets: [{ type: "doc" }] };
  expect((await send("plain%20name", schema)).status).toBe(201);
  const listed = await fetch(`${server.url}/audit_logs/actions/plain%20name/schemas`, {
    headers: { Authorization: `Bearer ${key}` },
  });
  expect(await listed.json()).toMatchObject({
    object: "list",
    data: [{ version: 1, targets: [{ type: "doc" }] }],
    list_metadata: { before: null, after: null },
  });
  expect((await send("a%2Fb", schema)).status).toBe(422);
  const bad = await send("bad.one", { targets: [], metadata: { $ref: "https://example.com" } });
  expect(bad.status).toBe(422);
  const { errors } = (await bad.json()) as { errors: { field: string }[] };
  expect(errors.map(({ field }) => field)).toEqual(["targets", "metadata"]);
  expect((await send("bound.key", schema, organization.key)).status).toBe(403);
  const unknown = await fetch(`${server.url}/audit_logs/actions/never.made/schemas`, {
    headers: { Authorization: `Bearer ${key}` },
  });
  expect(unknown.status).toBe(404);
  const actions = await fetch(`${server.url}/audit_logs/actions?limit=100`, {
    headers: { Authorization: `Bearer ${key}` },
  });
  const { data } = (await actions.json()) as { data: { name: string; schema: object }[] };
  expect(data.find(({ name }) => name === "plain name")).toMatchObject({
    object: "audit_log_action",
    schema: { object: "audit_log_schema", version: 1 },
  });
});

test("schemas are kept as a file: pulled, told apart, applied", async () => {
  // Of its own: others make schemas meanwhile.
  const server = new TestServer();
  const folder = mkdtempSync(path.join(os.tmpdir(), "trailseal-schemas-"));
  const file = path.join(folder, "schemas.json");
  try {
    await server.start();
    await server.cli("schemas", "pull", file);
    expect((await server.cli("schemas", "diff", file)).code).toBe(0);
    const kept = JSON.parse(readFileSync(file, "utf8"));
    kept.actions["filed.once"] = { targets: [{ type: "doc" }], metadata: null };
    writeFileSync(file, JSON.stringify(kept));
    const diff = await server.cli("schemas", "diff", file);
    expect([diff.code, diff.stdout]).toEqual([1, "+ filed.once\n"]);
    expect(await server.cliJson("schemas", "apply", file)).toEqual({
      made: [{ action: "filed.once", version: 1 }],
    });
    expect((await server.cli("schemas", "diff", file)).code).toBe(0);
    kept.actions["filed.once"].targets.push({ type: "team" });
    writeFileSync(file, JSON.stringify(kept));
    expect((await server.cli("schemas", "diff", file)).stdout).toBe("~ filed.once\n");
    expect((await server.cli("schemas", "apply", file)).stdout).toBe("filed.once: version 2\n");
    writeFileSync(file, "{");
    const broken = await server.cli("schemas", "diff", file);
    expect(broken.code).toBe(1);
    expect(broken.stderr).toContain("schemas.json cannot be used");
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await server.remove();
  }
});
