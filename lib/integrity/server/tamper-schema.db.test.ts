import { afterAll, beforeAll, expect, test } from "vitest";
import { appendEvents, createTestLog, newEvent, testEvents } from "@/lib/events/server/test-log";
import { copyOf, db, follow, K, openUnguarded, run, sealedLog, verify } from "./test-damage";

// Damage that the schema refuses, by an owner who changes the schema first. Each case both ways: the quick one, and
// row by row.

beforeAll(async () => {
  await openUnguarded();
  const mayBeNull = ["version", "occurred_at", "salts", "chain_hash"];
  for (const column of mayBeNull)
    await db.owner.query(`ALTER TABLE events ALTER ${column} DROP NOT NULL`);
  await db.owner.query("ALTER TABLE event_targets DROP CONSTRAINT event_targets_pkey");
  for (const column of ["target_type", "target_id", "occurred_at"])
    await db.owner.query(`ALTER TABLE event_targets ALTER ${column} DROP NOT NULL`);
});
afterAll(() => db.close());

async function expectFinding(log: string, kind: string, seq: number): Promise<void> {
  for (const isRowByRow of [false, true])
    expect(await verify(log, isRowByRow)).toMatchObject({ ok: false, kind, first_bad_seq: seq });
}

test.each([
  ["version = NULL"],
  ["occurred_at = NULL"],
  ["salts = NULL"],
  ["action = 'x', chain_hash = '\\x00'"],
])("an event with %s is edited_content", async (change) => {
  const log = await createTestLog(db);
  // The length of an id, which follows, is 38: read as a version it would be the one that was sealed.
  await appendEvents(log, [...testEvents(2), newEvent({ version: 38 }), ...testEvents(40)]);
  await follow(log);
  await run(log, `UPDATE events SET ${change} WHERE ORG AND seq = 2`);
  await expectFinding(log, "edited_content", 2);
});

test("an event without a chain hash is found", async () => {
  const log = await sealedLog();
  await run(log, "UPDATE events SET chain_hash = NULL WHERE ORG AND seq = K");
  for (const isRowByRow of [false, true])
    expect(await verify(log, isRowByRow)).toMatchObject({ ok: false, first_bad_seq: K });
});

test("a target's row that stands twice hides none that is missing", async () => {
  const log = await createTestLog(db);
  const targets = ["a", "b"].map((id) => ({ type: "doc", id }));
  await appendEvents(log, [...testEvents(2), newEvent({ targets }), ...testEvents(40)]);
  await follow(log);
  await run(log, "UPDATE event_targets SET target_id = 'a' WHERE ORG AND seq = 2");
  await expectFinding(log, "projection_mismatch", 2);
});

test("a target's row with a NULL is one too many", async () => {
  const log = await sealedLog();
  await run(
    log,
    `INSERT INTO event_targets (organization_id, target_type, target_id, occurred_at, seq, recorded_at)
     SELECT organization_id, 'user', 'bob', NULL, seq, recorded_at FROM events WHERE ORG AND seq = K`,
  );
  await expectFinding(log, "projection_mismatch", K);
});

test.each(["-9007199254740992", "9007199254740995", "9223372036854775807"])(
  "a row at %s is an inserted_row",
  async (seq) => {
    const log = await sealedLog();
    await run(log, copyOf("K", { seq }));
    for (const isRowByRow of [false, true]) {
      const verdict = await verify(log, isRowByRow);
      expect(verdict.findings).toContainEqual(
        expect.objectContaining({ kind: "inserted_row", seq: Number(seq) }),
      );
    }
  },
);

test("a projection that a collation calls equal is a projection_mismatch", async () => {
  const log = await sealedLog();
  await db.owner.query(
    "CREATE COLLATION careless (provider = icu, locale = 'und-u-ks-level1', deterministic = false)",
  );
  await db.owner.query("ALTER TABLE events ALTER actor_name DROP EXPRESSION");
  await db.owner.query("ALTER TABLE events ALTER actor_name TYPE text COLLATE careless");
  await run(log, "UPDATE events SET actor_name = upper(actor_name) WHERE ORG AND seq = K");
  await expectFinding(log, "projection_mismatch", K);
});
