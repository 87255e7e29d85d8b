import { afterAll, beforeAll, expect, it } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { createTestLog } from "@/lib/events/server/test-log";
import { previewRetention } from "./overview";

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});

afterAll(() => db.close());

it("what a retention would delete is what SQL counts, also after the log lost its beginning", async () => {
  const log = await createTestLog(db);
  await db.owner.query(
    "SELECT ensure_partitions(now() - make_interval(months => m)) FROM generate_series(0, 14) AS m",
  );
  // Two a day for 400 days, the oldest first; the log begins at 37.
  await db.owner.query(
    `INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, targets, salts, chain_hash)
     SELECT $1, n, now() - interval '400 days' + n / 2 * interval '1 day', now(), 1, 'audit_event_' || n, 'a', '[]', '', ''
     FROM generate_series(37, 799) AS n`,
    [log],
  );
  await db.owner.query(
    "UPDATE log_heads SET first_seq = 37, next_seq = 800 WHERE organization_id = $1",
    [log],
  );
  const scope = systemScope("cli", log);
  for (const days of [1, 30, 90, 365, 399, 3_650]) {
    const preview = await previewRetention(scope, days);
    const { rows } = await db.owner.query(
      "SELECT count(*)::int AS older FROM events WHERE organization_id = $1 AND recorded_at < $2",
      [log, preview.before],
    );
    expect(preview).toMatchObject({ events: rows[0].older, all: 763 });
  }
  expect(await previewRetention(scope, null)).toEqual({ before: null, events: 0, all: 763 });
});
