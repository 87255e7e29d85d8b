import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { Prisma } from "@/lib/generated/prisma/client";
import { readRows } from "./read";

let db: TestDatabase;

beforeAll(async () => {
  process.env.TRAILSEAL_STATEMENT_TIMEOUT_MS = "300";
  db = await testDatabase();
});

afterAll(() => db.close());

describe("a read", () => {
  test("that takes too long is a timeout with advice", async () => {
    await expect(readRows(Prisma.sql`SELECT pg_sleep(5)::text`)).rejects.toMatchObject({
      code: "timeout",
      message: expect.stringMatching(/^The database did not answer in 0\.3 s\./),
    });
  });

  test("that the database refuses for another reason keeps its error", async () => {
    await expect(readRows(Prisma.sql`SELECT 1/0`)).rejects.not.toMatchObject({ name: "AppError" });
  });

  test("without a database is unavailable", async () => {
    const { DATABASE_URL } = process.env;
    process.env.DATABASE_URL = "postgresql://x:x@127.0.0.1:1/none";
    try {
      await expect(readRows(Prisma.sql`SELECT 1`)).rejects.toMatchObject({ code: "unavailable" });
    } finally {
      process.env.DATABASE_URL = DATABASE_URL;
    }
  });
});
