import { text } from "node:stream/consumers";
import { finished } from "node:stream/promises";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import type { PoolClient } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { longPool } from "@/lib/db/pool";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { toWebBody } from "@/lib/http/web-body";
import { newId } from "@/lib/ids";
import { EMPTY_FILTER } from "../filter/ast";
import { matches } from "../filter/match";
import { filterArbitrary, NASTY, testSeed } from "../filter/test-arbitraries";
import { filePieces, streamCsv } from "./csv";
import { createTestOrganization, insertTestEvents, type TestEvent } from "./test-events";

const seed = testSeed();
const HEADER =
  "id,organization_id,action,version,occurred_at,recorded_at,actor_type,actor_id,actor_name,actor_metadata,targets,location,user_agent,context,metadata,seq,chain_hash";

let db: TestDatabase;
let organizationId: string;
let events: TestEvent[];

const scope = () => systemScope("cli", organizationId);

beforeAll(async () => {
  db = await testDatabase();
  organizationId = await createTestOrganization(db.owner);
  const names = [...NASTY, "=1+1", "+1", "@x", "\tx", "\rx", "a,b", 'a"b', "a\nb", ""];
  events = Array.from({ length: 300 }, (_, seq) => ({
    seq,
    id: newId("event"),
    action: seq % 2 ? "user.created" : "=cmd()",
    version: 1,
    occurred_at: new Date(Date.UTC(2026, 0, 1) + (seq % 100) * 1000).toISOString(),
    actor:
      seq % 10 === 0 ? null : { type: "user", id: `a${seq % 7}`, name: names[seq % names.length] },
    targets: [seq % 9 === 0 ? null : { type: "doc", id: `t${seq % 5}` }],
    context: { location: "10.0.0.1" },
    metadata: { note: names[seq % names.length] },
  }));
  await insertTestEvents(db.owner, organizationId, events);
});

afterAll(() => db.close());

