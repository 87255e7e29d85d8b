import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Prisma } from "@/lib/generated/prisma/client";
import { getPrisma } from "./prisma";
import { type TestDatabase, testDatabase } from "./test-database";

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});

afterAll(() => db.close());

describe("schema", () => {
  test.each(Object.values(Prisma.ModelName))("the client's %s reads its table", async (model) => {
    const delegate = model.charAt(0).toLowerCase() + model.slice(1);
    const client = getPrisma() as unknown as Record<string, { findFirst(): Promise<unknown> }>;
    await expect(client[delegate]?.findFirst()).resolves.toBeNull();
  });

  test.each(["UPDATE events SET action = 'x'", "DELETE FROM events", "TRUNCATE events"])(
    "the app's login cannot: %s",
    async (sql) => {
      await expect(db.app.query(sql)).rejects.toMatchObject({ code: "42501" });
    },
  );

  test.each(["UPDATE event_targets SET target_id = 'x'", "DELETE FROM event_targets"])(
    "the app's login cannot: %s",
    async (sql) => {
      await expect(db.app.query(sql)).rejects.toMatchObject({ code: "42501" });
    },
  );

  test.each([
    "INSERT INTO checkpoints VALUES ('org_a', 'x', 1, '', '')",
    "INSERT INTO directory_entries VALUES ('x', 0, 'org_a', 'y', 1, '')",
    "INSERT INTO directory_checkpoints VALUES ('x', 1, '', '')",
    "INSERT INTO prunes VALUES ('org_a', 1, '', '{}', 1)",
    "INSERT INTO log_epochs VALUES ('org_a', 1, 0, 'x')",
  ])("where the signer has a login of its own, the app's cannot: %s", async (sql) => {
    await expect(db.app.query(sql)).rejects.toMatchObject({ code: "42501" });
  });

  test("the app's login cannot change a version of an action's schema", async () => {
    await expect(db.app.query("UPDATE action_schemas SET targets = '[]'")).rejects.toMatchObject({
      code: "42501",
    });
  });

  test("the owner cannot change an event either", async () => {
    await db.owner.query(`INSERT INTO organizations (id, name) VALUES ('org_a', 'A');`);
    await db.owner.query(
      `INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, targets, salts, chain_hash)
       VALUES ('org_a', 0, now(), now(), 1, 'audit_event_x', 'a', '[]', '', '')`,
    );
    await expect(db.owner.query("UPDATE events SET action = 'b'")).rejects.toMatchObject({
      code: "42501",
    });
    await expect(db.owner.query("DELETE FROM events")).rejects.toMatchObject({ code: "42501" });
  });

  test("a sequence number cannot be used twice in a month's partition", async () => {
    const insert = (id: string) =>
      db.owner.query(
        `INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, targets, salts, chain_hash)
         VALUES ('org_a', 7, clock_timestamp(), now(), 1, $1, 'a', '[]', '', '')`,
        [id],
      );
    await insert("audit_event_1");
    await expect(insert("audit_event_2")).rejects.toMatchObject({ code: "23505" });
  });

  test("partitions reach three months ahead, and the app can ask for more", async () => {
    const later = await db.app.query(
      "SELECT ensure_partitions(now() + interval '5 months') AS made",
    );
    expect(later.rows[0].made).toBeGreaterThan(0);
    const again = await db.app.query("SELECT ensure_partitions() AS made");
    expect(again.rows[0].made).toBe(0);
  });
});
