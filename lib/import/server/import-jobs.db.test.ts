import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { inTransaction, writePool } from "@/lib/db/pool";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { getEnv } from "@/lib/env";
import { createTestLog } from "@/lib/events/server/test-log";
import { verifyLog } from "@/lib/integrity/server/verify";
import type { Import, ImportSetup } from "../schema";
import {
  discardUploads,
  expireImports,
  type RunnerOptions,
  runImports,
  sweepImports,
} from "./import-jobs";
import {
  cancelImport,
  deleteImport,
  getImport,
  listImports,
  openRejects,
  previewUpload,
  receiveUpload,
  recogniseAgain,
  startImport,
} from "./imports";
import { saveMapping } from "./mappings";

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const running = new Set<() => Promise<void>>();
function startRunner(options: RunnerOptions = {}): () => Promise<void> {
  const controller = new AbortController();
  const ended = runImports(controller.signal, { pollMs: 5, noteMs: 5, retryMs: 1, ...options });
  const stop = () => {
    controller.abort();
    running.delete(stop);
    return ended;
  };
  running.add(stop);
  return stop;
}
const stopRunners = () => Promise.all([...running].map((stop) => stop()));
afterEach(stopRunners);

const newScope = async () => systemScope("cli", await createTestLog(db));
const directory = () => path.join(getEnv().TRAILSEAL_DATA_DIR, "imports");
const filesOf = (id: string) =>
  existsSync(directory()) ? readdirSync(directory()).filter((name) => name.startsWith(id)) : [];

const upload = (scope: Scope, name: string, content: string | Buffer) =>
  receiveUpload(scope, name, Readable.from([Buffer.from(content)]), Buffer.byteLength(content));

async function until(scope: Scope, id: string, isSo: (one: Import) => boolean): Promise<Import> {
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 5) {
    const one = await getImport(scope, id);
    if (isSo(one)) return one;
    await sleep(5);
  }
  throw new Error("waited too long");
}
/** The import as soon as it is over, and its worker has cleared up behind it. */
async function ended(scope: Scope, id: string): Promise<Import> {
  const one = await until(scope, id, ({ state }) => state !== "queued" && state !== "running");
  await stopRunners();
  return one;
}

interface Sealed {
  action: string;
  seq: number;
  targets: { id: string; name: string }[];
  metadata: Record<string, string>;
}
async function sealed({ organizationId }: Scope): Promise<Sealed[]> {
  const { rows } = await db.owner.query(
    `SELECT action, seq, targets, metadata FROM events WHERE organization_id = $1
       AND action LIKE 'trailseal.import\\_%ed' ORDER BY seq`,
    [organizationId],
  );
  return rows;
}
const count = async ({ organizationId }: Scope) =>
  (
    await db.owner.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM events WHERE organization_id = $1 AND action NOT LIKE 'trailseal.%'",
      [organizationId],
    )
  ).rows[0]?.n;

const NDJSON: ImportSetup = { mapping: null, guard: null };
const line = (id: string | number) =>
  JSON.stringify({
    id: `source-${id}`,
    action: "a",
    occurred_at: "2026-01-02T03:04:05Z",
    actor: { type: "user", id: "u1" },
    targets: [],
  });
const lines = (rows: number) => Array.from({ length: rows }, (_, at) => line(at)).join("\n");

const CRM =
  "id,what,when,who,doc\n1,login,2026-01-02 03:04,mei,\n2,,2026-01-02 03:05,tom,d1\n1,logout,2026-01-02 03:06,mei,d2\n3,login,2026-01-02 03:07,ann,d3\n";

async function crmSetup(scope: Scope, id: string): Promise<ImportSetup> {
  const { proposal } = (await getImport(scope, id)).source;
  if (!proposal) throw new Error("nothing is proposed");
  const { mapping } = proposal;
  return {
    guard: null,
    mapping: {
      ...mapping,
      row_id: ["id"],
      action: { column: "what" },
      occurred_at: { column: "when", format: "iso", zone: "UTC" },
      actor: { type: { constant: "user" }, id: { column: "who" } },
      targets: [{ type: { constant: "doc" }, id: { column: "doc" } }],
    },
  };
}

