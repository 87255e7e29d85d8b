import { afterAll, beforeAll, expect, test } from "vitest";
import { systemInstanceScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { createOrganization } from "./organizations";

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

test("more at once than there are connections are all made, under one prefix", async () => {
  const made = await Promise.all(
    Array.from({ length: 60 }, (_, n) =>
      createOrganization(systemInstanceScope("cli"), { name: `Many ${n}` }),
    ),
  );
  const { rows } = await db.owner.query(
    "SELECT count(*)::int AS heads, count(DISTINCT split_part(origin, '/org_', 1))::int AS prefixes FROM log_heads",
  );
  expect(rows).toEqual([{ heads: made.length, prefixes: 1 }]);
});