/** RFC 4180, with COPY's line ends; an unquoted empty cell is null. */
function parseCsv(file: string): (string | null)[][] {
  const rows: (string | null)[][] = [];
  let row: (string | null)[] = [];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\n]*))([,\n])/y;
  while (cell.lastIndex < file.length) {
    const found = cell.exec(file);
    if (!found) throw new Error("not CSV");
    row.push(found[1] === undefined ? found[2] || null : found[1].replaceAll('""', '"'));
    if (found[3] === "\n") {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

async function download(request: Partial<Parameters<typeof streamCsv>[1]> = {}) {
  const file = await text(await streamCsv(scope(), { filter: EMPTY_FILTER, ...request }));
  const [header = [], ...rows] = parseCsv(file);
  expect(header.join(",")).toBe(HEADER);
  return rows.map((row) => Object.fromEntries(header.map((name, at) => [name, row[at] ?? null])));
}

const newestFirst = [...Array(300).keys()].sort((a, b) => (b % 100) - (a % 100) || b - a);

describe("streamCsv", () => {
  test("gives every event, newest first, each value as it is stored", async () => {
    const rows = await download({ raw: true });
    expect(rows.map((row) => Number(row.seq))).toEqual(newestFirst);
    for (const row of rows) {
      const event = events[Number(row.seq)] as TestEvent;
      expect(row).toMatchObject({
        id: event.id,
        organization_id: organizationId,
        action: event.action,
        version: "1",
        occurred_at: event.occurred_at,
        recorded_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT00:00:00\.000Z$/),
        actor_type: event.actor ? "user" : "erased",
        actor_id: event.actor?.id ?? "erased",
        actor_name: event.actor?.name ?? null,
        actor_metadata: null,
        location: "10.0.0.1",
        user_agent: null,
        chain_hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      });
      expect(JSON.parse(row.metadata as string)).toEqual(event.metadata);
      expect(JSON.parse(row.targets as string)).toEqual(
        event.targets.map((target) => target ?? { type: "erased", id: "erased" }),
      );
    }
  });

  test("no cell that a client wrote starts like a formula, unless raw", async () => {
    const rows = await download();
    for (const row of rows)
      for (const value of Object.values(row)) expect(value ?? "").not.toMatch(/^[=+\-@\t\r]/);
    const cell = rows.find((row) => Number(row.seq) % 2 === 0)?.action;
    expect(cell).toBe("'=cmd()");
  });

  test("holds exactly the events that the filter matches, in the same order as the list", async () => {
    const words = {
      values: ["a1", "a2", "t1", "t2", "user.created", "=cmd()", "10.0.0.1", "user.", ...NASTY],
      numbers: [1, 2],
      networks: ["10.0.0.0/31"],
      paths: [["note"]],
    };
    await fc.assert(
      fc.asyncProperty(filterArbitrary(words, 2), async (filter) => {
        const rows = await download({ filter });
        const expected = newestFirst.filter((seq) => matches(filter, events[seq] as TestEvent));
        expect(rows.map((row) => Number(row.seq))).toEqual(expected);
      }),
      { seed, numRuns: 300 },
    );
  });

  test("a time range includes its start and not its end", async () => {
    const [from, to] = [events[10]?.occurred_at, events[12]?.occurred_at];
    const rows = await download({ from, to });
    expect(rows.map((row) => Number(row.seq))).toEqual([211, 111, 11, 210, 110, 10]);
  });

  test("another organization gets a header and nothing else", async () => {
    const other = systemScope("cli", await createTestOrganization(db.owner));
    expect(await text(await streamCsv(other, { filter: EMPTY_FILTER }))).toBe(`${HEADER}\n`);
  });
});

describe("a download that ends early", () => {
  let bigId: string;

  beforeAll(async () => {
    bigId = await createTestOrganization(db.owner);
    await db.owner.query(
      `INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, actor, targets, salts, chain_hash, metadata)
       SELECT $1, n, date_trunc('day', now()), now() - n * interval '1 second', 1, 'e' || n, 'x', '{"id":"a","type":"t"}', '[]', '', '',
         jsonb_build_object('text', repeat('x', 1000))
       FROM generate_series(1, 30000) n`,
      [bigId],
    );
  });

  const running = async () => {
    const { rows } = await db.owner.query(
      "SELECT count(*)::integer AS n FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY (%' AND state = 'active'",
    );
    return rows[0].n as number;
  };

  const start = () => streamCsv(systemScope("cli", bigId), { filter: EMPTY_FILTER });

  async function stops(): Promise<void> {
    for (let tries = 0; (await running()) > 0; tries += 1) {
      if (tries > 100) throw new Error("COPY still runs");
      await sleep(20);
    }
  }

  test("a client that leaves stops the statement", async () => {
    const stream = await start();
    expect(await running()).toBe(1);
    stream.destroy();
    await stops();
  });

  test("a slow client holds the statement back instead of filling memory", async () => {
    const stream = await start();
    await sleep(200);
    expect(await running()).toBe(1);
    expect(stream.readableLength).toBeLessThan(1_000_000);
    const reader = toWebBody(stream).getReader();
    await reader.read();
    await sleep(200);
    expect(await running()).toBe(1);
    await reader.cancel();
    await stops();
  });

  const pieces = () =>
    filePieces(
      systemScope("cli", bigId),
      { format: "ndjson", filter: EMPTY_FILTER },
      { size: 10_000 },
    );

  test("whoever gives up a file in pieces stops the piece at hand and the one read ahead", async () => {
    for await (const { lines } of pieces()) {
      await expect.poll(running).toBe(2);
      lines.destroy();
      break;
    }
    await stops();
  });

  test("a file in pieces is read to its end with a single connection", async () => {
    const held: PoolClient[] = [];
    while (held.length < (longPool().options.max ?? 0) - 1) held.push(await longPool().connect());
    try {
      let lines = 0;
      for await (const piece of pieces()) lines += (await text(piece.lines)).split("\n").length - 1;
      expect(lines).toBe(30_000);
    } finally {
      for (const client of held) client.release();
    }
  });

  test("an error part-way breaks the body off instead of ending it", async () => {
    const stream = await start();
    const reader = toWebBody(stream).getReader();
    await reader.read();
    await db.owner.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY (%'",
    );
    const drain = async () => {
      while (!(await reader.read()).done);
    };
    await expect(drain()).rejects.toThrow();
  });

  test("an event that cannot be written breaks the body off too", async () => {
    const stream = await start();
    stream.once("data", () => {
      void db.owner.query(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'COPY (%'",
      );
    });
    await expect(finished(stream)).rejects.toThrow(/cancel/);
  });

  test("places are limited, and given back", async () => {
    for (let round = 0; round < 2; round += 1) {
      const streams = await Promise.all([start(), start(), start(), start()]);
      await expect(start()).rejects.toMatchObject({ code: "unavailable", retryAfterS: 10 });
      for (const stream of streams) stream.destroy();
      await stops();
      await sleep(50);
    }
  });
});
