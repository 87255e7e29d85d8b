import { createHash } from "node:crypto";
import { utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { inTransaction, writePool } from "@/lib/db/pool";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { verifyLog } from "@/lib/integrity/server/verify";
import type { ImportSetup } from "../schema";
import { discardUploads, expireImports, sweepImports } from "./import-jobs";
import {
  cancelImport,
  deleteImport,
  getImport,
  listImports,
  openRejects,
  previewUpload,
  startImport,
} from "./imports";
import { saveMapping } from "./mappings";

import {
  CRM,
  count,
  crmSetup,
  directory,
  ended,
  filesOf,
  line,
  lines,
  NDJSON,
  newScope,
  sealed,
  startRunner,
  stopRunners,
  until,
  upload,
} from "./test-imports";

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
afterEach(stopRunners);

describe("a started import", () => {
  test("stores what can be, tells repeats from what was there, and both events say what it was", async () => {
    const scope = await newScope(db);
    const first = await upload(scope, "CRM.csv", CRM);
    const setup = await crmSetup(scope, first.id);
    await saveMapping(scope, "CRM", setup.mapping as NonNullable<ImportSetup["mapping"]>);
    const preview = await previewUpload(scope, first.id, setup);
    expect(preview.looked).toEqual({ read: 4, rejected: 1, repeats: 1 });
    expect(preview.rows.map(({ repeats }) => repeats)).toEqual([null, null, 2, null]);
    startRunner();
    await startImport(scope, first.id, setup);
    const done = await ended(scope, first.id);
    expect(done).toMatchObject({
      state: "done",
      error: null,
      readBytes: CRM.length,
      hasRejects: true,
      outcome: { read: 4, stored: 2, already_there: 0, repeats: 1, rejected: 1 },
    });
    expect(done.outcome.examples).toEqual([
      { number: 3, reasons: [expect.stringContaining("column what: action is required")] },
    ]);
    const rejects = await openRejects(scope, first.id);
    expect(JSON.parse(await text(rejects.content))).toMatchObject({
      file: "CRM.csv",
      number: 3,
      record: { id: "2", what: null, who: "tom" },
    });
    const [saved, started, finished] = await sealed(db, scope);
    expect(saved?.action).toBe("trailseal.import_mapping_saved");
    expect(started).toMatchObject({
      action: "trailseal.import_started",
      targets: [{ type: "import", id: first.id, name: "CRM.csv" }],
      metadata: {
        file: "CRM.csv",
        sha256: createHash("sha256").update(CRM).digest("hex"),
        format: "csv",
        source: "CRM",
        mapping: "CRM",
      },
    });
    expect(finished).toMatchObject({
      action: "trailseal.import_finished",
      seq: (started?.seq as number) + 3,
      metadata: { outcome: "done", stored: "2", repeats: "1", rejected: "1", already_there: "0" },
    });
    // The uploaded file is gone; only what was rejected is kept.
    expect(filesOf(first.id)).toEqual([`${first.id}.1.rejects`]);

    const again = await upload(scope, "CRM.csv", CRM);
    await startImport(scope, again.id, setup);
    startRunner();
    expect((await ended(scope, again.id)).outcome).toMatchObject({
      ...{ read: 4, stored: 0, already_there: 2, repeats: 1, rejected: 1 },
    });
    expect(await count(db, scope)).toBe(2);
    expect(await verifyLog(scope)).toMatchObject({ ok: true });
    await expect(startImport(scope, again.id, setup)).rejects.toMatchObject({ code: "conflict" });
  });

  test("whose worker died is taken up when its lease has ended, counts as if nothing had been, and ends once", async () => {
    const scope = await newScope(db);
    const { id } = await upload(scope, "events.ndjson", `${lines(1_500)}\n${line(7)}`);
    await startImport(scope, id, NDJSON);
    const stop = startRunner();
    await until(scope, id, ({ outcome }) => outcome.stored > 0);
    await stop();
    const left = await getImport(scope, id);
    expect(left.state).toBe("queued");
    // As a kill leaves it: held by nobody, for a while.
    await db.owner.query(
      "UPDATE imports SET state = 'running', lease_until = now() + interval '300 milliseconds' WHERE id = $1",
      [id],
    );
    startRunner();
    await sleep(100);
    expect(await getImport(scope, id)).toMatchObject({ state: "running" });
    expect(await ended(scope, id)).toMatchObject({
      state: "done",
      outcome: { read: 1_501, stored: 1_500, already_there: 0, repeats: 1, rejected: 0 },
    });
    expect(await count(db, scope)).toBe(1_500);
    expect((await sealed(db, scope)).map(({ action }) => action)).toEqual([
      "trailseal.import_started",
      "trailseal.import_finished",
    ]);
  });

  test("finds there already what another import stored while it waited", async () => {
    const scope = await newScope(db);
    const [first, second] = [
      await upload(scope, "a.ndjson", lines(5)),
      await upload(scope, "b.ndjson", lines(7)),
    ];
    for (const { id } of [first, second]) await startImport(scope, id, NDJSON);
    startRunner();
    await until(scope, first.id, ({ state }) => state === "done");
    expect(await ended(scope, second.id)).toMatchObject({
      outcome: { read: 7, stored: 2, already_there: 5, repeats: 0 },
    });
  });

  test("that another worker took over is left alone by the first", async () => {
    const scope = await newScope(db);
    const { id } = await upload(scope, "events.ndjson", lines(3_000));
    await startImport(scope, id, NDJSON);
    startRunner();
    await until(scope, id, ({ outcome }) => outcome.stored > 0);
    await db.owner.query(
      "UPDATE imports SET attempt = attempt + 1, lease_until = now() + interval '1 hour' WHERE id = $1",
      [id],
    );
    await sleep(300);
    expect(await getImport(scope, id)).toMatchObject({ state: "running" });
    expect((await sealed(db, scope)).length).toBe(1);
  });

  test("is cancelled between two records, and the log says how many were stored", async () => {
    const scope = await newScope(db);
    const { id } = await upload(scope, "events.ndjson", lines(20_000));
    await startImport(scope, id, NDJSON);
    startRunner();
    await until(scope, id, ({ outcome }) => outcome.stored > 0);
    expect(await cancelImport(scope, id)).toMatchObject({ state: "running", isCancelling: true });
    const one = await ended(scope, id);
    expect(one.state).toBe("cancelled");
    expect(one.outcome.stored).toBeLessThan(20_000);
    expect(one.outcome.stored).toBe(await count(db, scope));
    expect((await sealed(db, scope)).at(-1)?.metadata).toMatchObject({
      outcome: "cancelled",
      stored: String(one.outcome.stored),
    });
    expect(filesOf(id)).toEqual([]);
    await expect(cancelImport(scope, id)).rejects.toThrow("cancelled by now");
  });

  test("is cancelled while no record comes out of its file", async () => {
    const scope = await newScope(db);
    const empty = gzipSync("\n".repeat(16_777_216));
    const content = Buffer.concat([gzipSync(line(1)), ...Array(64).fill(empty)]);
    const { id } = await upload(scope, "empty.ndjson.gz", content);
    await startImport(scope, id, NDJSON);
    startRunner();
    await until(scope, id, ({ state }) => state === "running");
    await cancelImport(scope, id);
    expect(await ended(scope, id)).toMatchObject({ state: "cancelled" });
  }, 20_000);

  test("is cancelled at once while it waits", async () => {
    const scope = await newScope(db);
    const { id } = await upload(scope, "events.ndjson", lines(5));
    await startImport(scope, id, NDJSON);
    expect((await cancelImport(scope, id)).state).toBe("cancelled");
    expect((await sealed(db, scope)).map(({ action }) => action)).toEqual([
      "trailseal.import_started",
      "trailseal.import_finished",
    ]);
    expect(filesOf(id)).toEqual([]);
  });

  test("of a damaged archive fails with its cause; what came before it stays", async () => {
    const scope = await newScope(db);
    const packed = gzipSync(lines(4_000));
    const { id } = await upload(scope, "cut.ndjson.gz", packed.subarray(0, packed.length - 200));
    await startImport(scope, id, NDJSON);
    startRunner();
    const one = await ended(scope, id);
    expect(one).toMatchObject({ state: "failed" });
    expect(one.error).toBe("cut.ndjson.gz cannot be read: unexpected end of file");
    expect((await sealed(db, scope)).at(-1)?.metadata).toMatchObject({
      outcome: "failed",
      cause: one.error,
      stored: String(await count(db, scope)),
    });
    expect(filesOf(id)).toEqual([]);
  });

  test("whose event cannot be sealed does not start", async () => {
    const scope = await newScope(db);
    const { id } = await upload(scope, "events.ndjson", lines(1));
    await db.owner.query("UPDATE organizations SET deleted_at = now() WHERE id = $1", [
      scope.organizationId,
    ]);
    await expect(startImport(scope, id, NDJSON)).rejects.toThrow("Organization not found");
    expect((await getImport(scope, id)).state).toBe("uploaded");
  });
});

describe("what is left of imports", () => {
  test("goes with the import that is deleted, which may not be under way", async () => {
    const scope = await newScope(db);
    const draft = await upload(scope, "CRM.csv", CRM);
    await deleteImport(scope, draft.id);
    const { id } = await upload(scope, "CRM.csv", CRM);
    await startImport(scope, id, await crmSetup(scope, id));
    await expect(deleteImport(scope, id)).rejects.toMatchObject({ code: "conflict" });
    startRunner();
    await ended(scope, id);
    expect(filesOf(id)).toHaveLength(1);
    await deleteImport(scope, id);
    expect([...filesOf(draft.id), ...filesOf(id)]).toEqual([]);
    expect(await listImports(scope, null, 10)).toEqual([]);
  });

  test("abandoned uploads go after a day, rejected rows after a week, imports after 90 days", async () => {
    const scope = await newScope(db);
    const draft = await upload(scope, "CRM.csv", CRM);
    const { id } = await upload(scope, "CRM.csv", CRM);
    await startImport(scope, id, await crmSetup(scope, id));
    startRunner();
    await ended(scope, id);
    await expireImports();
    expect([...filesOf(draft.id), ...filesOf(id)]).toHaveLength(2);
    const expires = async (one: string) =>
      Date.parse((await getImport(scope, one)).expiresAt as string) - Date.now();
    expect(await expires(draft.id)).toBeLessThanOrEqual(86_400_000);
    expect(await expires(id)).toBeGreaterThan(6 * 86_400_000);
    await db.owner.query("UPDATE imports SET expires_at = now() - interval '1 second'");
    await expireImports();
    expect([...filesOf(draft.id), ...filesOf(id)]).toEqual([]);
    expect(await listImports(scope, null, 10)).toMatchObject([{ id, hasRejects: false }]);
    await db.owner.query("UPDATE imports SET updated_at = now() - interval '91 days'");
    await expireImports();
    expect(await listImports(scope, null, 10)).toEqual([]);
  });

  test("an upload that runs out is started before its files go, or not at all", async () => {
    const scope = await newScope(db);
    const [late, started] = [
      await upload(scope, "a.ndjson", lines(1)),
      await upload(scope, "b.ndjson", lines(1)),
    ];
    await db.owner.query("UPDATE imports SET expires_at = now() WHERE organization_id = $1", [
      scope.organizationId,
    ]);
    await expect(startImport(scope, late.id, NDJSON)).rejects.toMatchObject({ code: "conflict" });
    const client = await db.owner.connect();
    try {
      await client.query("BEGIN");
      await client.query("UPDATE imports SET state = 'queued', expires_at = NULL WHERE id = $1", [
        started.id,
      ]);
      const expiring = expireImports();
      await sleep(200);
      await client.query("COMMIT");
      await expiring;
    } finally {
      client.release();
    }
    expect([...filesOf(late.id), ...filesOf(started.id)]).toEqual([`${started.id}.upload`]);
  });

  test("goes when something is erased, which it may hold: uploads, rejected rows, and their words", async () => {
    const scope = await newScope(db);
    const { id } = await upload(scope, "CRM.csv", CRM);
    await startImport(scope, id, await crmSetup(scope, id));
    startRunner();
    await ended(scope, id);
    const draft = await upload(scope, "CRM.csv", CRM);
    await inTransaction(writePool(), (client) => discardUploads(client, scope));
    await expireImports();
    expect([...filesOf(draft.id), ...filesOf(id)]).toEqual([]);
    expect(await listImports(scope, null, 10)).toMatchObject([
      { id, hasRejects: false, outcome: { rejected: 1, examples: [] } },
    ]);
  });

  test("goes with its end when something was erased while it was under way", async () => {
    const scope = await newScope(db);
    const { id } = await upload(scope, "CRM.csv", CRM);
    await startImport(scope, id, await crmSetup(scope, id));
    await inTransaction(writePool(), (client) => discardUploads(client, scope));
    await expireImports();
    expect(filesOf(id)).toHaveLength(1);
    startRunner();
    expect(await ended(scope, id)).toMatchObject({
      state: "done",
      outcome: { stored: 2, rejected: 1, examples: [] },
    });
    await expireImports();
    expect(filesOf(id)).toEqual([]);
    expect((await getImport(scope, id)).hasRejects).toBe(false);
  });

  test("files that belong to no import are swept once they are old; those that are needed stay", async () => {
    const scope = await newScope(db);
    const { id } = await upload(scope, "CRM.csv", CRM);
    const stray = "import_00000000000000000000000000";
    const names = [`${stray}.upload`, `${stray}.upload.part`, `${stray}.2.rejects`, "README"];
    for (const name of names) writeFileSync(path.join(directory(), name), "x");
    await sweepImports();
    expect(filesOf(stray)).toHaveLength(3);
    for (const name of [...names, ...filesOf(id)]) {
      const old = Date.now() / 1_000 - 90_000;
      utimesSync(path.join(directory(), name), old, old);
    }
    await sweepImports();
    expect(filesOf(stray)).toEqual([]);
    expect(filesOf(id)).toHaveLength(1);
    expect(filesOf("README")).toHaveLength(1);
  });
});
