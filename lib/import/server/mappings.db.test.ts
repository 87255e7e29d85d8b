import { afterAll, beforeAll, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { createTestLog } from "@/lib/events/server/test-log";
import { parseInput } from "@/lib/http/parse-input";
import { mappingSchema } from "../mapping";
import { deleteMapping, getMapping, listMappings, MAX_MAPPINGS, saveMapping } from "./mappings";

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});

afterAll(() => db.close());

const mapping = (source: string) =>
  parseInput(mappingSchema, {
    mapping_version: 1,
    source,
    action: { column: "what" },
    occurred_at: { column: "when", format: "iso" },
    actor: { type: { constant: "user" }, id: { column: "who" } },
  });

async function organization() {
  const organizationId = await createTestLog(db);
  const actions = async () =>
    (
      await db.owner.query("SELECT action FROM events WHERE organization_id = $1 ORDER BY seq", [
        organizationId,
      ])
    ).rows.map(({ action }) => action);
  return { scope: systemScope("cli", organizationId), actions };
}

test("a mapping is kept by name in its own organization alone, and every change is in the log", async () => {
  const { scope, actions } = await organization();
  const { scope: elsewhere } = await organization();
  await saveMapping(scope, "CRM", mapping("a"));
  await saveMapping(scope, "CRM", mapping("b"));
  expect(await getMapping(scope, "CRM")).toEqual(mapping("b"));
  expect((await listMappings(scope)).map(({ name }) => name)).toEqual(["CRM"]);
  expect(await listMappings(elsewhere)).toEqual([]);
  for (const touch of [getMapping, deleteMapping])
    await expect(touch(elsewhere, "CRM")).rejects.toThrow("no saved mapping “CRM”");
  await deleteMapping(scope, "CRM");
  await expect(deleteMapping(scope, "CRM")).rejects.toMatchObject({ code: "not_found" });
  expect(await actions()).toEqual([
    "trailseal.import_mapping_saved",
    "trailseal.import_mapping_saved",
    "trailseal.import_mapping_deleted",
  ]);
});

test("the limit holds, also when two are saved at once, and what is there can still be changed", async () => {
  const { scope } = await organization();
  await db.owner.query(
    `INSERT INTO import_mappings (organization_id, name, mapping, created_by)
     SELECT $1, 'm' || n, $2, 'cli' FROM generate_series(2, $3::int) n`,
    [scope.organizationId, JSON.stringify(mapping("x")), MAX_MAPPINGS],
  );
  const saved = await Promise.allSettled(
    ["one", "two"].map((name) => saveMapping(scope, name, mapping("x"))),
  );
  expect(saved.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  await saveMapping(scope, "m2", mapping("y"));
  expect((await getMapping(scope, "m2")).source).toBe("y");
});
