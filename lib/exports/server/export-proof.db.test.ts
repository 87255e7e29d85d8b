import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { verifyBundle } from "@/lib/chain/bundle";
import { publicKeyOf } from "@/lib/chain/ed25519";
import { noteKey, parseVkey } from "@/lib/chain/note";
import { inTransaction, writePool } from "@/lib/db/pool";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { appendEvents, createTestLog, newEvent, testEvents } from "@/lib/events/server/test-log";
import { vkeysOf } from "@/lib/integrity/server/signer";
import { pruneEvents } from "@/lib/retention/server/prune";
import { type ExportInput, parseExportInput } from "../schema";
import { type ExportVerdict, verifyExport } from "../verify-export";
import { deleteExpiredFiles, discardFiles, sweepFiles } from "./export-jobs";
import {
  cancelExport,
  getExport,
  openExport,
  requestExport,
  resumeExport,
  revokeLinks,
} from "./exports";
import { fileOf, partOf } from "./files";
import { contentOf, filesOf, made, startRunner, stopRunners } from "./test-exports";

const EVENTS = 700;
let db: TestDatabase;
let log: string;

const odd = newEvent({
  action: "odd.event",
  actor: { type: "user", id: "usr_odd", name: '=1+1 "x",\r\n\u{1F512}' },
  targets: [{ type: "doc", id: "d\\n1" }],
  metadata: { note: 'line\n"quoted" \\ \u0001 \u2028', empty: "" },
});

beforeAll(async () => {
  db = await testDatabase();
  log = await newLog();
});
afterEach(stopRunners);
afterAll(() => db.close());

async function newLog(count = EVENTS): Promise<string> {
  const made = await createTestLog(db);
  await appendEvents(made, [...testEvents(count - 1), odd]);
  return made;
}

const scope = (of = log) => systemScope("cli", of);

async function ask(input: Partial<ExportInput> = {}, of = log): Promise<string> {
  const request = { format: "csv", q: "", from: null, to: null, options: {}, ...input };
  return (await requestExport(scope(of), parseExportInput(request))).id;
}

/** Asked for, begun by a worker, and left with a piece that is safe. */
async function begun(of: string): Promise<string> {
  const id = await ask({}, of);
  const stop = startRunner({ pieceSize: 20 });
  while ((await getExport(scope(of), id)).events === 0) await sleep(1);
  await stop();
  return id;
}

async function make(input: Partial<ExportInput> = {}, of = log) {
  startRunner({ pieceSize: 100 });
  const id = await ask(input, of);
  expect(await made(id, of)).toMatchObject({ state: "ready", manifestError: null });
  return {
    id,
    file: Buffer.from(await contentOf(id, of)),
    manifest: await contentOf(id, of, true),
  };
}

async function check(file: Buffer, manifest: string, of = log): Promise<ExportVerdict> {
  const trusted = (await vkeysOf(scope(of))).map(parseVkey);
  // In chunks that end anywhere.
  const chunks = Array.from({ length: Math.ceil(file.length / 1_013) }, (_, at) =>
    file.subarray(at * 1_013, (at + 1) * 1_013),
  );
  return verifyExport(Readable.from(chunks), lines(manifest), trusted);
}

async function* lines(text: string) {
  yield* text.replace(/\n$/, "").split("\n");
}

