import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { commitment, eventDigest, leafHash } from "@/lib/chain/event-hash";
import { followTiles } from "@/lib/chain/server/tiles";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { followRollups } from "@/lib/events/server/rollups";
import { appendEvents, createTestLog, newEvent, testEvents } from "@/lib/events/server/test-log";
import type { DamageKind, Verdict } from "../schema";
import { verifyLog } from "./verify";

// Damage done by SQL as the owner of the database, who can switch every trigger and index off. The T and C
// numbers are those of the specification's tamper cases.

const EVENTS = 700;
const K = 333;

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
  await db.owner.query("ALTER TABLE events DISABLE TRIGGER ALL");
  await db.owner.query("ALTER TABLE event_targets DISABLE TRIGGER ALL");
  const { rows } = await db.owner.query(
    "SELECT indexname FROM pg_indexes WHERE indexname ~ '^events_\\d{4}_\\d{2}_seq$'",
  );
  for (const { indexname } of rows) await db.owner.query(`DROP INDEX ${indexname}`);
});

afterAll(() => db.close());

const verify = (log: string) => verifyLog(systemScope("cli", log));

/** A log of its own for every case: nothing has to be repaired afterwards. */
async function sealedLog(count = EVENTS): Promise<string> {
  const log = await createTestLog(db);
  await appendEvents(log, testEvents(count));
  await followTiles(log);
  await followRollups(log);
  return log;
}

async function run(log: string, ...statements: string[]): Promise<void> {
  const words: Record<string, string> = {
    ORG: `organization_id = '${log}'`,
    LOG: `'${log}'`,
    K: String(K),
  };
  for (const sql of statements) {
    await db.owner.query(sql.replace(/\b(ORG|LOG|K)\b/g, (word) => words[word] as string));
  }
}

const kinds = (verdict: Verdict) => new Set(verdict.findings.map(({ kind }) => kind));

interface Case {
  id: string;
  sql: string[];
  kind: DamageKind;
  seq?: number;
}

const EDIT = "UPDATE events SET";
const edits: Case[] = [
  { id: "T01", sql: [`${EDIT} action = 'user.signed_out'`], kind: "edited_content" },
  {
    id: "T02",
    sql: [`${EDIT} metadata = jsonb_set(metadata, '{amount}', '1')`],
    kind: "edited_content",
  },
  {
    id: "T03",
    sql: [`${EDIT} actor = jsonb_set(actor, '{id}', '"user_1x"')`],
    kind: "edited_content",
  },
  {
    id: "T04",
    sql: [`${EDIT} occurred_at = occurred_at + interval '1 ms'`],
    kind: "edited_content",
  },
  {
    id: "T05",
    sql: [`${EDIT} recorded_at = recorded_at + interval '1 ms'`],
    kind: "edited_content",
  },
  {
    id: "T06 moves partition",
    sql: [`${EDIT} recorded_at = recorded_at + interval '1 month'`],
    kind: "edited_content",
  },
  { id: "T07", sql: [`${EDIT} context = context - 'location'`], kind: "edited_content" },
  {
    id: "T08",
    sql: [`${EDIT} targets = jsonb_set(targets, '{0,name}', '"Z"')`],
    kind: "edited_content",
  },
  {
    id: "T09",
    sql: [
      `${EDIT} targets = targets || '[{"id":"u","type":"user"}]', salts = salts || decode(repeat('00', 16), 'hex')`,
    ],
    kind: "edited_content",
  },
  {
    id: "T09 without a salt",
    sql: [`${EDIT} targets = targets || '[{"id":"u","type":"user"}]'`],
    kind: "edited_content",
  },
  { id: "targets no list", sql: [`${EDIT} targets = '{"id":"u"}'`], kind: "edited_content" },
  {
    id: "a number beyond doubles",
    sql: [`${EDIT} metadata = '{"n": 1e400}'`],
    kind: "edited_content",
  },
  { id: "T10", sql: [`${EDIT} version = 2`], kind: "edited_content" },
  { id: "T11", sql: [`${EDIT} id = 'evt_other'`], kind: "edited_content" },
  {
    id: "T12",
    sql: [`${EDIT} salts = set_byte(salts, 0, get_byte(salts, 0) # 1)`],
    kind: "edited_content",
  },
  { id: "T13", sql: [`${EDIT} chain_hash = sha256('x')`], kind: "edited_hash" },
  { id: "T13 shortened", sql: [`${EDIT} chain_hash = '\\x00'`], kind: "edited_hash" },
  { id: "T36", sql: [`${EDIT} actor = NULL`], kind: "edited_content" },
  {
    id: "T38",
    sql: [
      `${EDIT} actor = NULL, erased = jsonb_build_object('actor', repeat('00', 32)),
       salts = decode(repeat('00', 16), 'hex') || substr(salts, 17)`,
    ],
    kind: "edited_content",
  },
  { id: "T51", sql: [`${EDIT} metadata = NULL`], kind: "edited_content" },
].map((entry) => ({
  ...entry,
  sql: entry.sql.map((sql) => `${sql} WHERE ORG AND seq = K`),
})) as Case[];

