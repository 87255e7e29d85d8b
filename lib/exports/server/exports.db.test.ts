import { createHash } from "node:crypto";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Scope } from "@/lib/auth/scope";
import { systemInstanceScope, systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { streamCsv } from "@/lib/events/server/csv";
import { createTestOrganization, insertTestEvents } from "@/lib/events/server/test-events";
import { newId } from "@/lib/ids";
import { exportFilter, type NewExport, parseExportRequest } from "../schema";
import { deleteExpiredFiles } from "./export-jobs";
import { findOrganizationOf, getExport, listExports, openExport, requestExport } from "./exports";
import { fileOf, partOf } from "./files";
import {
  contentOf as contentIn,
  filesOf,
  made as madeIn,
  startRunner,
  stopRunners,
} from "./test-exports";

let db: TestDatabase;
let organizationId: string;
const EVENTS = 400;

const scope = (log = organizationId) => systemScope("cli", log);

async function newLog(count: number): Promise<string> {
  const log = await createTestOrganization(db.owner);
  await insertTestEvents(
    db.owner,
    log,
    Array.from({ length: count }, (_, seq) => ({
      seq,
      id: newId("event"),
      action: `doc.${["read", "written", "shared"][seq % 3]}`,
      version: 1,
      // Many at the same time, none in the order of the sequence.
      occurred_at: new Date(Date.UTC(2026, 0, 1) + ((seq * 37) % 50) * 60_000).toISOString(),
      actor: seq % 10 ? { type: "user", id: `usr_${seq % 7}`, name: `Ann "${seq % 4}"\n` } : null,
      targets: [
        { type: "doc", id: `doc_${seq % 5}` },
        ...(seq % 4 ? [] : [{ type: "team", id: "team_1" }]),
      ],
      context: { location: "10.0.0.1" },
      metadata: { note: 'line\n"quoted"' },
    })),
  );
  await db.owner.query("UPDATE log_heads SET next_seq = $2 WHERE organization_id = $1", [
    log,
    count,
  ]);
  return log;
}

beforeAll(async () => {
  db = await testDatabase();
  organizationId = await newLog(EVENTS);
});

afterAll(() => db.close());

afterEach(stopRunners);

const create = (owner: Scope, request: NewExport) => requestExport(owner, request);

const requestOf = (filter: object = {}): NewExport => {
  const range = { range_start: "2026-01-01T00:10:00Z", range_end: "2026-01-01T00:40:00Z" };
  return parseExportRequest({
    organization_id: organizationId,
    ...range,
    ...filter,
  });
};

const made = (id: string, log = organizationId) => madeIn(id, log);
const contentOf = (id: string, log = organizationId) => contentIn(id, log);

describe("an export", () => {
  test.each([
    [{}, "true"],
    [{ actions: ["doc.read", "doc.shared"] }, "action IN ('doc.read', 'doc.shared')"],
    [{ actor_ids: ["usr_1", "usr_2"] }, "actor_id IN ('usr_1', 'usr_2')"],
    [{ actor_names: ['Ann "1"\n'] }, `actor_name = E'Ann "1"\\n'`],
    [{ actors: ['Ann "2"\n'] }, `actor_name = E'Ann "2"\\n'`],
    [{ targets: ["team"] }, `targets @> '[{"type":"team"}]'`],
    [
      { targets: ["team"], actions: ["doc.read"], actor_ids: ["usr_1", "usr_4"] },
      `targets @> '[{"type":"team"}]' AND action = 'doc.read' AND actor_id IN ('usr_1', 'usr_4')`,
    ],
    [{ actions: ["DOC.READ", "doc.*"] }, "false"],
    [{ targets: ["doc_1"] }, "false"],
  ])("holds just what its filter and range mean, newest first: %j", async (filter, sql) => {
    startRunner({ pieceSize: 30 });
    const { id } = await create(scope(), requestOf(filter));
    const { rows } = await db.owner.query<{ id: string }>(
      `SELECT id FROM events WHERE organization_id = $1 AND occurred_at >= '2026-01-01T00:10:00Z'
         AND occurred_at < '2026-01-01T00:40:00Z' AND ${sql} ORDER BY occurred_at DESC, seq DESC`,
      [organizationId],
    );
    expect(await made(id)).toMatchObject({ state: "ready", events: rows.length, error: null });
    const file = await contentOf(id);
    expect(file.match(/^audit_event_\w+/gm) ?? []).toEqual(rows.map((row) => row.id));
    // Pieces make the same file as one statement does.
    const { search } = requestOf(filter);
    const range = { from: search.range_start, to: search.range_end };
    expect(file).toBe(
      await text(await streamCsv(scope(), { filter: exportFilter(search), ...range })),
    );
  });

  test("is pending, then ready with its size, checksum and a file that only its owner may read", async () => {
    const queued = await create(scope(), requestOf());
    expect(queued).toMatchObject({ state: "queued", expiresAt: null, sha256: null });
    await expect(openExport(scope(), queued.id)).rejects.toThrow("its state is queued");
    startRunner();
    const ready = await made(queued.id);
    const content = await contentOf(queued.id);
    expect(ready).toMatchObject({
      state: "ready",
      bytes: Buffer.byteLength(content),
      sha256: createHash("sha256").update(content).digest("hex"),
    });
    expect(Date.parse(ready.expiresAt as string) - Date.now()).toBeGreaterThan(6 * 86_400_000);
    const file = fileOf({ id: queued.id, format: "csv", attempt: 1 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(filesOf(queued.id)).toHaveLength(2);
  });

  test("whose worker died is taken up when its lease has ended, and leaves one file", async () => {
    const { id } = await create(scope(), requestOf());
    writeFileSync(
      partOf(fileOf({ id: id, format: "csv", attempt: 1 })),
      "id,organization_id\naudit_ev",
    );
    await db.owner.query(
      `UPDATE exports SET state = 'running', attempt = 1,
         lease_until = now() + interval '600 milliseconds' WHERE id = $1`,
      [id],
    );
    startRunner();
    await sleep(200);
    expect(await getExport(scope(), id)).toMatchObject({ state: "running" });
    expect(await made(id)).toMatchObject({ state: "ready" });
    await expect.poll(() => filesOf(id)).toEqual([`${id}.2.csv`, `${id}.2.csv.manifest`]);
  });

  test("whose worker is asked to stop waits for the next, and the stop is no failure", async () => {
    const log = await newLog(3_000);
    const all = requestOf({ range_end: "2027-01-01T00:00:00Z" });
    const { id } = await create(scope(log), all);
    const stop = startRunner({ pieceSize: 20 });
    while ((await getExport(scope(log), id)).events === 0) await sleep(2);
    await stop();
    const { rows } = await db.owner.query("SELECT state, tries FROM exports WHERE id = $1", [id]);
    expect(rows).toEqual([{ state: "queued", tries: 0 }]);
    startRunner();
    const { events } = await made(id, log);
    expect(events).toBe((await contentOf(id, log)).match(/^audit_event_\w+/gm)?.length);
  });

  test("that another worker has taken is not finished by the first", async () => {
    const log = await newLog(3_000);
    const all = requestOf({ range_end: "2027-01-01T00:00:00Z" });
    const { id } = await create(scope(log), all);
    startRunner({ pieceSize: 20 });
    while ((await getExport(scope(log), id)).events === 0) await sleep(2);
    await db.owner.query(
      "UPDATE exports SET attempt = attempt + 1, lease_until = now() + interval '1 hour' WHERE id = $1",
      [id],
    );
    for (let waited = 0; filesOf(id).length > 0 && waited < 200; waited += 1) await sleep(20);
    expect(filesOf(id)).toEqual([]);
    expect(await getExport(scope(log), id)).toMatchObject({ state: "running" });
    await db.owner.query("DELETE FROM exports WHERE id = $1", [id]);
  });

  test("is made once by two workers", async () => {
    const ids = await Promise.all(
      Array.from({ length: 8 }, async () => (await create(scope(), requestOf())).id),
    );
    startRunner();
    startRunner();
    for (const id of ids) expect(await made(id)).toMatchObject({ state: "ready" });
    const { rows } = await db.owner.query(
      "SELECT DISTINCT attempt FROM exports WHERE id = ANY($1)",
      [ids],
    );
    expect(rows).toEqual([{ attempt: 1 }]);
  });

  test("that cannot be made ends in an error with its cause, not in pending", async () => {
    const { id } = await create(scope(), requestOf());
    await db.owner.query(
      `UPDATE exports SET search = search || '{"q": "colour:red"}' WHERE id = $1`,
      [id],
    );
    startRunner();
    const failed = await made(id);
    expect(failed).toMatchObject({ state: "failed", events: 0, bytes: 0 });
    expect(failed.error).toContain("colour");
    expect(filesOf(id)).toEqual([]);
    await expect(openExport(scope(), id)).rejects.toMatchObject({ code: "not_found" });
  });

  test("that ended its worker again and again is given up", async () => {
    const { id } = await create(scope(), requestOf());
    await db.owner.query(
      "UPDATE exports SET state = 'running', attempt = 5, tries = 5, lease_until = now() WHERE id = $1",
      [id],
    );
    startRunner();
    expect(await made(id)).toMatchObject({
      state: "failed",
      error: expect.stringMatching("5 times"),
    });
  });

  test("runs out: no file from that minute, its state still to be read", async () => {
    startRunner();
    const { id } = await create(scope(), requestOf());
    await made(id);
    await deleteExpiredFiles();
    expect(filesOf(id)).toHaveLength(2);
    // A column of milliseconds rounds now() up by half of one at most.
    await db.owner.query("UPDATE exports SET expires_at = now() - interval '1 ms' WHERE id = $1", [
      id,
    ]);
    expect(await getExport(scope(), id)).toMatchObject({ state: "expired" });
    await expect(openExport(scope(), id)).rejects.toThrow("its state is expired");
    await deleteExpiredFiles();
    expect(filesOf(id)).toEqual([]);
    expect(await getExport(scope(), id)).toMatchObject({ state: "expired" });
  });

  test("whose file was lost says so", async () => {
    startRunner();
    const { id } = await create(scope(), requestOf());
    await made(id);
    rmSync(fileOf({ id: id, format: "csv", attempt: 1 }));
    await expect(openExport(scope(), id)).rejects.toMatchObject({ code: "not_found" });
  });

  test("of another organization is not found, in no way", async () => {
    const other = await createTestOrganization(db.owner);
    startRunner();
    const { id } = await create(scope(), requestOf());
    await made(id);
    for (const read of [getExport, openExport])
      await expect(read(scope(other), id)).rejects.toMatchObject({
        code: "not_found",
        details: { entity_id: id },
      });
    expect(await listExports(scope(other), null, 10)).toEqual([]);
    expect(await findOrganizationOf(systemInstanceScope("cli"), id)).toBe(organizationId);
    for (const unknown of [newId("export"), "", "x\0"])
      await expect(findOrganizationOf(systemInstanceScope("cli"), unknown)).rejects.toMatchObject({
        code: "not_found",
      });
  });
});

describe("createExport", () => {
  test("lists the newest first, as many as asked for", async () => {
    const log = await createTestOrganization(db.owner);
    const made = [];
    for (const _ of [1, 2, 3]) made.push(await create(scope(log), requestOf()));
    const page = await listExports(scope(log), null, 2);
    expect(page).toEqual(made.slice(1).reverse());
    expect(await listExports(scope(log), page[1]?.id as string, 2)).toEqual(made.slice(0, 1));
  });

  test("lets twenty of an organization wait, no more", async () => {
    const log = await createTestOrganization(db.owner);
    for (let count = 0; count < 20; count += 1) await create(scope(log), requestOf());
    await expect(create(scope(log), requestOf())).rejects.toMatchObject({
      code: "rate_limited",
      retryAfterS: 10,
    });
    await db.owner.query("DELETE FROM exports WHERE organization_id = $1", [log]);
  });
});
