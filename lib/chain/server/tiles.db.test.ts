import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { appendEvents, createTestLog, testEvents } from "@/lib/events/server/test-log";
import { merkleRoot } from "../merkle";
import { followTiles } from "./tiles";

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});

afterAll(() => db.close());

async function tiles(organizationId: string) {
  const { rows } = await db.owner.query(
    "SELECT level, idx::int, data, root FROM tiles WHERE organization_id = $1 ORDER BY level, idx",
    [organizationId],
  );
  return rows as { level: number; idx: number; data: Buffer; root: Buffer }[];
}

async function leaves(organizationId: string): Promise<Buffer[]> {
  const { rows } = await db.owner.query(
    "SELECT chain_hash FROM events WHERE organization_id = $1 ORDER BY seq",
    [organizationId],
  );
  return rows.map((row) => row.chain_hash);
}

describe("followTiles", () => {
  test("only full tiles are written, and later events fill the next", async () => {
    const log = await createTestLog(db);
    await appendEvents(log, testEvents(255));
    expect(await followTiles(log)).toBe(0);
    expect(await tiles(log)).toEqual([]);

    await appendEvents(log, testEvents(300, 2));
    expect(await followTiles(log)).toBe(512);
    expect(await followTiles(log)).toBe(0);
    const hashes = await leaves(log);
    expect(await tiles(log)).toEqual(
      [0, 1].map((idx) => {
        const own = hashes.slice(idx * 256, idx * 256 + 256);
        return { level: 0, idx, data: Buffer.concat(own), root: merkleRoot(own) };
      }),
    );
  });

  test("256 tiles make a tile of their roots, also with followers side by side", async () => {
    const log = await createTestLog(db);
    const size = 65_536 + 300;
    // Leaf hashes are all a tile is made of: sealing this many rows would only cost time.
    await db.owner.query(
      `INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, targets, salts, chain_hash)
       SELECT $1, seq, now(), now(), 1, 'audit_event_' || seq, 'a', '[]', '', sha256(seq::text::bytea)
       FROM generate_series(0, $2::int - 1) AS seq`,
      [log, size],
    );
    await db.owner.query("UPDATE log_heads SET next_seq = $2 WHERE organization_id = $1", [
      log,
      size,
    ]);
    const followed = await Promise.all([followTiles(log), followTiles(log), followTiles(log)]);
    expect(followed.reduce((sum, count) => sum + count)).toBe(65_536 + 256);

    const stored = await tiles(log);
    expect(stored.filter(({ level }) => level === 0).map(({ idx }) => idx)).toEqual(
      Array.from({ length: 257 }, (_, idx) => idx),
    );
    const [top, ...rest] = stored.filter(({ level }) => level > 0);
    expect(rest).toEqual([]);
    expect(top).toMatchObject({ level: 1, idx: 0 });
    const roots = stored.slice(0, 256).map(({ root }) => root);
    expect(top?.data).toEqual(Buffer.concat(roots));
    expect(top?.root).toEqual(merkleRoot((await leaves(log)).slice(0, 65_536)));
  });

  test("a missing row stops it before the damage", async () => {
    const log = await createTestLog(db);
    await appendEvents(log, testEvents(600));
    await db.owner.query("ALTER TABLE events DISABLE TRIGGER ALL");
    await db.owner.query("DELETE FROM events WHERE organization_id = $1 AND seq = 300", [log]);
    await db.owner.query("ALTER TABLE events ENABLE TRIGGER ALL");
    expect(await followTiles(log)).toBe(256);
    expect(await followTiles(log)).toBe(0);
    expect(await tiles(log)).toHaveLength(1);
  });

  test("an organization without a log has nothing to follow", async () => {
    expect(await followTiles("org_unknown")).toBe(0);
  });
});