const RENUMBER_DOWN = "UPDATE events SET seq = seq - 1 WHERE ORG AND seq > K";
const MAKE_ROOM = [
  "UPDATE events SET seq = seq + 1000000 WHERE ORG AND seq >= K",
  "UPDATE events SET seq = seq - 999999 WHERE ORG AND seq >= 1000000",
];
const copyOf = (seq: string, changes: { seq: string; recordedAt?: string; hash?: string }) =>
  `INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, actor, targets,
     context, metadata, salts, chain_hash, ip)
   SELECT organization_id, ${changes.seq}, ${changes.recordedAt ?? "recorded_at"}, occurred_at, version,
     'audit_event_forged', action, actor, targets, context, metadata, salts, ${changes.hash ?? "sha256('x')"}, ip
   FROM events WHERE ORG AND seq = ${seq}`;

const structure: Case[] = [
  { id: "T15", sql: ["DELETE FROM events WHERE ORG AND seq = K"], kind: "deleted_row" },
  {
    id: "T16",
    sql: ["DELETE FROM events WHERE ORG AND seq BETWEEN K AND K + 99"],
    kind: "deleted_row",
  },
  {
    id: "T17",
    sql: [
      "DELETE FROM events WHERE ORG AND seq = K",
      RENUMBER_DOWN,
      "UPDATE log_heads SET next_seq = next_seq - 1 WHERE ORG",
    ],
    kind: "deleted_row",
  },
  {
    id: "T19",
    sql: [...MAKE_ROOM, copyOf("K - 1", { seq: "K" })],
    kind: "inserted_row",
  },
  {
    id: "T20",
    sql: [copyOf("K", { seq: "K", recordedAt: "recorded_at + interval '1 ms'" })],
    kind: "inserted_row",
  },
  {
    id: "T20 with the honest row's hash",
    sql: [
      copyOf("K", { seq: "K", recordedAt: "recorded_at - interval '1 ms'", hash: "chain_hash" }),
    ],
    kind: "inserted_row",
  },
  {
    id: "T21",
    sql: [
      "UPDATE events SET seq = -1 WHERE ORG AND seq = K",
      "UPDATE events SET seq = K WHERE ORG AND seq = K + 1",
      "UPDATE events SET seq = K + 1 WHERE ORG AND seq = -1",
    ],
    kind: "reordered",
  },
  {
    id: "T21 in a circle of three",
    sql: [
      "UPDATE events SET seq = -1 WHERE ORG AND seq = K",
      "UPDATE events SET seq = K WHERE ORG AND seq = K + 2",
      "UPDATE events SET seq = K + 2 WHERE ORG AND seq = K + 1",
      "UPDATE events SET seq = K + 1 WHERE ORG AND seq = -1",
    ],
    kind: "reordered",
  },
  {
    id: "T22",
    sql: [
      `UPDATE events a SET action = b.action, id = b.id, occurred_at = b.occurred_at, actor = b.actor,
         targets = b.targets, context = b.context, metadata = b.metadata, salts = b.salts, ip = b.ip
       FROM events b WHERE a.organization_id = LOG AND b.organization_id = LOG
         AND a.seq IN (K, K + 3) AND b.seq = 2 * K + 3 - a.seq`,
    ],
    kind: "edited_content",
  },
  {
    id: "T23",
    sql: [`DELETE FROM events WHERE ORG AND seq >= ${EVENTS - 10}`],
    kind: "truncated_tail",
    seq: EVENTS - 10,
  },
  {
    id: "T24, which the followers remember",
    sql: [
      `DELETE FROM events WHERE ORG AND seq >= ${EVENTS - 10}`,
      `UPDATE log_heads h SET next_seq = ${EVENTS - 10}, head_hash = e.chain_hash, last_recorded_at = e.recorded_at
       FROM events e WHERE h.organization_id = LOG AND e.organization_id = LOG AND e.seq = ${EVENTS - 11}`,
    ],
    kind: "truncated_tail",
    seq: EVENTS - 10,
  },
  { id: "T40", sql: ["DELETE FROM events WHERE ORG AND seq < 100"], kind: "deleted_row", seq: 0 },
  {
    id: "a number below the first",
    sql: [copyOf("K", { seq: "-7" })],
    kind: "inserted_row",
    seq: -7,
  },
  {
    id: "a number far beyond the last",
    sql: [copyOf("K", { seq: "90000000000" })],
    kind: "deleted_row",
    seq: EVENTS,
  },
  {
    id: "T44",
    sql: [
      "UPDATE tiles SET data = set_byte(data, 71 * 32, get_byte(data, 71 * 32) # 1) WHERE ORG AND idx = 1",
    ],
    kind: "merkle_cache_tampered",
    seq: 256 + 71,
  },
  {
    id: "a tile's root",
    sql: ["UPDATE tiles SET root = sha256('x') WHERE ORG AND idx = 1"],
    kind: "merkle_cache_tampered",
    seq: 256,
  },
  {
    id: "a tile removed",
    sql: ["DELETE FROM tiles WHERE ORG AND idx = 1"],
    kind: "merkle_cache_tampered",
    seq: 256,
  },
  {
    id: "T46",
    sql: ["UPDATE log_heads SET next_seq = next_seq + 5 WHERE ORG"],
    kind: "truncated_tail",
    seq: EVENTS,
  },
  {
    id: "the head's hash",
    sql: ["UPDATE log_heads SET head_hash = sha256('x') WHERE ORG"],
    kind: "truncated_tail",
    seq: EVENTS,
  },
  {
    id: "the head's time",
    sql: ["UPDATE log_heads SET last_recorded_at = last_recorded_at + interval '1 ms' WHERE ORG"],
    kind: "projection_mismatch",
    seq: EVENTS - 1,
  },
  {
    id: "T47",
    sql: [
      ...["events", "event_targets", "idempotency_keys", "tiles", "rollup_hourly"],
      ...["rollup_actions_daily", "followers", "log_heads"],
    ].map((table) => `DELETE FROM ${table} WHERE ORG`),
    kind: "missing_log",
    seq: 0,
  },
  {
    id: "T52",
    sql: ["UPDATE log_heads SET origin = 'audit.example.com/other' WHERE ORG"],
    kind: "wrong_origin",
    seq: 0,
  },
  {
    id: "T52 with this organization's name",
    sql: ["UPDATE log_heads SET origin = 'audit.example.com/other/' || LOG WHERE ORG"],
    kind: "wrong_origin",
    seq: 0,
  },
];

