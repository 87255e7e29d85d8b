import { Readable } from "node:stream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { verifyBundle } from "@/lib/chain/bundle";
import { publicKeyOf } from "@/lib/chain/ed25519";
import { noteKey, parseVkey } from "@/lib/chain/note";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { appendEvents, createTestLog, newEvent, testEvents } from "@/lib/events/server/test-log";
import { vkeysOf } from "@/lib/integrity/server/signer";
import { pruneEvents } from "@/lib/retention/server/prune";
import type { ExportInput } from "../schema";
import { verifyExport } from "../verify-export";
import { EVENTS, exportSuite, lines, stopRunners } from "./test-exports";

let db: TestDatabase;
let log: string;
const { scope, newLog, make, check } = exportSuite(() => ({ db, log }));

beforeAll(async () => {
  db = await testDatabase();
  log = await newLog();
});
afterEach(stopRunners);
afterAll(() => db.close());

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