describe("an upload", () => {
  test("is kept as it came, with its SHA-256, and taken for what it is", async () => {
    const scope = await newScope();
    const one = await upload(scope, "CRM export.csv", CRM);
    expect(one).toMatchObject({
      state: "uploaded",
      bytes: CRM.length,
      sha256: createHash("sha256").update(CRM).digest("hex"),
      source: { format: "csv", delimiter: "comma", isOwn: false, problem: null },
    });
    expect(one.source.columns[1]).toEqual({ name: "what", samples: ["login", "logout"] });
    expect(one.source.proposal?.mapping).toMatchObject({ source: "CRM export", row_id: ["id"] });
    const [name] = filesOf(one.id);
    expect(readFileSync(path.join(directory(), name as string), "utf8")).toBe(CRM);
    const packed = await upload(scope, "events.bin", gzipSync(line(1)));
    expect(packed.source.format).toBe("ndjson");
    const trail = await upload(scope, "trail.json", '{"Records": []}');
    expect(trail.source.format).toBe("cloudtrail");
  });

  test("that breaks off, or is larger than the operator allows, leaves nothing behind", async () => {
    const scope = await newScope();
    const before = existsSync(directory()) ? readdirSync(directory()) : [];
    await expect(
      receiveUpload(scope, "a.csv", Readable.from([Buffer.from("abc")]), 10),
    ).rejects.toThrow("ended before the file did");
    const broken = new Readable({
      read() {
        this.push("abc");
        this.destroy(new Error("gone"));
      },
    });
    await expect(receiveUpload(scope, "a.csv", broken, null)).rejects.toThrow("gone");
    const env = getEnv();
    const most = env.TRAILSEAL_IMPORT_MAX_BYTES;
    env.TRAILSEAL_IMPORT_MAX_BYTES = 5;
    try {
      for (const declared of [10, null])
        await expect(
          receiveUpload(scope, "a.csv", Readable.from([Buffer.from("0123456789")]), declared),
        ).rejects.toMatchObject({ code: "too_large" });
    } finally {
      env.TRAILSEAL_IMPORT_MAX_BYTES = most;
    }
    expect(readdirSync(directory())).toEqual(before);
    expect(await listImports(scope, null, 10)).toEqual([]);
  });

  test("is corrected by whoever knows better, and a file that is no such thing says why", async () => {
    const scope = await newScope();
    const { id } = await upload(scope, "a.csv", "a;b,c\n1;2,3\n");
    const comma = await recogniseAgain(scope, id, { format: "csv", delimiter: "comma" });
    expect(comma.source.columns.map(({ name }) => name)).toEqual(["a;b", "c"]);
    const wide = await upload(scope, "wide.csv", Buffer.from("\uFEFFa,b\n1,2\n", "utf16le"));
    expect(wide.source.problem).toBe(
      "wide.csv cannot be imported: it is UTF-16: save it as UTF-8 (“CSV UTF-8” in a spreadsheet) first.",
    );
    await expect(startImport(scope, wide.id, NDJSON)).rejects.toThrow("UTF-16");
  });

  test("of our own CSV with apostrophes starts when somebody has said what becomes of them", async () => {
    const scope = await newScope();
    const header =
      "id,organization_id,action,version,occurred_at,recorded_at,actor_type,actor_id,actor_name,actor_metadata,targets,location,user_agent,context,metadata,seq,chain_hash";
    const row = `audit_event_1,org_x,a,1,2026-01-02T03:04:05.000Z,2026-01-02T03:04:05.000Z,user,u1,'=1+1,,[],,,,,0,00`;
    const { id, source } = await upload(scope, "own.csv", `${header}\n${row}\n`);
    expect(source).toMatchObject({ isOwn: true, guardLine: 2, proposal: null });
    await expect(startImport(scope, id, NDJSON)).rejects.toThrow("taken off or kept");
    const nameAfter = async (guard: "strip" | "keep") =>
      (await previewUpload(scope, id, { mapping: null, guard })).rows[0]?.event?.actor.name;
    expect(await nameAfter("keep")).toBe("'=1+1");
    expect(await nameAfter("strip")).toBe("=1+1");
  });
});