const derived: Case[] = [
  {
    id: "a row removed from event_targets",
    sql: ["DELETE FROM event_targets WHERE ORG AND seq = K"],
    kind: "projection_mismatch",
  },
  {
    id: "a row added to event_targets",
    sql: [
      `INSERT INTO event_targets SELECT organization_id, 'user', 'bob', occurred_at, seq, recorded_at
       FROM event_targets WHERE ORG AND seq = K LIMIT 1`,
    ],
    kind: "projection_mismatch",
  },
  {
    id: "a row of event_targets for no event",
    sql: [
      `INSERT INTO event_targets SELECT organization_id, target_type, target_id, occurred_at, 5000, recorded_at
       FROM event_targets WHERE ORG AND seq = K LIMIT 1`,
    ],
    kind: "projection_mismatch",
    seq: 5000,
  },
  {
    id: "event_targets with another time",
    sql: [
      "UPDATE event_targets SET occurred_at = occurred_at - interval '1 day' WHERE ORG AND seq = K",
    ],
    kind: "projection_mismatch",
  },
  {
    id: "event_targets with another recorded_at",
    sql: [
      "UPDATE event_targets SET recorded_at = recorded_at + interval '1 ms' WHERE ORG AND seq = K",
    ],
    kind: "projection_mismatch",
  },
  {
    id: "event_targets renamed",
    sql: ["UPDATE event_targets SET target_id = 'other' WHERE ORG AND seq = K"],
    kind: "projection_mismatch",
  },
  {
    id: "the ip column",
    sql: ["UPDATE events SET ip = '192.0.2.1' WHERE ORG AND seq = K"],
    kind: "projection_mismatch",
  },
  {
    id: "no ip column",
    sql: ["UPDATE events SET ip = NULL WHERE ORG AND seq = K"],
    kind: "projection_mismatch",
  },
];