describe("an export's manifest", () => {
  test.each<[string, Partial<ExportInput>, boolean]>([
    ["CSV of all", {}, true],
    ["raw CSV of all", { options: { raw: true } }, true],
    ["NDJSON of all", { format: "ndjson" }, true],
    ["filtered CSV", { q: "actor:usr_odd" }, false],
    ["filtered CSV with proof", { q: "-actor:usr_odd", options: { proof: true } }, true],
    [
      "filtered NDJSON with proof",
      { format: "ndjson", q: "action:odd*", options: { proof: true } },
      true,
    ],
    ["chosen columns", { options: { columns: ["time", "actor", "metadata.note"] } }, false],
    [
      "chosen columns with proof",
      { options: { columns: ["seq", "actor", "target.name", "metadata.note"], proof: true } },
      true,
    ],
    ["none", { q: "action:nothing.like.it", options: { proof: true } }, true],
  ])("holds for %s, and says whether nothing is missing", async (_name, input, isComplete) => {
    const { file, manifest } = await make(input);
    const verdict = await check(file, manifest);
    expect(verdict.findings).toEqual([]);
    expect(verdict).toMatchObject({ ok: true, is_complete: isComplete });
    expect(verdict.not_covered.some((words) => words.includes("counts alone"))).toBe(!isComplete);
    const { matching, passed_over, time_zone } = verdict.manifest ?? {};
    expect([time_zone, (matching ?? 0) + (passed_over ?? 0)]).toEqual(["UTC", EVENTS]);
    expect(verdict.rows).toBe(matching);
  });

  test("of columns that look like a place in the log is not taken for one", async () => {
    const own = await createTestLog(db);
    const hash = "ab".repeat(32);
    await appendEvents(own, [
      newEvent({ action: "file.put", metadata: { bytes: 100, sha256: hash } }),
    ]);
    const columns = ["time", "metadata.bytes", "metadata.sha256"];
    const { file, manifest } = await make({ options: { columns } }, own);
    expect(file.toString()).toContain(`,100,${hash}\n`);
    expect(await check(file, manifest, own)).toMatchObject({ ok: true, is_complete: false });
    const only = await make({ options: { columns: ["seq"], proof: true } }, own);
    expect(await check(only.file, only.manifest, own)).toMatchObject({
      ok: true,
      is_complete: true,
    });
  });

  test("of an empty log says that nothing was there", async () => {
    const own = await createTestLog(db);
    const { file, manifest } = await make({}, own);
    expect(await check(file, manifest, own)).toMatchObject({
      ok: true,
      rows: 0,
      is_complete: true,
      not_covered: [],
    });
  });

  test("whose lines of hashes were replaced does not hold, although the file is whole", async () => {
    const { file, manifest } = await make();
    const changed = manifest.replace(/^rows .*$/m, "rows AAAA");
    expect((await check(file, changed)).findings).toMatchObject([{ kind: "bad_manifest" }]);
  });

  test("of a bundle names its hash; the bundle proves itself", async () => {
    const { file, manifest } = await make({ format: "bundle" });
    expect(await check(file, manifest)).toMatchObject({ ok: true, is_complete: false });
    const trusted = (await vkeysOf(scope())).map(parseVkey);
    const verdict = await verifyBundle(file.toString().trimEnd().split("\n"), { trusted });
    expect(verdict).toMatchObject({ ok: true, checked: EVENTS });
  });

  test("is only believed from a key that is trusted, for its own log", async () => {
    const { file, manifest } = await make({ q: "action:odd*" });
    const stranger = noteKey(`log.test/${log}`, publicKeyOf(Buffer.alloc(32, 9)));
    const verdict = await verifyExport(Readable.from([file]), lines(manifest), [stranger]);
    expect(verdict.findings).toMatchObject([{ kind: "bad_manifest" }]);
    const changed = manifest.replace('"matching":1', '"matching":2');
    expect((await check(file, changed)).findings).toMatchObject([{ kind: "bad_manifest" }]);
    const other = await newLog(3);
    await make({}, other);
    expect((await check(file, manifest, other)).findings).toMatchObject([{ kind: "bad_manifest" }]);
  });

  const rowsOf = (file: Buffer) => file.toString().split(/(?<=\}\n)/);

  test.each<[string, (rows: string[]) => string[], object]>([
    [
      "a row removed",
      (rows) => rows.toSpliced(41, 1),
      { kind: "row_removed", row: 42, detail: expect.stringContaining("behind row 41") },
    ],
    ["the first row removed", (rows) => rows.slice(1), { kind: "row_removed", row: 1 }],
    ["the last row removed", (rows) => rows.slice(0, -1), { kind: "row_removed" }],
    [
      "a row added",
      (rows) => rows.toSpliced(41, 0, `{"id":"x"}\n`),
      { kind: "row_added", row: 42 },
    ],
    [
      "a row twice",
      (rows) => rows.toSpliced(41, 0, rows[41] as string),
      { kind: "row_added", row: expect.any(Number) },
    ],
    [
      "a row changed",
      (rows) => rows.with(41, (rows[41] as string).replace('"action":"', '"action":"x')),
      { kind: "row_changed", row: 42, seq: expect.any(Number) },
    ],
    [
      "two rows exchanged",
      (rows) => rows.with(41, rows[42] as string).with(42, rows[41] as string),
      { row: expect.any(Number) },
    ],
    [
      "the end cut off",
      (rows) => [...rows.slice(0, -1), (rows.at(-1) as string).slice(0, 20)],
      { kind: "row_removed" },
    ],
  ])("names %s", async (_name, change, finding) => {
    const { file, manifest } = await make({ format: "ndjson" });
    const verdict = await check(Buffer.from(change(rowsOf(file)).join("")), manifest);
    expect(verdict.ok).toBe(false);
    expect(verdict.findings[0]).toMatchObject(finding);
    expect(verdict.is_complete).toBe(false);
  });

  test("names a header that was changed, and a byte that belongs to no row", async () => {
    const { file, manifest } = await make({ q: "action:odd*" });
    const renamed = Buffer.from(file.toString().replace("organization_id", "org"));
    expect((await check(renamed, manifest)).findings).toMatchObject([{ kind: "header_changed" }]);
    const longer = Buffer.concat([file, Buffer.from("x")]);
    expect((await check(longer, manifest)).findings).toMatchObject([{ kind: "file_changed" }]);
  });

  test("with a leaf hash of what was left out changed, taken or added, does not hold", async () => {
    const { file, manifest } = await make({ q: "action:odd*", options: { proof: true } });
    const changed = manifest.replace(
      /^left (.)/m,
      (_, first) => `left ${first === "A" ? "B" : "A"}`,
    );
    expect((await check(file, changed)).findings[0]).toMatchObject({ kind: "bad_manifest" });
  });
});