describe("a started import", () => {
  test("stores what can be, tells repeats from what was there, and both events say what it was", async () => {
    const scope = await newScope();
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
    const [saved, started, finished] = await sealed(scope);
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
    expect(await count(scope)).toBe(2);
    expect(await verifyLog(scope)).toMatchObject({ ok: true });
    await expect(startImport(scope, again.id, setup)).rejects.toMatchObject({ code: "conflict" });
  });

  test("whose worker died is taken up when its lease has ended, counts as if nothing had been, and ends once", async () => {
    const scope = await newScope();
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
    expect(await count(scope)).toBe(1_500);
    expect((await sealed(scope)).map(({ action }) => action)).toEqual([
      "trailseal.import_started",
      "trailseal.import_finished",
    ]);
  });

  test("that another worker took over is left alone by the first", async () => {
    const scope = await newScope();
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
    expect((await sealed(scope)).length).toBe(1);
  });

  test("is cancelled between two records, and the log says how many were stored", async () => {
    const scope = await newScope();
    const { id } = await upload(scope, "events.ndjson", lines(20_000));
    await startImport(scope, id, NDJSON);
    startRunner();
    await until(scope, id, ({ outcome }) => outcome.stored > 0);
    expect(await cancelImport(scope, id)).toMatchObject({ state: "running", isCancelling: true });
    const one = await ended(scope, id);
    expect(one.state).toBe("cancelled");
    expect(one.outcome.stored).toBeLessThan(20_000);
    expect(one.outcome.stored).toBe(await count(scope));
    expect((await sealed(scope)).at(-1)?.metadata).toMatchObject({
      outcome: "cancelled",
      stored: String(one.outcome.stored),
    });
    expect(filesOf(id)).toEqual([]);
    await expect(cancelImport(scope, id)).rejects.toThrow("cancelled by now");
  });

  test("is cancelled at once while it waits", async () => {
    const scope = await newScope();
    const { id } = await upload(scope, "events.ndjson", lines(5));
    await startImport(scope, id, NDJSON);
    expect((await cancelImport(scope, id)).state).toBe("cancelled");
    expect((await sealed(scope)).map(({ action }) => action)).toEqual([
      "trailseal.import_started",
      "trailseal.import_finished",
    ]);
    expect(filesOf(id)).toEqual([]);
  });

  test("of a damaged archive fails with its cause; what came before it stays", async () => {
    const scope = await newScope();
    const packed = gzipSync(lines(4_000));
    const { id } = await upload(scope, "cut.ndjson.gz", packed.subarray(0, packed.length - 200));
    await startImport(scope, id, NDJSON);
    startRunner();
    const one = await ended(scope, id);
    expect(one).toMatchObject({ state: "failed" });
    expect(one.error).toBe("cut.ndjson.gz cannot be read: unexpected end of file");
    expect((await sealed(scope)).at(-1)?.metadata).toMatchObject({
      outcome: "failed",
      cause: one.error,
      stored: String(await count(scope)),
    });
    expect(filesOf(id)).toEqual([]);
  });

  test("whose event cannot be sealed does not start", async () => {
    const scope = await newScope();
    const { id } = await upload(scope, "events.ndjson", lines(1));
    await db.owner.query("UPDATE organizations SET deleted_at = now() WHERE id = $1", [
      scope.organizationId,
    ]);
    await expect(startImport(scope, id, NDJSON)).rejects.toThrow("Organization not found");
    expect((await getImport(scope, id)).state).toBe("uploaded");
  });
});

test("another organization sees and reaches nothing of it", async () => {
  const [scope, elsewhere] = [await newScope(), await newScope()];
  const { id } = await upload(scope, "CRM.csv", CRM);
  const setup = await crmSetup(scope, id);
  for (const touch of [
    () => getImport(elsewhere, id),
    () => recogniseAgain(elsewhere, id, { format: "csv", delimiter: null }),
    () => previewUpload(elsewhere, id, setup),
    () => startImport(elsewhere, id, setup),
    () => cancelImport(elsewhere, id),
    () => deleteImport(elsewhere, id),
    () => openRejects(elsewhere, id),
  ])
    await expect(touch()).rejects.toMatchObject({ code: "not_found" });
  expect(await listImports(elsewhere, null, 10)).toEqual([]);
  expect(filesOf(id)).toHaveLength(1);
});

test("imports are listed newest first, page by page", async () => {
  const scope = await newScope();
  const ids: string[] = [];
  for (const name of ["a", "b", "c"]) ids.unshift((await upload(scope, name, line(name))).id);
  const page = async (before: string | null) =>
    (await listImports(scope, before, 2)).map(({ id }) => id);
  expect(await page(null)).toEqual(ids.slice(0, 2));
  expect(await page(ids[1] as string)).toEqual(ids.slice(2));
});

test("a mapped key of metadata that a kept column has as its name is refused, not overwritten", async () => {
  const scope = await newScope();
  const { id } = await upload(scope, "CRM.csv", CRM);
  const { mapping, guard } = await crmSetup(scope, id);
  const clash = {
    guard,
    mapping: { ...mapping, targets: [], metadata: { doc: { constant: "x" } } },
  } as ImportSetup;
  for (const refuse of [previewUpload, startImport])
    await expect(refuse(scope, id, clash)).rejects.toThrow(
      "metadata.doc is mapped, and the column “doc” of CRM.csv",
    );
});

describe("what is left of imports", () => {
  test("goes with the import that is deleted, which may not be under way", async () => {
    const scope = await newScope();
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
    const scope = await newScope();
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
    await db.owner.query("UPDATE imports SET expires_at = now()");
    await expireImports();
    expect([...filesOf(draft.id), ...filesOf(id)]).toEqual([]);
    expect(await listImports(scope, null, 10)).toMatchObject([{ id, hasRejects: false }]);
    await db.owner.query("UPDATE imports SET updated_at = now() - interval '91 days'");
    await expireImports();
    expect(await listImports(scope, null, 10)).toEqual([]);
  });

  test("goes when something is erased, which it may hold: uploads, rejected rows, and their words", async () => {
    const scope = await newScope();
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

  test("files that belong to no import are swept once they are old; those that are needed stay", async () => {
    const scope = await newScope();
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