describe("damage by the database's owner", () => {
  test("an untouched log is verified whole", async () => {
    const log = await sealedLog();
    expect(await verify(log)).toMatchObject({
      ok: true,
      checked: EVENTS,
      first_seq: 0,
      last_seq: EVENTS - 1,
      next_seq: EVENTS,
      kind: null,
      first_bad_seq: null,
      findings: [],
    });
  });

  test.each([...edits, ...structure, ...derived])("$id: $kind", async ({ sql, kind, seq = K }) => {
    const log = await sealedLog();
    await run(log, ...sql);
    expect(await verify(log)).toMatchObject({ ok: false, kind, first_bad_seq: seq });
  });

  test.each(edits)("$id on the first and on the last row", async ({ sql, kind }) => {
    for (const seq of [0, EVENTS - 1]) {
      const log = await sealedLog();
      await run(log, ...sql.map((text) => text.replace(/\bK\b/g, String(seq))));
      const verdict = await verify(log);
      expect(verdict).toMatchObject({ ok: false, first_bad_seq: seq });
      // Without a row behind it, a shortened or changed hash is told by the head.
      expect(verdict.kind).toBe(kind);
    }
  });

  test("one change is one break of the chain, whatever follows from it", async () => {
    for (const { id, sql, kind } of [...edits, ...structure]) {
      if (!["T01", "T13", "T15", "T16", "T17", "T19", "T20", "T21"].includes(id)) continue;
      const log = await sealedLog();
      await run(log, ...sql);
      const found = (await verify(log)).findings.filter(
        (finding) => !/projection|cache|truncated/.test(finding.kind),
      );
      // T19 leaves the head where it was: the row that was pushed out lies beyond it.
      const own = found.filter((finding) => finding.seq !== EVENTS);
      expect(own, id).toHaveLength(1);
      expect(own[0], id).toMatchObject({ kind, seq: K });
    }
  });

  test("a wrong rollup is a projection_mismatch at the first event of its bucket", async () => {
    const log = await sealedLog();
    const { rows } = await db.owner.query(
      `SELECT min(seq)::int AS seq, date_trunc('hour', occurred_at) AS hour FROM events
       WHERE organization_id = $1 GROUP BY 2 ORDER BY 1 DESC LIMIT 1`,
      [log],
    );
    await db.owner.query(
      "UPDATE rollup_hourly SET events = events + 1 WHERE organization_id = $1 AND hour = $2",
      [log, rows[0].hour],
    );
    const verdict = await verify(log);
    expect(verdict).toMatchObject({ kind: "projection_mismatch", first_bad_seq: rows[0].seq });
    expect(verdict.findings).toHaveLength(1);
  });

  test.each([
    "DELETE FROM rollup_hourly WHERE ORG",
    "DELETE FROM rollup_actions_daily WHERE ORG",
    "UPDATE rollup_actions_daily SET action = action || 'x' WHERE ORG",
    "INSERT INTO rollup_actions_daily VALUES (LOG, '2020-01-01', 'never', 1)",
    "INSERT INTO rollup_hourly VALUES (LOG, '2020-01-01', 1)",
    "UPDATE followers SET next_seq = next_seq - 1 WHERE ORG AND name = 'rollups'",
  ])("%s is a projection_mismatch", async (sql) => {
    const log = await sealedLog();
    await run(log, sql);
    expect(await verify(log)).toMatchObject({ ok: false, kind: "projection_mismatch" });
  });

  test("T35: a row moved in from another organization is an inserted row", async () => {
    const [log, other] = [await sealedLog(), await sealedLog(400)];
    await db.owner.query(
      `UPDATE events SET organization_id = $1, recorded_at = recorded_at + interval '1 ms'
       WHERE organization_id = $2 AND seq = 150`,
      [log, other],
    );
    expect(await verify(log)).toMatchObject({ kind: "inserted_row", first_bad_seq: 150 });
    expect(await verify(other)).toMatchObject({ kind: "deleted_row", first_bad_seq: 150 });
  });
});