describe("a log that misses an event", () => {
  // As the owner of the database can.
  async function damaged(seq: number, isSigned: boolean): Promise<string> {
    const own = await newLog(200);
    if (isSigned) await make({}, own);
    await appendEvents(own, testEvents(100, 5));
    await stopRunners();
    await db.owner.query("ALTER TABLE events DISABLE TRIGGER ALL");
    await db.owner.query("DELETE FROM events WHERE organization_id = $1 AND seq = $2", [own, seq]);
    await db.owner.query("ALTER TABLE events ENABLE TRIGGER ALL");
    return own;
  }

  test.each([
    ["before the newest checkpoint", 50],
    ["just behind the newest checkpoint", 200],
  ])("%s is exported to its end, and the gap is a finding", async (_name, seq) => {
    const own = await damaged(seq, true);
    for (const input of [{}, { q: "-action:odd*", options: { proof: true } }]) {
      const { file, manifest } = await make(input, own);
      const verdict = await check(file, manifest, own);
      expect(verdict).toMatchObject({ ok: false, is_complete: false });
      expect(verdict.findings).toMatchObject([{ kind: "events_missing" }]);
      expect(verdict.manifest?.sequence.end_seq).toBe(300);
    }
  });
});

test("a log whose beginning was pruned is exported from there on, and makes the signed root", async () => {
  const own = await newLog(300);
  await make({}, own);
  await stopRunners();
  const before = new Date(Date.now() + 1_000);
  const { size } = await pruneEvents(scope(own), before);
  await appendEvents(own, testEvents(40, 8));
  const { file, manifest } = await make({ q: "-action:odd*", options: { proof: true } }, own);
  const verdict = await check(file, manifest, own);
  expect(verdict).toMatchObject({ ok: true, is_complete: true });
  expect(verdict.manifest).toMatchObject({ sequence: { first_seq: size }, missing: 0 });
  expect(size).toBe(300);
});

