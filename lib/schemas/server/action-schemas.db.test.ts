import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemInstanceScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { newEvent } from "@/lib/events/server/test-log";
import { parseListQuery, readListPage } from "@/lib/http/list-page";
import { createActionSchema, listActionSchemas, listActions } from "./action-schemas";
import { checkEventSchema, forgetUnknown, setUnknownActions } from "./check-event";

const scope = systemInstanceScope("cli");
const doc = { targets: [{ type: "doc" }] };
const create = (action: string, schema: object = {}) =>
  createActionSchema(scope, action, { ...doc, ...schema });

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

/** What is wrong, as pointers and keywords. */
async function problems(given: Parameters<typeof newEvent>[0]): Promise<string[]> {
  forgetUnknown();
  try {
    await checkEventSchema(newEvent(given));
    return [];
  } catch (error) {
    const { code, details } = error as {
      code: string;
      details: { errors: { instancePath: string; keyword: string }[] };
    };
    expect(code).toBe("schema_mismatch");
    return details.errors.map(({ instancePath, keyword }) => `${instancePath} ${keyword}`);
  }
}

describe("versions of a schema", () => {
  test("are counted per action, also when many are made at once, and never change", async () => {
    const made = await Promise.all(Array.from({ length: 8 }, () => create("many.made")));
    expect(made.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect((await create("other.made")).version).toBe(1);
    await expect(
      db.app.query("UPDATE action_schemas SET targets = '[]' WHERE action = 'many.made'"),
    ).rejects.toThrow("permission denied");
  });

  test("205 of them are read to the end, page by page, in both orders", async () => {
    for (let version = 1; version <= 205; version += 1) await create("listed.made");
    for (const order of ["asc", "desc"] as const) {
      const seen: number[] = [];
      let after = "";
      do {
        const page = await readListPage(
          parseListQuery(new URLSearchParams({ limit: "100", order, after })),
          (step) => listActionSchemas(scope, "listed.made", step),
          ({ version }) => version,
        );
        seen.push(...page.data);
        after = page.list_metadata.after ?? "";
      } while (after);
      const expected = Array.from({ length: 205 }, (_, index) => index + 1);
      expect(seen).toEqual(order === "asc" ? expected : expected.reverse());
    }
    await expect(
      listActionSchemas(scope, "nobody.made", { from: null, direction: "desc", limit: 2 }),
    ).rejects.toMatchObject({ code: "not_found" });
  });

  test("actions are listed once, with their newest version", async () => {
    const actions = await listActions(scope, { from: null, direction: "asc", limit: 3 });
    expect(actions.map(({ name, schema }) => [name, schema.version])).toEqual([
      ["many.made", 8],
      ["other.made", 1],
      ["listed.made", 205],
    ]);
    const [first] = actions;
    const rest = await listActions(scope, {
      from: first?.id as string,
      direction: "asc",
      limit: 1,
    });
    expect(rest[0]?.name).toBe("other.made");
  });
});

describe("an event", () => {
  const typed = (type: string) => ({ type: "object", properties: { value: { type } } });

  test("has every target its schema names, and metadata of the kinds it asks for", async () => {
    await create("checked.one", {
      targets: [{ type: "doc", metadata: typed("string") }, { type: "team" }],
      actor: { metadata: { ...typed("boolean"), required: ["value"] } },
      metadata: typed("number"),
    });
    const team = { type: "team", id: "t" };
    const valid = {
      action: "checked.one",
      actor: { type: "user", id: "u", metadata: { value: true } },
      targets: [{ type: "doc", id: "d", metadata: { value: "x" } }, team],
      metadata: { value: 1, more: "free" },
    };
    expect(await problems(valid)).toEqual([]);
    expect(await problems({ ...valid, targets: [team, team] })).toEqual(["/targets contains"]);
    expect(await problems({ ...valid, metadata: { value: "1" } })).toEqual([
      "/metadata/value type",
    ]);
    expect(await problems({ ...valid, actor: { type: "user", id: "u" } })).toEqual([
      "/actor/metadata required",
    ]);
    const bad = { type: "doc", id: "d", metadata: { value: 1 } };
    expect(await problems({ ...valid, targets: [team, bad] })).toEqual([
      "/targets/1/metadata/value type",
    ]);
  });

  test("of a version that there is not is refused; of an unknown action only when so chosen", async () => {
    await create("checked.two");
    expect(await problems({ action: "checked.two", version: 2 })).toEqual(["/version registered"]);
    expect(await problems({ action: "never.heard" })).toEqual([]);
    await setUnknownActions(scope, "refuse");
    expect(await problems({ action: "never.heard" })).toEqual(["/action registered"]);
    await setUnknownActions(scope, "accept");
    expect(await problems({ action: "never.heard" })).toEqual([]);
  });
});