// Damage by somebody who knows the hash format -------------------------------------------------------

interface StoredRow {
  seq: number;
  recorded_at: Date;
  occurred_at: Date;
  [column: string]: unknown;
}

async function storedRow(log: string, seq: number): Promise<StoredRow> {
  const { rows } = await db.owner.query(
    `SELECT e.*, h.origin FROM events e JOIN log_heads h USING (organization_id)
     WHERE organization_id = $1 AND seq = $2`,
    [log, seq],
  );
  return { ...rows[0], seq };
}

function digestOf(row: StoredRow): Buffer {
  const content = { ...row, occurred_at: row.occurred_at.toISOString() };
  return eventDigest(content as never, row.salts as Buffer, row.erased as never);
}

/** Gives the rows from `from` to `to` the hashes that their content has now. */
async function rechain(log: string, from: number, to: number): Promise<void> {
  let previous = (await storedRow(log, from - 1)).chain_hash as Buffer;
  for (let seq = from; seq <= to; seq += 1) {
    const row = await storedRow(log, seq);
    const recordedAt = row.recorded_at.toISOString();
    previous = leafHash(row.origin as string, seq, recordedAt, digestOf(row), previous);
    await db.owner.query(
      "UPDATE events SET chain_hash = $3 WHERE organization_id = $1 AND seq = $2",
      [log, seq, previous],
    );
  }
  await db.owner.query(
    "UPDATE log_heads SET head_hash = $3 WHERE organization_id = $1 AND next_seq = $2",
    [log, to + 1, previous],
  );
}

/** What the eraser does to one unit, as the eraser's role. */
async function erase(log: string, seq: number, unit: "actor" | "targets/0"): Promise<void> {
  const row = await storedRow(log, seq);
  const salts = Buffer.from(row.salts as Buffer);
  const slot = unit === "actor" ? 0 : 48;
  const value = unit === "actor" ? row.actor : (row.targets as object[])[0];
  const hash = commitment(unit, salts.subarray(slot, slot + 16), value as object);
  salts.fill(0, slot, slot + 16);
  const client = await db.owner.connect();
  try {
    await client.query("SET ROLE trailseal_eraser");
    const change =
      unit === "actor" ? "actor = NULL" : "targets = jsonb_set(targets, '{0}', 'null')";
    await client.query(
      `UPDATE events SET ${change}, salts = $3, erased = $4 WHERE organization_id = $1 AND seq = $2`,
      [log, seq, salts, { [unit]: hash }],
    );
    if (unit === "targets/0") {
      const { type, id } = value as { type: string; id: string };
      await client.query(
        "DELETE FROM event_targets WHERE organization_id = $1 AND seq = $2 AND target_type = $3 AND target_id = $4",
        [log, seq, type, id],
      );
    }
    await client.query("RESET ROLE");
  } finally {
    client.release();
  }
}

async function announceErasure(log: string, seq: number, units: string): Promise<void> {
  const { id } = await storedRow(log, seq);
  const targets = [{ type: "audit_event", id }];
  await appendEvents(log, [
    newEvent({
      action: "trailseal.event_erased",
      targets: targets as object[],
      metadata: { units },
    }),
  ]);
}

