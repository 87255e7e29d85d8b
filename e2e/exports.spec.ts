import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { BadRequestException, NotFoundException, WorkOS } from "@workos-inc/node";
import { expect, test } from "./fixtures";
import { parseCsv } from "./fixtures/csv";
import { eventsForTests, importEvents, runSql } from "./fixtures/log";
import type { TestServer } from "./server";

const RANGE = { start: "2026-03-02T06:00:00.000Z", end: "2026-03-02T20:00:00.000Z" };

function client(server: TestServer, key: string): WorkOS {
  const { hostname, port } = new URL(server.url);
  return new WorkOS(key, { apiHostname: hostname, port: Number(port), https: false });
}

/** A key that may make and fetch exports. */
async function makeKey(server: TestServer, ...options: string[]): Promise<string> {
  const given = ["--name", "exports", "--permissions", "exports", ...options];
  return (await server.cliJson<{ key: string }>("keys", "create", ...given)).key;
}

async function untilReady({ auditLogs }: WorkOS, id: string) {
  await expect.poll(async () => (await auditLogs.getExport(id)).state).not.toBe("pending");
  return auditLogs.getExport(id);
}

test("the official SDK creates an export, waits for it, and its file holds what the database has", async ({
  server,
  organization,
}) => {
  await importEvents(server, organization.id, eventsForTests(250));
  const sdk = client(server, await makeKey(server, "--org", organization.id));
  const cases = [
    { filter: {}, sql: "true" },
    {
      filter: { actions: ["doc.viewed", "doc.exported"], targets: ["team"] },
      sql: `action IN ('doc.viewed', 'doc.exported') AND targets @> '[{"type":"team"}]'`,
    },
    {
      filter: { actorNames: ["Person 3", "Build robot"], actorIds: ["svc_ci"] },
      sql: "actor_name IN ('Person 3', 'Build robot') AND actor_id = 'svc_ci'",
    },
    { filter: { actions: ["no.such"] }, sql: "false" },
  ];
  for (const { filter, sql } of cases) {
    const made = await sdk.auditLogs.createExport({
      organizationId: organization.id,
      rangeStart: new Date(RANGE.start),
      rangeEnd: new Date(RANGE.end),
      ...filter,
    });
    expect(made).toMatchObject({ object: "audit_log_export", state: "pending" });
    expect(made.id).toMatch(/^audit_log_export_[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(made.url).toBeUndefined();
    const ready = await untilReady(sdk, made.id);
    expect(ready).toMatchObject({ id: made.id, state: "ready", createdAt: made.createdAt });
    const response = await fetch(ready.url as string);
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/csv; charset=utf-8; header=present",
      "content-disposition": `attachment; filename="${made.id}.csv"`,
      "cache-control": "no-store",
    });
    const rows = parseCsv(await response.text());
    const stored = await runSql<{ id: string }>(server, [
      `SELECT id FROM events WHERE organization_id = $1 AND occurred_at >= $2 AND occurred_at < $3 AND ${sql}
       ORDER BY occurred_at DESC, seq DESC`,
      [organization.id, RANGE.start, RANGE.end],
    ]);
    expect(rows.map(({ id }) => id)).toEqual(stored.map(({ id }) => id));
  }
});

test("the SDK gets what is wrong as its own exceptions", async ({ server, organization }) => {
  const sdk = client(server, await makeKey(server, "--org", organization.id));
  const range = { rangeStart: new Date(RANGE.end), rangeEnd: new Date(RANGE.start) };
  const reversed = sdk.auditLogs.createExport({ organizationId: organization.id, ...range });
  const error = await reversed.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(BadRequestException);
  expect(error).toMatchObject({
    code: "invalid_audit_log_export_range_date",
    message: "Invalid date range",
    errors: [{ field: "range_end", code: "range_end must be after range_start" }],
  });
  const right = { rangeStart: new Date(RANGE.start), rangeEnd: new Date(RANGE.end) };
  const elsewhere = sdk.auditLogs.createExport({ organizationId: "org_unknown", ...right });
  await expect(elsewhere).rejects.toThrow(NotFoundException);
  const unknown = sdk.auditLogs.getExport("audit_log_export_01JZ8QC5H7K9N1Q3S5V7X9Z1B3");
  await expect(unknown).rejects.toThrow(NotFoundException);
});

