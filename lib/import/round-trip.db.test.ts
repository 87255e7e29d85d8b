import { createWriteStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { EMPTY_FILTER } from "@/lib/events/filter/ast";
import { NASTY, testSeed } from "@/lib/events/filter/test-arbitraries";
import { parseImportedEvent } from "@/lib/events/schema";
import { streamCsv } from "@/lib/events/server/csv";
import { importEvents } from "@/lib/events/server/ingest";
import { createTestLog } from "@/lib/events/server/test-log";
import { previewImport, runImport } from "./run-import";

const seed = testSeed();
let db: TestDatabase;
let directory: string;

beforeAll(async () => {
  db = await testDatabase();
  directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-round-trip-"));
});

afterAll(async () => {
  rmSync(directory, { recursive: true, force: true });
  await db.close();
});

const hard = [
  "=1+1",
  "+1",
  "-1",
  "@x",
  "\tx",
  "\rx",
  "'=1",
  "'",
  'a"b',
  "a\nb",
  "a\r\nb",
  "a,b;c\td",
  "",
  " ",
  "👩‍🚀",
  "\ufeff",
  "null",
  "\\.",
  "\\N",
];
const text = fc.oneof(
  fc.constantFrom(...hard, ...NASTY.filter((word) => !word.includes("\0"))),
  fc.string({ unit: "grapheme", maxLength: 20 }).filter((word) => !word.includes("\0")),
);
const filled = text.filter((word) => word !== "");
const scalar = fc.oneof(
  text,
  fc.integer(),
  fc.double({ noNaN: true, min: -1e9, max: 1e9 }),
  fc.boolean(),
  fc.constant(null),
);
const object = fc.dictionary(
  text.filter((word) => word !== "__proto__"),
  fc.oneof(
    scalar,
    fc.array(scalar, { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b"), scalar),
  ),
  { maxKeys: 4 },
);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const unit = fc.record({ type: filled, id: filled, name: maybe(text), metadata: maybe(object) });
const event = fc.record({
  action: filled.filter((word) => !word.startsWith("trailseal.")),
  version: fc.integer({ min: 1, max: 2_147_483_647 }),
  occurred_at: fc
    .date({ min: new Date("0001-01-02"), max: new Date("9999-12-30"), noInvalidDate: true })
    .map((date) => date.toISOString()),
  actor: unit,
  targets: fc.array(unit, { maxLength: 3 }),
  context: maybe(
    fc.record({ location: maybe(text), user_agent: maybe(text), extra: maybe(scalar) }),
  ),
  metadata: maybe(object),
});

async function store(organizationId: string, events: unknown[]): Promise<void> {
  const items = events.map((one) => {
    const parsed = parseImportedEvent(JSON.parse(JSON.stringify(one)));
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    return { event: parsed.value, format: "test", sourceId: null };
  });
  await importEvents(systemScope("cli", organizationId), items);
}

async function exportTo(name: string, organizationId: string, raw: boolean): Promise<string> {
  const file = path.join(directory, name);
  const csv = await streamCsv(systemScope("cli", organizationId), { filter: EMPTY_FILTER, raw });
  await pipeline(csv, createWriteStream(file));
  return file;
}

const CONTENT = `SELECT action, version, occurred_at::text AS at, actor, targets, context, metadata
  FROM events WHERE organization_id = $1 ORDER BY occurred_at, action, actor::text, targets::text, metadata::text, context::text, version`;
const contentOf = async (organizationId: string) =>
  (await db.owner.query(CONTENT, [organizationId])).rows;

const rejectsFile = () => path.join(directory, "rejects");
const csv = (file: string) => ({
  format: "csv" as const,
  files: [file],
  rejectsFile: rejectsFile(),
});
const nothing = { stored: 0, rejected: 0 };

describe("what was exported with raw=1", () => {
  test("is in another organization field by field what it was, a second time already there, and in its own already there", async () => {
    const from = await createTestLog(db);
    const to = await createTestLog(db);
    const events = fc.sample(event, { seed, numRuns: 1_500 });
    await store(from, [...events, { ...events[0], actor: { type: "u", id: "=raw" } }]);
    const file = await exportTo("raw.csv", from, true);
    const expected = await contentOf(from);

    const summary = await runImport(systemScope("cli", to), csv(file));
    expect(summary).toMatchObject({ stored: expected.length, already_there: 0, rejected: 0 });
    expect(summary.ignored).toEqual(["organization_id", "seq", "recorded_at", "chain_hash"]);
    expect(await contentOf(to)).toEqual(expected);

    for (const again of [to, from])
      expect(await runImport(systemScope("cli", again), csv(file))).toMatchObject({
        ...nothing,
        already_there: expected.length,
      });
  });

  test("is the same record as NDJSON, whose own members of a log are passed over and said", async () => {
    const from = await createTestLog(db);
    const to = systemScope("cli", await createTestLog(db));
    await store(from, [fc.sample(event, { seed, numRuns: 1 })[0]]);
    await runImport(to, { ...csv(await exportTo("one.csv", from, true)), guard: "keep" });
    const { rows } = await db.owner.query(
      "SELECT id, action, version, occurred_at, actor, targets, context, metadata FROM events WHERE organization_id = $1",
      [from],
    );
    const line = { ...rows[0], organization_id: from };
    const beside = { seq: 0, recorded_at: "2026-01-01T00:00:00Z", chain_hash: "00" };
    const file = path.join(directory, "own.ndjson");
    const lines = [
      { ...beside, event: line },
      { ...line, ...beside },
    ];
    writeFileSync(file, lines.map((one) => JSON.stringify(one)).join("\n"));
    expect(
      await runImport(to, { format: "ndjson", files: [file], rejectsFile: rejectsFile() }),
    ).toEqual({
      read: 2,
      stored: 0,
      already_there: 1,
      // Both lines are one record.
      repeats: 1,
      rejected: 0,
      ignored: ["seq", "recorded_at", "chain_hash", "organization_id"],
    });
  });
});

describe("what was exported for spreadsheets", () => {
  test("is refused before anything is stored, and taken once the guard is taken off or kept knowingly", async () => {
    const from = await createTestLog(db);
    const plain = { action: "a", occurred_at: "2026-01-01T00:00:00Z", targets: [] };
    const guarded = { type: "user", id: "=1+1", name: "'plain" };
    await store(from, [
      { ...plain, actor: { type: "user", id: "u" } },
      { ...plain, actor: guarded },
    ]);
    const file = await exportTo("guarded.csv", from, false);
    const to = await createTestLog(db);
    await expect(runImport(systemScope("cli", to), csv(file))).rejects.toThrow(
      /line \d.*raw=1.*--accept-guarded/,
    );
    expect(await contentOf(to)).toEqual([]);
    await runImport(systemScope("cli", to), { ...csv(file), guard: "strip" });
    expect(await contentOf(to)).toEqual(await contentOf(from));
    const kept = await createTestLog(db);
    await runImport(systemScope("cli", kept), { ...csv(file), guard: "keep" });
    expect((await contentOf(kept)).map(({ actor }) => actor.id).sort()).toEqual(["'=1+1", "u"]);
  });
});

describe("another system's CSV", () => {
  const mapping = {
    mapping_version: 1 as const,
    source: "crm",
    row_id: ["id"],
    action: { column: "what" },
    occurred_at: { column: "when", format: "iso", zone: "Europe/Oslo" },
    actor: { type: { constant: "user" }, id: { column: "who" } },
    targets: [],
    metadata: {},
    other_columns: "metadata" as const,
  };
  const write = (name: string, content: string) => {
    const file = path.join(directory, name);
    writeFileSync(file, content);
    return file;
  };

  test("good rows are stored once, bad ones come out with line, column and reason; a preview says the same and stores nothing", async () => {
    const scope = systemScope("cli", await createTestLog(db));
    const file = write(
      "crm.csv",
      "id;what;when;who;plan\n1;login;2026-01-02 03:04;mei;pro\n2;;2026-01-02 03:04;mei;\n3;login;soon;mei;\n4;login\n;login;2026-01-02 03:04;mei;\n5;logout;2026-01-02T03:04:05Z;tom;\n",
    );
    const { rows: preview } = await previewImport(scope, file, { format: "csv", mapping });
    expect(
      preview.map(({ number, reasons }) => [number, ...reasons.map(({ column }) => column)]),
    ).toEqual([[2], [3, "what"], [4, "when"], [5, null], [6, "id"], [7]]);
    expect(preview[0]?.event).toMatchObject({
      occurredAt: "2026-01-02T02:04:00.000Z",
      metadata: { plan: "pro" },
    });
    expect(await contentOf(scope.organizationId)).toEqual([]);

    const options = { ...csv(file), mapping };
    expect(await runImport(scope, options)).toEqual({
      read: 6,
      stored: 2,
      already_there: 0,
      repeats: 0,
      rejected: 4,
    });
    const rejects = readFileSync(rejectsFile(), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(rejects.map(({ number, reasons }) => `${number} ${reasons}`)).toEqual([
      expect.stringMatching(/^3 column what: action is required: fill the cell/),
      expect.stringMatching(/^4 column when: “soon” is not an ISO 8601 time/),
      expect.stringMatching(/^5 2 cells where the first row names 5/),
      expect.stringMatching(/^6 column id: is empty/),
    ]);
    expect(rejects[0].record).toMatchObject({ id: "2", what: null });
    expect(await runImport(scope, options)).toMatchObject({
      stored: 0,
      already_there: 2,
      repeats: 0,
      rejected: 4,
    });
  });

  test("is refused before anything is stored without a mapping, and with one of other columns", async () => {
    const scope = systemScope("cli", await createTestLog(db));
    const file = write("other.csv", "a,b\n1,2\n");
    const good = write("good.csv", "id,what,when,who\n1,a,2026-01-02T03:04:05Z,u\n");
    await expect(runImport(scope, { ...csv(good), files: [good, file], mapping })).rejects.toThrow(
      "other.csv has no column",
    );
    expect(await contentOf(scope.organizationId)).toEqual([]);
    await expect(runImport(scope, csv(file))).rejects.toThrow(
      "name a mapping for its columns (a, b)",
    );
    await expect(runImport(scope, { ...csv(file), mapping })).rejects.toThrow(
      "no column “id”, “what”, “when”, “who”",
    );
  });

  test("a row that cannot be read ends its file with the rows before it stored and the next file read", async () => {
    const scope = systemScope("cli", await createTestLog(db));
    const row = (id: number) => `${id},login,2026-01-02T03:04:05Z,mei\n`;
    const header = "id,what,when,who\n";
    const cut = write("cut.csv", `${header}${row(1)}"2,login\n${row(3)}`);
    const whole = write("whole.csv", `${header}${row(4)}`);
    const options = { ...csv(cut), files: [cut, whole], mapping };
    expect(await runImport(scope, options)).toEqual({
      read: 3,
      stored: 2,
      already_there: 0,
      repeats: 0,
      rejected: 1,
    });
    write("cut.csv", `${header}${row(1)}${row(2)}${row(3)}`);
    expect(await runImport(scope, options)).toMatchObject({
      stored: 2,
      already_there: 2,
      repeats: 0,
      rejected: 0,
    });
  });
});