describe("damage by somebody who knows the hash format", () => {
  test("T37: an erasure without its event is unauthorised", async () => {
    const log = await sealedLog();
    await erase(log, K, "actor");
    expect(await verify(log)).toMatchObject({
      kind: "unauthorised_erasure",
      first_bad_seq: K,
      detail: "actor erased without an erasure event",
    });
  });

  test("an erasure event for another unit, or from before, authorises nothing", async () => {
    const log = await sealedLog();
    await announceErasure(log, K, "context,metadata");
    await erase(log, K, "actor");
    expect(await verify(log)).toMatchObject({ kind: "unauthorised_erasure", first_bad_seq: K });
  });

  test("C2: an authorised erasure is no damage", async () => {
    const log = await sealedLog();
    await announceErasure(log, K, "actor");
    await erase(log, K, "actor");
    await announceErasure(log, K + 1, "context,targets/0");
    await erase(log, K + 1, "targets/0");
    await followRollups(log);
    expect(await verify(log)).toMatchObject({ ok: true, checked: EVENTS + 2 });
  });

  test("T39: another actor put back after an erasure is an edit", async () => {
    const log = await sealedLog();
    await announceErasure(log, K, "actor");
    await erase(log, K, "actor");
    await run(log, `UPDATE events SET actor = '{"id":"x","type":"user"}' WHERE ORG AND seq = K`);
    expect(await verify(log)).toMatchObject({ kind: "edited_content", first_bad_seq: K });
  });

  test("T53: an erasure whose event is gone is unauthorised", async () => {
    const log = await sealedLog();
    const head = await db.owner.query("SELECT * FROM log_heads WHERE organization_id = $1", [log]);
    await announceErasure(log, K, "actor");
    await erase(log, K, "actor");
    await run(log, `DELETE FROM events WHERE ORG AND seq = ${EVENTS}`);
    await run(log, `DELETE FROM event_targets WHERE ORG AND seq = ${EVENTS}`);
    const { next_seq, head_hash, last_recorded_at } = head.rows[0];
    await db.owner.query(
      "UPDATE log_heads SET next_seq = $2, head_hash = $3, last_recorded_at = $4 WHERE organization_id = $1",
      [log, next_seq, head_hash, last_recorded_at],
    );
    const verdict = await verify(log);
    expect(verdict).toMatchObject({ kind: "unauthorised_erasure", first_bad_seq: K });
    expect(kinds(verdict)).toEqual(new Set(["unauthorised_erasure"]));
  });

  test("C1: numbers spelt otherwise, key order and white space are no damage", async () => {
    const log = await createTestLog(db);
    await appendEvents(log, [newEvent({ metadata: { a: 0.5, b: 100, c: { d: 1, e: [] } } })]);
    await run(
      log,
      `UPDATE events SET metadata = '{ "c": {"e": [ ], "d": 1.000}, "b": 1e2, "a": 0.50 }' WHERE ORG`,
    );
    expect(await verify(log)).toMatchObject({ ok: true, checked: 1 });
  });

  test("T49: a well-formed append is what it says, nothing more can be known", async () => {
    const log = await sealedLog();
    await run(log, copyOf(String(EVENTS - 1), { seq: String(EVENTS) }));
    await run(
      log,
      `INSERT INTO event_targets SELECT organization_id, target_type, target_id, occurred_at, ${EVENTS}, recorded_at
       FROM event_targets WHERE ORG AND seq = ${EVENTS - 1}`,
      `UPDATE log_heads SET next_seq = ${EVENTS + 1} WHERE ORG`,
    );
    await rechain(log, EVENTS, EVENTS);
    expect(await verify(log)).toMatchObject({ ok: true, checked: EVENTS + 1 });
  });

  test("T19 with a well-formed row: the inserted row is named, not the one after it", async () => {
    const log = await sealedLog();
    await run(log, ...MAKE_ROOM, copyOf("K - 1", { seq: "K" }));
    await rechain(log, K, K);
    expect(await verify(log)).toMatchObject({ kind: "inserted_row", first_bad_seq: K });
  });

  test("an edit with its own hash is named by the tile, though the next row shows it", async () => {
    const log = await sealedLog();
    await run(log, "UPDATE events SET version = 9 WHERE ORG AND seq BETWEEN K AND K + 2");
    await rechain(log, K, K + 2);
    expect(await verify(log)).toMatchObject({ kind: "edited_content", first_bad_seq: K });
  });

  test("T28: history sealed anew to the end is told by the tiles left alone", async () => {
    const log = await sealedLog();
    await run(log, "UPDATE events SET version = 9 WHERE ORG AND seq = K");
    await rechain(log, K, EVENTS - 1);
    const verdict = await verify(log);
    expect(verdict).toMatchObject({ kind: "history_rewritten", first_bad_seq: K });
    expect(verdict.findings).toHaveLength(1);
  });

  test("a tile changed together with its root is told by the leaves behind the change", async () => {
    const log = await sealedLog();
    await run(
      log,
      `UPDATE tiles SET data = set_byte(data, 640, get_byte(data, 640) # 1) WHERE ORG AND idx = 0`,
    );
    const { merkleRoot } = await import("@/lib/chain/merkle");
    const { rows } = await db.owner.query(
      "SELECT data FROM tiles WHERE organization_id = $1 AND idx = 0",
      [log],
    );
    const data = rows[0].data as Buffer;
    const leaves = Array.from({ length: 256 }, (_, at) => data.subarray(at * 32, at * 32 + 32));
    await db.owner.query("UPDATE tiles SET root = $2 WHERE organization_id = $1 AND idx = 0", [
      log,
      merkleRoot(leaves),
    ]);
    expect(await verify(log)).toMatchObject({ kind: "merkle_cache_tampered", first_bad_seq: 20 });
  });

  test("several damages are all found, the first one first", async () => {
    const log = await sealedLog(5_000);
    await run(
      log,
      "UPDATE events SET chain_hash = sha256('x') WHERE ORG AND seq = 4500",
      "DELETE FROM events WHERE ORG AND seq IN (2047, 2048)",
      "UPDATE events SET version = 3 WHERE ORG AND seq = 4096",
      "DELETE FROM event_targets WHERE ORG AND seq = 100",
      "DELETE FROM events WHERE ORG AND seq >= 4990",
    );
    const verdict = await verify(log);
    expect(verdict).toMatchObject({ ok: false, kind: "deleted_row", first_bad_seq: 2047 });
    const found = verdict.findings
      .filter(({ kind }) => kind !== "projection_mismatch")
      .map(({ kind, seq }) => `${kind} ${seq}`);
    expect(found).toEqual([
      "deleted_row 2047",
      "edited_content 4096",
      "edited_hash 4500",
      "truncated_tail 4990",
    ]);
    expect(verdict.findings).toContainEqual(
      expect.objectContaining({ kind: "projection_mismatch", seq: 100 }),
    );
  });

  test("a long stretch sealed anew is named from its first row", async () => {
    const log = await sealedLog();
    await run(log, "UPDATE events SET version = 9 WHERE ORG AND seq = K");
    await rechain(log, K, K + 150);
    expect(await verify(log)).toMatchObject({ kind: "history_rewritten", first_bad_seq: K });
  });

  test("every row edited is edited content, not another origin", async () => {
    await db.owner.query(`INSERT INTO settings VALUES ('log_prefix', '"log.test"')`);
    for (const count of [1, 3, EVENTS]) {
      const log = await sealedLog(count);
      await run(log, "UPDATE events SET action = 'x' WHERE ORG");
      const verdict = await verify(log);
      expect(verdict).toMatchObject({ kind: "edited_content", first_bad_seq: 0, checked: count });
    }
    await db.owner.query("DELETE FROM settings");
  });

  test("rows that all break are counted, and their list is bounded", async () => {
    const log = await sealedLog();
    await run(log, "UPDATE events SET version = 3 WHERE ORG AND seq >= 10");
    const verdict = await verify(log);
    expect(verdict).toMatchObject({ kind: "edited_content", first_bad_seq: 10, checked: EVENTS });
    expect(verdict.findings_truncated).toBe(true);
    expect(verdict.findings.length).toBeLessThan(50);
  });
});

// Last: the table is another one afterwards.
test("T14: a generated column made plain and changed is a projection_mismatch", async () => {
  const columns = ["actor_id", "actor_type", "actor_name", "location", "user_agent"];
  const logs = await Promise.all(columns.map(() => sealedLog()));
  for (const [at, column] of columns.entries()) {
    const log = logs[at] as string;
    await db.owner.query(`ALTER TABLE events ALTER COLUMN ${column} DROP EXPRESSION`);
    await run(log, `UPDATE events SET ${column} = 'bob' WHERE ORG AND seq = K`);
    const verdict = await verify(log);
    expect(verdict).toMatchObject({ kind: "projection_mismatch", first_bad_seq: K });
    expect(verdict.detail).toContain(column);
    expect(verdict.findings).toHaveLength(1);
  }
});
