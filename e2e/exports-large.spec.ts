import { execFileSync } from "node:child_process";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import pg from "pg";
import { expect, test } from "./fixtures";
import { TestServer } from "./server";

const isLong = Boolean(process.env.TRAILSEAL_LONG);
const EVENTS = isLong ? 1_000_000 : 5_000;
const COMPARED = 1_000;
const WAIT_MS = isLong ? 600_000 : 60_000;

/** What breaks readers that count lines, split at commas, or take cells for formulas. */
const ODD = [
  { name: '=HYPERLINK("http://x","y")', note: 'a "quoted", cell' },
  { name: "+1-2", note: "first\nsecond\r\nthird" },
  { name: "@sum \u{1F512}\u{1F9D1}\u200D\u{1F680}", note: "\u2028 \u0001 \\ \\n" },
  { name: "-", note: "" },
  { name: "ünïcödé ٣ ٤", note: "'=already'" },
];

/** An independent reader: Python's own csv and json. Prints the rows that it is asked for as JSON, and how many there are. */
const READER = `
import csv, json, sys
kind, file, wanted = sys.argv[1], sys.argv[2], set(json.loads(open(sys.argv[3]).read()))
csv.field_size_limit(10**9)
count, found = 0, []
with open(file, newline="" if kind == "csv" else None, encoding="utf-8") as source:
    rows = csv.DictReader(source) if kind == "csv" else (json.loads(line) for line in source)
    for row in rows:
        count += 1
        if int(row["seq"]) in wanted: found.append(row)
print(json.dumps({"count": count, "found": found}))
`;

interface Stored {
  seq: number;
  id: string;
  action: string;
  version: number;
  occurred_at: Date;
  recorded_at: Date;
  actor: { type: string; id: string; name?: string; metadata?: object };
  targets: object[];
  context: { location?: string; user_agent?: string } | null;
  metadata: object | null;
  chain_hash: string;
}

const iso = (time: Date) => time.toISOString();
const parsed = (cell: unknown) => (cell === "" ? undefined : JSON.parse(cell as string));

