import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { splitStatements } from "./sql-statements";

describe("splitStatements", () => {
  test("splits at semicolons, not inside strings, identifiers, comments or dollar quotes", () => {
    const sql = `SELECT 'a;b'';c'; -- no; split
      /* nor; here */ CREATE TABLE "odd;name" (x text);
      DO $$ BEGIN PERFORM 1; END $$;
      CREATE FUNCTION f() RETURNS text AS $body$ SELECT $$;$$::text; $body$ LANGUAGE sql`;
    expect(splitStatements(sql).map((statement) => statement.split(/\s+/)[0])).toHaveLength(4);
  });

  test("what is only a comment is no statement", () => {
    expect(splitStatements("-- nothing\n/* at all */;\n;")).toEqual([]);
  });

  test("an unterminated quote is an error, not a truncated migration", () => {
    expect(() => splitStatements("SELECT 'a; SELECT 1;")).toThrow("Unterminated");
  });

  test("the first migration splits into statements that each begin like one", () => {
    const statements = splitStatements(
      readFileSync("prisma/migrations/0001_init/migration.sql", "utf8"),
    );
    const verbs = statements.map((text) => text.replace(/^(\s|--[^\n]*\n)+/, "").split(/\s/)[0]);
    expect(new Set(verbs)).toEqual(new Set(["DO", "CREATE", "ALTER", "SELECT", "REVOKE", "GRANT"]));
  });
});
