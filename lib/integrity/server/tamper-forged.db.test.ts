import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { merkleRoot } from "@/lib/chain/merkle";
import { followRollups } from "@/lib/events/server/rollups";
import { appendEvents, createTestLog, newEvent } from "@/lib/events/server/test-log";
import {
  announceErasure,
  copyOf,
  db,
  EVENTS,
  erase,
  K,
  MAKE_ROOM,
  openUnguarded,
  prune,
  rechain,
  run,
  sealedLog,
  verify,
} from "./test-damage";
import type { Case } from "./test-damage-cases";

beforeAll(openUnguarded);

afterAll(() => db.close());

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
    expect(verdict.findings).toHaveLength(1);
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

  test("a well-formed row in the last place, the last row pushed behind the head", async () => {
    const log = await sealedLog();
    const last = EVENTS - 1;
    await run(log, `UPDATE events SET seq = ${EVENTS} WHERE ORG AND seq = ${last}`);
    await run(log, copyOf(String(last - 1), { seq: String(last) }));
    await rechain(log, last, last);
    expect(await verify(log)).toMatchObject({ kind: "inserted_row", first_bad_seq: last });
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

describe("a pruned log", () => {
  const size = 300;

  test("C3: an authorised pruning is no damage, and later damage is found", async () => {
    const log = await sealedLog();
    await prune(log, size);
    expect(await verify(log)).toMatchObject({
      ok: true,
      first_seq: size,
      checked: EVENTS + 1 - size,
    });
    await run(log, "UPDATE events SET version = 3 WHERE ORG AND seq = K");
    expect(await verify(log)).toMatchObject({ kind: "edited_content", first_bad_seq: K });
  });

  const forged: (Case & { seq: number })[] = [
    {
      id: "T41 without the event",
      sql: ["UPDATE prunes SET event_seq = 500 WHERE ORG"],
      kind: "unauthorised_prune",
      seq: size,
    },
    {
      id: "T42",
      sql: ["UPDATE prunes SET frontier[1] = sha256('x') WHERE ORG"],
      kind: "bad_prune_record",
      seq: size,
    },
    {
      id: "T43",
      sql: ["UPDATE prunes SET chain_hash = sha256('x') WHERE ORG"],
      kind: "edited_content",
      seq: size,
    },
    {
      id: "its record removed",
      sql: ["DELETE FROM prunes WHERE ORG"],
      kind: "deleted_row",
      seq: 0,
    },
  ];
  test.each(forged)("$id: $kind", async ({ sql, kind, seq }) => {
    const log = await sealedLog();
    await prune(log, size);
    await run(log, ...sql);
    expect(await verify(log)).toMatchObject({ ok: false, kind, first_bad_seq: seq });
  });
});

// Last: the table is another one afterwards.
test("T14: a generated column made plain and changed is a projection_mismatch", async () => {
  const columns = ["actor_id", "actor_type", "actor_name", "location"];
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