test.describe(`an export of ${EVENTS.toLocaleString("en-US")} events`, () => {
  test.setTimeout(isLong ? 3_600_000 : 180_000);
  test.skip(() => {
    try {
      execFileSync("python3", ["--version"]);
      return false;
    } catch {
      return true;
    }
  }, "there is no python3 to read the files with");

  const directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-exports-"));
  const server = new TestServer();
  let organizationId: string;
  let database: pg.Client;

  test.beforeAll(async () => {
    test.setTimeout(WAIT_MS);
    await server.start();
    organizationId = (await server.cliJson<{ id: string }>("orgs", "create", "--name", "Large")).id;
    await server.cliJson("seed", "--org", organizationId, "--events", String(EVENTS - ODD.length));
    const file = path.join(directory, "odd.ndjson");
    const lines = ODD.map(({ name, note }, at) =>
      JSON.stringify({
        action: "odd.event",
        occurred_at: `2026-01-0${at + 1}T00:00:00Z`,
        actor: { type: "user", id: `odd_${at}`, name },
        targets: [{ type: "doc", id: "d", name }],
        context: { location: "203.0.113.9", user_agent: name },
        metadata: { note },
      }),
    );
    writeFileSync(file, `${lines.join("\n")}\n`);
    await server.cliJson("import", "--org", organizationId, "--format", "ndjson", file);
    database = new pg.Client({ connectionString: server.ownerUrl() });
    await connect();
  });

  async function connect() {
    database = new pg.Client({ connectionString: server.ownerUrl() });
    // The kill takes the database along.
    database.on("error", () => undefined);
    await database.connect();
  }

  test.afterAll(async () => {
    await database.end().catch(() => undefined);
    await server.remove();
    rmSync(directory, { recursive: true, force: true });
  });

  const create = async (...options: string[]) =>
    (await server.cliJson<{ id: string }>("exports", "create", "--org", organizationId, ...options))
      .id;

  async function ready(id: string): Promise<{ sha256: string; events: number }> {
    await expect
      .poll(
        async () =>
          (await database.query("SELECT state, error FROM exports WHERE id = $1", [id])).rows[0],
        { timeout: WAIT_MS, intervals: [500] },
      )
      .toEqual({ state: "ready", error: null });
    return server.cliJson("exports", "get", id, "--org", organizationId);
  }

  /** The log as the export found it: requests for exports are events of it, too. */
  const sizeAt = async (id: string) =>
    Number(
      (await database.query("SELECT end_seq FROM exports WHERE id = $1", [id])).rows[0].end_seq,
    );

  const rowsOf = new Map<string, number>();

  async function download(id: string, name: string): Promise<string> {
    const file = path.join(directory, name);
    const { code, stderr } = await server.cli(
      ...["exports", "download", id, "--org", organizationId, "--output", file],
    );
    expect([code, stderr]).toEqual([0, ""]);
    return file;
  }

  function read(kind: "csv" | "ndjson", file: string, seqs: number[]) {
    const wanted = path.join(directory, "wanted.json");
    writeFileSync(wanted, JSON.stringify(seqs));
    const output = execFileSync("python3", ["-c", READER, kind, file, wanted], {
      maxBuffer: 64_000_000,
    });
    return JSON.parse(output.toString()) as { count: number; found: Record<string, unknown>[] };
  }

  async function storedEvents(): Promise<Map<number, Stored>> {
    const { rows } = await database.query<Stored>(
      `SELECT seq::int, id, action, version, occurred_at, recorded_at, actor, targets, context, metadata,
         encode(chain_hash, 'hex') AS chain_hash
       FROM events WHERE organization_id = $1 AND (action = 'odd.event' OR seq IN (
         SELECT floor(random() * $2)::int FROM generate_series(1, $3)))`,
      [organizationId, EVENTS, COMPARED],
    );
    return new Map(rows.map((row) => [row.seq, row]));
  }

  test("is read back by an independent reader, field by field", async () => {
    const [csv, ndjson] = await Promise.all([
      create("--format", "csv", "--raw"),
      create("--format", "ndjson"),
    ]);
    const stored = await storedEvents();
    expect(stored.size).toBeGreaterThan(EVENTS > COMPARED ? COMPARED / 2 : 1);
    for (const [kind, id] of [
      ["csv", csv],
      ["ndjson", ndjson],
    ] as const) {
      const { events } = await ready(id);
      expect(events).toBe(await sizeAt(id));
      const { count, found } = read(kind, await download(id, `all.${kind}`), [...stored.keys()]);
      expect(count).toBe(events);
      rowsOf.set(kind, count);
      expect(found).toHaveLength(stored.size);
      for (const row of found) {
        const event = stored.get(Number(row.seq)) as Stored;
        const { actor, targets, context, metadata } = event;
        const whole = {
          id: event.id,
          organization_id: organizationId,
          action: event.action,
          occurred_at: iso(event.occurred_at),
          recorded_at: iso(event.recorded_at),
          chain_hash: event.chain_hash,
        };
        if (kind === "ndjson")
          expect(row).toEqual({
            ...whole,
            ...{ version: event.version, seq: event.seq, actor, targets },
            ...(context ? { context } : {}),
            ...(metadata ? { metadata } : {}),
          });
        else {
          expect(row).toMatchObject({
            ...whole,
            version: String(event.version),
            actor_type: actor.type,
            actor_id: actor.id,
            actor_name: actor.name ?? "",
            location: context?.location ?? "",
            user_agent: context?.user_agent ?? "",
          });
          expect(parsed(row.actor_metadata)).toEqual(actor.metadata);
          expect(parsed(row.targets)).toEqual(targets);
          expect(parsed(row.context) ?? null).toEqual(context);
          expect(parsed(row.metadata) ?? null).toEqual(metadata);
        }
      }
    }
  });

  test("verifies with the log's key alone; a row that is changed is named", async () => {
    const { stdout } = await server.cli("vkey", "--org", organizationId);
    const vkey = stdout.trim();
    for (const kind of ["csv", "ndjson"]) {
      const file = path.join(directory, `all.${kind}`);
      const verdict = await server.cliJson("verify", "--export", file, "--vkey", vkey);
      expect(verdict).toMatchObject({ ok: true, is_complete: true, rows: rowsOf.get(kind) });
    }
    const changed = path.join(directory, "changed.ndjson");
    execFileSync("python3", [
      "-c",
      `import sys
with open(sys.argv[1], encoding="utf-8") as source, open(sys.argv[2], "w", encoding="utf-8") as out:
    for at, line in enumerate(source): out.write(line.replace('"version":1', '"version":2') if at == 1000 else line)`,
      path.join(directory, "all.ndjson"),
      changed,
    ]);
    const { code, stdout: words } = await server.cli(
      ...["verify", "--export", changed, "--vkey", vkey],
      ...["--manifest", path.join(directory, "all.ndjson.manifest")],
    );
    expect(code).toBe(1);
    expect(words).toMatch(/row_changed: Row 1001 \(#\d+\) was changed\./);
  });

  test("whose server is killed in the middle goes on, and is the same file", async () => {
    // Without the requests themselves, which are events of today.
    const options = [
      "--format",
      "csv",
      "--to",
      `${new Date().toISOString().slice(0, 10)}T00:00:00Z`,
    ];
    const whole = await ready(await create(...options));
    const id = await create(...options);
    const begun = async () =>
      (await database.query("SELECT safe IS NOT NULL AS begun FROM exports WHERE id = $1", [id]))
        .rows[0].begun;
    // A small one may be made before anybody sees it begun.
    if (isLong) await expect.poll(begun, { timeout: WAIT_MS, intervals: [20] }).toBe(true);
    await server.kill();
    await server.start();
    await database.end().catch(() => undefined);
    await connect();
    const resumed = await ready(id);
    expect(resumed).toMatchObject({ sha256: whole.sha256, events: EVENTS });
    if (!isLong) return;
    const { rows } = await database.query("SELECT attempt FROM exports WHERE id = $1", [id]);
    expect(rows[0].attempt).toBeGreaterThan(1);
    let bytes = 0;
    for await (const chunk of createReadStream(await download(id, "resumed.csv")))
      bytes += chunk.length;
    expect(bytes).toBeGreaterThan(EVENTS * 100);
  });
});