test("whose key, and whose link, opens an export", async ({ server, organization }) => {
  const key = await makeKey(server, "--org", organization.id);
  const post = (key: string, body: object) =>
    fetch(`${server.url}/audit_logs/exports`, {
      method: "POST",
      headers: { Authorization: `Bearer ${key}`, "Idempotency-Key": "one" },
      body: JSON.stringify({ organization_id: organization.id, ...body }),
    });
  const get = (id: string, key: string) =>
    fetch(`${server.url}/audit_logs/exports/${id}`, {
      headers: { Authorization: `Bearer ${key}` },
    });
  const body = { range_start: "2026-01-01T00:00:00", range_end: RANGE.end, actors: ["Ann"] };

  const wrong = await post(key, { range_start: "soon", actions: "a" });
  expect(wrong.status).toBe(422);
  const { errors } = (await wrong.json()) as { errors: { field: string }[] };
  expect(errors.map(({ field }) => field)).toEqual(["range_start", "range_end", "actions"]);
  expect((await post("sk_wrong", body)).status).toBe(401);

  const response = await post(key, body);
  expect(response.status).toBe(201);
  const made = (await response.json()) as { id: string };
  expect(Object.keys(made)).toEqual(["object", "id", "state", "created_at", "updated_at"]);
  expect(((await (await post(key, body)).json()) as { id: string }).id).toBe(made.id);

  const other = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Other");
  const foreign = await get(made.id, await makeKey(server, "--org", other.id));
  expect(foreign.status).toBe(404);
  expect(await foreign.json()).toMatchObject({ code: "entity_not_found", entity_id: made.id });
  expect((await post(await makeKey(server, "--org", other.id), body)).status).toBe(404);
  expect((await get(made.id, "sk_wrong")).status).toBe(401);

  const instanceKey = await makeKey(server);
  const { url } = await untilReady(client(server, instanceKey), made.id);
  const link = new URL(url as string);
  expect(link.origin).toBe(server.url);
  expect((await fetch(link)).status).toBe(200);
  const changed = (name: string, value: string) => {
    const copy = new URL(link);
    copy.searchParams.set(name, value);
    return copy;
  };
  const refusals = [
    changed("signature", "A".repeat(43)),
    changed("organization_id", other.id),
    changed("expires", String(Number(link.searchParams.get("expires")) + 1)),
    new URL(link.pathname, link),
  ];
  for (const refused of refusals) {
    const answer = await fetch(refused);
    expect(answer.status).toBe(403);
    expect(await answer.json()).toEqual({ message: "This link is not valid.", code: "forbidden" });
  }
  // The file goes with its export's time, whatever a link says.
  await runSql(server, ["UPDATE exports SET expires_at = now() WHERE id = $1", [made.id]]);
  expect((await fetch(link)).status).toBe(404);
  const expired = (await (await get(made.id, key)).json()) as object;
  expect(expired).toMatchObject({ state: "expired" });
  expect(expired).not.toHaveProperty("url");
});

test("the command line creates, shows and downloads exports", async ({ server, organization }) => {
  await importEvents(server, organization.id, eventsForTests(40));
  const org = ["--org", organization.id];
  const directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-exports-"));
  try {
    const query = ["--action", "doc.viewed", "--target-type", "doc"];
    const { id } = await server.cliJson<{ id: string }>("exports", "create", ...org, ...query);
    const get = () =>
      server.cliJson<{ state: string; events: number }>("exports", "get", id, ...org);
    await expect.poll(async () => (await get()).state).toBe("ready");
    const [stored] = await runSql<{ n: number }>(server, [
      "SELECT count(*)::int AS n FROM events WHERE organization_id = $1 AND action = 'doc.viewed'",
      [organization.id],
    ]);
    expect((await get()).events).toBe(stored?.n);
    const output = path.join(directory, "events.csv");
    await server.cli("exports", "download", id, ...org, "--output", output);
    expect(statSync(output).mode & 0o777).toBe(0o600);
    const file = readFileSync(output, "utf8");
    expect(parseCsv(file)).toHaveLength(stored?.n as number);
    expect((await server.cli("exports", "download", id, ...org)).stdout).toBe(file);
    expect((await server.cli("exports", "list", ...org)).stdout).toContain(`${id}  ready`);
    const bad = await server.cli("exports", "create", ...org, "--from", "soon");
    expect([bad.code, bad.stderr]).toEqual([
      1,
      'trailseal: range_start "soon" is not an RFC 3339 timestamp such as 2026-01-02T03:04:05.678Z\n',
    ]);
    const missing = await server.cli("exports", "get", "audit_log_export_x", ...org);
    expect([missing.code, missing.stderr]).toEqual([
      1,
      "trailseal: Audit log export not found: 'audit_log_export_x'.\n",
    ]);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
