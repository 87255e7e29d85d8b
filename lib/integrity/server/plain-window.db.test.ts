import { afterAll, beforeAll, expect, test } from "vitest";
import { appendEvents, createTestLog, newEvent, testEvents } from "@/lib/events/server/test-log";
import { Epochs } from "./epochs";
import { type Head, loadHead } from "./log-head";
import { type PlainWindow, PlainWindows } from "./plain-window";
import { Snapshot } from "./snapshot";
import { digestOf, TARGET_ORDER, TARGET_RECORD } from "./target-records";
import { db, openUnguarded, run } from "./test-damage";

beforeAll(openUnguarded);
afterAll(() => db.close());

/** Windows begin behind the first event, whose chain hash is read. */
const FROM = 1;
const TO = 40;

async function check(log: string, from = FROM, to = TO): Promise<PlainWindow | null> {
  const client = await db.app.connect();
  try {
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const snapshot = new Snapshot(client, log);
    await snapshot.prepare();
    const { originAt } = await Epochs.load(snapshot, (await loadHead(snapshot)) as Head);
    const windows = await PlainWindows.open(snapshot, originAt);
    return await windows.check({ from, to, previous: null });
  } finally {
    await client.query("ROLLBACK");
    client.release();
  }
}

async function logOf(...events: Parameters<typeof newEvent>[0][]): Promise<string> {
  const log = await createTestLog(db);
  await appendEvents(log, [...testEvents(1), ...events.map(newEvent), ...testEvents(TO)]);
  return log;
}

const target = { type: "doc", id: "1" };
const many = Array.from({ length: 12 }, (_, at) => ({ type: "doc", id: `d${12 - at}` }));

test.each<[string, Parameters<typeof newEvent>[0]]>([
  ["made up", {}],
  [
    "targets not in order, and one twice",
    { targets: [{ ...target, type: "user" }, target, target] },
  ],
  ["more targets than are written without parsing", { targets: many }],
  ["targets with escapes", { targets: [{ type: 'a"b', id: "d\\1\t" }, target] }],
  ["a target beyond ASCII", { targets: [{ type: "é", id: "😀", name: "\u2028" }] }],
  ["keys beyond ASCII", { metadata: { é: 1, "😀": 2, a: 3 }, targets: [target] }],
  ["keys by their characters", { metadata: { zz: 1, a: 2, "10": 3, "9": 4, B: 5 } }],
  ["numbers in other spellings", { metadata: { a: 1e21, b: 0.1, c: 1e-7, d: 5e-324, e: -1.5 } }],
  ["an IPv4 address", { context: { location: "10.0.0.1" } }],
  ["an IPv6 address", { context: { location: "2001:DB8::0001" } }],
  ["a place", { context: { location: "Bäckerei" } }],
  ["a place with escapes", { context: { location: "a\\b" } }],
  ["empty units", { context: {}, metadata: {} }],
])("a window is plain that holds %s", async (_, event) => {
  const log = await logOf(event, event);
  const plain = await check(log);
  const { rows } = await db.owner.query(
    "SELECT string_agg(chain_hash, '' ORDER BY seq) AS hashes FROM events WHERE organization_id = $1 AND seq >= $2 AND seq < $3",
    [log, FROM, TO],
  );
  expect(Buffer.from(plain?.hashes ?? []).equals(rows[0].hashes)).toBe(true);
  const records = await db.owner.query(
    `SELECT string_agg(${TARGET_RECORD}, '' ORDER BY ${TARGET_ORDER}) AS bytes FROM event_targets t
     WHERE organization_id = $1 AND seq >= $2 AND seq < $3`,
    [log, FROM, TO],
  );
  expect(plain?.targets).toBe(digestOf(records.rows[0].bytes));
});

test.each([
  ["action = 'trailseal.made_up'"],
  ['actor = actor || \'{"id": "x"}\''],
  ['context = context || \'{"location": "10.0.0.2"}\''],
  ["metadata = NULL"],
  ["metadata = metadata || '{\"more\": 1}'"],
  ["targets = targets || targets"],
  ["salts = salts || '\\x00'"],
  ["salts = substr(salts, 2)"],
  ["erased = '{}'"],
  ["ip = '10.0.0.2'"],
  ["ip = '10.0.0.1/31'"],
  ["ip = '::ffff:10.0.0.1'"],
  ["ip = NULL"],
  ["version = version + 1"],
  ["occurred_at = occurred_at + interval '1 ms'"],
  ["recorded_at = recorded_at + interval '1 ms'"],
  ["chain_hash = substr(chain_hash, 2)"],
  ["chain_hash = sha256('x')"],
  ["seq = seq + 1000"],
])("a window is not plain after %s", async (change) => {
  const event = { context: { location: "10.0.0.1" }, metadata: { a: 1 }, targets: [target] };
  const log = await logOf(event, event);
  expect(await check(log)).not.toBeNull();
  await run(log, `UPDATE events SET ${change} WHERE ORG AND seq = 2`);
  expect(await check(log)).toBeNull();
});

test("a log's own event, an event twice, and rows that are not there are not plain", async () => {
  const log = await logOf({ action: "trailseal.made_up" });
  expect(await check(log)).toBeNull();
  expect(await check(log, 2)).not.toBeNull();
  expect(await check(log, 2, 1_000)).toBeNull();
  expect(await check(log, 1_000, 1_001)).toBeNull();
  await run(
    log,
    `INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, actor, targets, salts, chain_hash)
     SELECT organization_id, seq, recorded_at + interval '1 ms', occurred_at, version, id, action, actor, targets, salts, chain_hash
     FROM events WHERE ORG AND seq = 39`,
  );
  expect(await check(log, 2)).toBeNull();
  expect(await check(log, 2, 39)).not.toBeNull();
});

test("columns of other types than they were made with are not plain, whatever their bytes", async () => {
  const log = await logOf({});
  await db.owner.query("ALTER TABLE events ALTER COLUMN version TYPE real USING version");
  try {
    expect(await check(log)).toBeNull();
  } finally {
    await db.owner.query("ALTER TABLE events ALTER COLUMN version TYPE integer USING version");
  }
  expect(await check(log)).not.toBeNull();
});