describe("an export", () => {
  const undisturbed = async (of: string) => (await make({}, of)).file;

  test("goes on behind the last piece that is safe, and ends in the same file", async () => {
    const own = await newLog(1_500);
    const whole = await undisturbed(own);
    await stopRunners();
    const id = await begun(own);
    const before = await getExport(scope(own), id);
    expect(before).toMatchObject({ state: "queued", reached: expect.any(String), total: 1_500 });
    expect(before.events).toBeLessThan(1_500);
    // Events that come meanwhile are none of it.
    await appendEvents(own, testEvents(50, 9));
    startRunner({ pieceSize: 300 });
    await made(id, own);
    expect(Buffer.from(await contentOf(id, own)).equals(whole)).toBe(true);
    expect(await check(whole, await contentOf(id, own, true), own)).toMatchObject({
      ok: true,
      is_complete: true,
    });
  });

  test("whose kept beginning was changed or lost begins anew, and ends in the same file", async () => {
    const own = await newLog(1_500);
    const whole = await undisturbed(own);
    await stopRunners();
    const id = await begun(own);
    const { rows } = await db.owner.query(
      "SELECT (safe ->> 'attempt')::int AS attempt FROM exports WHERE id = $1",
      [id],
    );
    writeFileSync(partOf(fileOf({ id, format: "csv", attempt: rows[0].attempt })), "id,other\n");
    startRunner();
    expect(await made(id, own)).toMatchObject({ state: "ready" });
    expect(Buffer.from(await contentOf(id, own)).equals(whole)).toBe(true);
  });

  test("goes on where nothing was found so far, and behind a file that was whole already", async () => {
    const own = await newLog(1_500);
    const rare = { format: "ndjson", q: "metadata.nothing:like-it" } as const;
    const id = await ask(rare, own);
    const stop = startRunner({ pieceSize: 20 });
    while ((await getExport(scope(own), id)).reached === null) await sleep(1);
    await stop();
    const other = await ask({}, own);
    const whole = await undisturbed(own);
    await made(id, own);
    expect(await getExport(scope(own), id)).toMatchObject({ state: "ready", events: 0 });
    await made(other, own);
    await stopRunners();
    // Its worker died after the last rename.
    await db.owner.query(
      `UPDATE exports e SET state = 'running', lease_until = now(), sha256 = NULL,
         safe = jsonb_build_object('position', jsonb_build_object('occurredAtMs', 0, 'seq', 0),
           'bytes', bytes, 'events', events, 'sha256', encode(sha256, 'hex'), 'attempt', attempt)
       WHERE id = $1`,
      [other],
    );
    startRunner();
    expect(await made(other, own)).toMatchObject({ state: "ready", events: 1_500 });
    expect(Buffer.from(await contentOf(other, own)).equals(whole)).toBe(true);
  });

  test("stays with a worker that takes longer than its lease", async () => {
    startRunner({ leaseMs: 60, pieceSize: 5 });
    startRunner({ leaseMs: 60, pieceSize: 5 });
    const own = await newLog(1_500);
    const id = await ask({ options: { proof: true } }, own);
    expect(await made(id, own)).toMatchObject({ state: "ready", events: 1_500 });
  });

  test("that failed says why, keeps what is safe, and goes on when somebody says so", async () => {
    const own = await newLog(1_500);
    const id = await begun(own);
    await db.owner.query("UPDATE exports SET tries = 5 WHERE id = $1", [id]);
    startRunner();
    const failed = await made(id, own);
    expect(failed).toMatchObject({
      state: "failed",
      canResume: true,
      error: expect.stringContaining("5 times"),
    });
    await resumeExport(scope(own), id);
    expect(await made(id, own)).toMatchObject({ state: "ready", events: 1_500 });
    await expect(resumeExport(scope(own), id)).rejects.toMatchObject({ code: "conflict" });
  });

  test("that is cancelled leaves nothing, and stays cancelled", async () => {
    const own = await newLog(1_500);
    const id = await ask({}, own);
    startRunner({ pieceSize: 20 });
    while ((await getExport(scope(own), id)).events === 0) await sleep(1);
    await cancelExport(scope(own), id);
    await expect.poll(() => filesOf(id)).toEqual([]);
    expect(await getExport(scope(own), id)).toMatchObject({ state: "cancelled", canResume: false });
  });

  test("under way while events are erased begins anew; files that are ready go", async () => {
    const own = await newLog(1_500);
    const { id: ready } = await make({}, own);
    await stopRunners();
    const id = await begun(own);
    await inTransaction(writePool(), (client) => discardFiles(client, scope(own)));
    await deleteExpiredFiles();
    await sweepFiles();
    expect([...filesOf(id), ...filesOf(ready)]).toEqual([]);
    expect(await getExport(scope(own), id)).toMatchObject({ state: "queued", events: 0 });
    expect(await getExport(scope(own), ready)).toMatchObject({ state: "expired" });
    startRunner();
    expect(await made(id, own)).toMatchObject({ state: "ready", events: 1_500 });
  });

  test("opens for links that were signed after the others were revoked", async () => {
    const { id } = await make({ q: "action:odd*" });
    (await openExport(scope(), id, { linkEpoch: 0 })).file.destroy();
    const { linksEpoch } = await revokeLinks(scope(), id);
    await expect(openExport(scope(), id, { linkEpoch: 0 })).rejects.toMatchObject({
      code: "forbidden",
    });
    (await openExport(scope(), id, { linkEpoch: linksEpoch })).file.destroy();
  });

  test("as NDJSON has each event whole, whatever stands in it", async () => {
    const { file, id } = await make({ format: "ndjson", q: "actor:usr_odd" });
    const { actor, targets, metadata, seq, ...rest } = JSON.parse(file.toString());
    expect({ actor, targets, metadata }).toEqual({
      actor: odd.actor,
      targets: odd.targets,
      metadata: odd.metadata,
    });
    expect(rest).toMatchObject({
      action: "odd.event",
      organization_id: log,
      chain_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(seq).toBe(EVENTS - 1);
    const { sha256, bytes } = await getExport(scope(), id);
    expect([sha256, bytes]).toEqual([createHash("sha256").update(file).digest("hex"), file.length]);
  });

  test("as CSV has the columns that were chosen, in their order, names of keys whole", async () => {
    const columns = ["metadata.note", "ip", "actor", "target.type"];
    const { file } = await make({ q: "actor:usr_odd", options: { columns } });
    expect(file.toString().split("\n")[0]).toBe(
      "metadata.note,location,actor_name,actor_id,target.type",
    );
    expect(file.toString()).toContain(`"'=1+1 ""x"",`);
  });
});
