import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { db, EVENTS, K, openUnguarded, run, sealedLog, verify } from "./test-damage";
import { derived, edits, structure } from "./test-damage-cases";

beforeAll(openUnguarded);

afterAll(() => db.close());

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
