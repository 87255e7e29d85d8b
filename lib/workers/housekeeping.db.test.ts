import { afterAll, beforeAll, expect, test } from "vitest";
import { deleteOldPortalSessions } from "@/lib/auth/server/portal-sessions";
import { deleteOldSessions } from "@/lib/auth/server/sessions";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { createTestLog } from "@/lib/events/server/test-log";
import { deleteOldExports } from "@/lib/exports/server/export-jobs";
import { deleteOldVerifications } from "@/lib/integrity/server/verification-jobs";
import { deleteOldDeliveries } from "@/lib/streams/server/attempts";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const sql = (text: string, ...values: unknown[]) => db.owner.query(text, values);
const ids = async (table: string, column = "id") =>
  (await sql(`SELECT ${column} AS id FROM ${table} ORDER BY 1`)).rows.map(({ id }) => id);

test("sessions, of users and of portals, go a week after their end and not before", async () => {
  await sql("INSERT INTO users (id, email, name, password_hash) VALUES ('u', 'a@b.c', 'A', 'x')");
  await sql(`INSERT INTO sessions (id, user_id, expires_at, last_seen_at, revoked_at) VALUES
    ('alive', 'u', now() + interval '1 day', now(), NULL),
    ('expired a month ago', 'u', now() - interval '30 days', now() - interval '31 days', NULL),
    ('expired yesterday', 'u', now() - interval '1 day', now() - interval '2 days', NULL),
    ('idle for long', 'u', now() + interval '1 day', now() - interval '15 days', NULL),
    ('revoked a month ago', 'u', now() + interval '1 day', now(), now() - interval '30 days'),
    ('revoked yesterday', 'u', now() + interval '1 day', now(), now() - interval '1 day')`);
  await sql(`INSERT INTO portal_sessions (id, organization_id, token_hash, redeem_until) VALUES
    ('new', 'org', sha256('a'), now()), ('old', 'org', sha256('b'), now() - interval '8 days')`);
  await deleteOldSessions();
  await deleteOldPortalSessions();
  expect(await ids("sessions")).toEqual(["alive", "expired yesterday", "revoked yesterday"]);
  expect(await ids("portal_sessions")).toEqual(["new"]);
});

test("exports that ended go after 90 days; those under way and those with a file stay", async () => {
  const log = await createTestLog(db);
  for (const [id, state, age] of [
    ["expired, old", "expired", 91],
    ["failed, old", "failed", 91],
    ["failed, new", "failed", 89],
    ["ready", "ready", 91],
    ["running", "running", 91],
  ])
    await sql(
      `INSERT INTO exports (organization_id, id, state, format, search, created_by, updated_at)
       VALUES ($1, $2, $3, 'csv', '{}', 'x', now() - $4 * interval '1 day')`,
      ...[log, id, state, age],
    );
  await deleteOldExports();
  expect(await ids("exports")).toEqual(["failed, new", "ready", "running"]);
});

test("verifications go after 90 days, a log's last verdict does not", async () => {
  for (const [id, organization, age] of [
    ["a1", "org_a", 200],
    ["a2", "org_a", 100],
    ["b1", "org_b", 100],
    ["b2", "org_b", 1],
  ])
    await sql(
      `INSERT INTO jobs (id, kind, organization_id, state, created_at, finished_at)
       SELECT $1, 'verify', $2, 'succeeded', t, t FROM (SELECT now() - $3 * interval '1 day') AS made (t)`,
      ...[id, organization, age],
    );
  await deleteOldVerifications();
  expect(await ids("jobs")).toEqual(["a2", "b2"]);
});

test("discarded events and comparisons of a stream go after 90 days; what is set aside and the last word stay", async () => {
  const log = await createTestLog(db);
  await sql(
    "INSERT INTO streams (organization_id, id, name, destination, config) VALUES ($1, 's', 'SOC', 'webhook', '{}')",
    log,
  );
  await sql(
    `INSERT INTO dead_letters (organization_id, stream_id, seq, reason, created_at, discarded_at) VALUES
       ($1, 's', 1, 'no', now() - interval '99 days', NULL),
       ($1, 's', 2, 'no', now() - interval '99 days', now() - interval '91 days'),
       ($1, 's', 3, 'no', now() - interval '99 days', now() - interval '1 day')`,
    log,
  );
  for (const [age, error] of [
    [300, null],
    [200, null],
    [100, "away"],
  ])
    await sql(
      `INSERT INTO stream_reconciliations (organization_id, stream_id, checked_at, from_seq, to_seq, objects, events, checkpoints, error)
       VALUES ($1, 's', now() - $2 * interval '1 day', $2, 1, 0, 0, 0, $3)`,
      ...[log, age, error],
    );
  await deleteOldDeliveries();
  expect(await ids("dead_letters", "seq")).toEqual([1, 3]);
  expect(await ids("stream_reconciliations", "from_seq")).toEqual([100, 200]);
});
