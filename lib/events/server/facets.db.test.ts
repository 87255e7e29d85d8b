import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { newId } from "@/lib/ids";
import { FACET_SAMPLE } from "../facets";
import type { EventFilter } from "../filter/ast";
import { clearField } from "../filter/edit";
import { fieldTexts, matches } from "../filter/match";
import { parseFilter } from "../filter/parse";
import { columnField } from "../table-layout";
import { readFacets, readMetadataKeys } from "./facets";
import { followRollups } from "./rollups";
import { createTestOrganization, insertTestEvents, type TestEvent } from "./test-events";

const COUNT = 900;
let db: TestDatabase;
let organizationId: string;
let events: TestEvent[];

const scope = (id = organizationId) => systemScope("cli", id);
const NAMES = ["action", "actor", "target.type", "target", "ip", "metadata.region", "agent"];
const field = (name: string) => columnField(name) as NonNullable<ReturnType<typeof columnField>>;

function filterOf(q: string): EventFilter {
  const parsed = parseFilter(q);
  if (!parsed.ok) throw new Error(q);
  return parsed.filter;
}

function testEvent(seq: number): TestEvent {
  return {
    seq,
    id: newId("event"),
    action: `a.${seq % 14}`,
    version: 1,
    occurred_at: new Date(Date.UTC(2026, 0, 1) + ((seq * 37) % COUNT) * 60_000).toISOString(),
    actor:
      seq % 17 === 0
        ? null
        : { type: "user", id: `u${(seq * seq) % 30}`, name: `User ${(seq * seq) % 30}` },
    targets: [
      { type: seq % 3 ? "doc" : "team", id: `t${seq % 25}`, name: "100%_odd" },
      { type: "doc", id: `t${seq % 25}` },
      { type: "doc", id: `x${seq % 4}` },
    ],
    context: seq % 5 ? { location: `10.0.0.${seq % 12}`, user_agent: "curl" } : null,
    metadata: seq % 2 ? { region: `r${seq % 3}`, nested: { a: 1 }, n: seq } : null,
  };
}

beforeAll(async () => {
  db = await testDatabase();
  organizationId = await createTestOrganization(db.owner);
  const other = await createTestOrganization(db.owner);
  events = Array.from({ length: COUNT }, (_, seq) => testEvent(seq));
  await insertTestEvents(db.owner, organizationId, events);
  await insertTestEvents(
    db.owner,
    other,
    events.slice(0, 300).map((event) => ({ ...event, id: newId("event") })),
  );
});

afterAll(() => db.close());

/** Counts in memory, by the meaning of the filter language. */
function expectedCounts(filter: EventFilter, name: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const event of events.filter((each) => matches(clearField(filter, field(name)), each)))
    for (const value of new Set(fieldTexts(field(name), event)))
      counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

describe("facets", () => {
  test.each([
    "",
    "action:a.3",
    "-action:a.3 actor:u4",
    "actor:(u1 OR u4)",
    "target:t3 ip:10.0.0.0/24",
    "metadata.region:r1 -target.type:team",
    "a.1",
    "action:a.*",
    "has:metadata.n",
    "ip:10.9.9.9",
  ])("under `%s` each field counts what all clauses but its own find", async (q) => {
    const filter = filterOf(q);
    const asked = { filter, from: null, to: null };
    const facets = await readFacets(scope(), asked, NAMES.map(field));
    for (const [index, name] of NAMES.entries()) {
      const expected = expectedCounts(filter, name);
      const { values, distinct, counted } = facets[index] as (typeof facets)[number];
      expect(counted).toEqual({ kind: "all" });
      expect(distinct).toBe(expected.size);
      for (const { value, count } of values)
        expect([name, value, count]).toEqual([name, value, expected.get(value) ?? 0]);
      // The ten most frequent, ties by value.
      const top = [...expected].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)).slice(0, 10);
      expect(values.slice(0, top.length).map(({ value }) => value)).toEqual(
        top.map(([value]) => value),
      );
    }
  });

  test("a selected value stays, even where nothing has it", async () => {
    const filter = filterOf("actor:(nobody OR u1) -target:t24");
    const [actor, target] = await readFacets(scope(), { filter, from: null, to: null }, [
      field("actor"),
      field("target"),
    ]);
    expect(actor?.values).toContainEqual({ value: "nobody", name: null, count: 0 });
    expect(actor?.values.find(({ value }) => value === "u1")?.name).toBe("User 1");
    expect(target?.values.some(({ value }) => value === "t24")).toBe(true);
  });

  test("search looks into every value and name, wildcards taken literally", async () => {
    const asked = { filter: filterOf(""), from: null, to: null };
    const find = async (name: string, search: string) =>
      (await readFacets(scope(), asked, [field(name)], search))[0]?.values.map(
        ({ value }) => value,
      );
    expect(await find("actor", "USER 2")).toEqual(
      expect.arrayContaining(
        ["u2", "u25"].filter((id) =>
          events.some((event) => (event.actor as { id?: string } | null)?.id === id),
        ),
      ),
    );
    expect(await find("target", "100%_o")).toContain("t1");
    expect(await find("action", "A.1")).toEqual(expect.arrayContaining(["a.1", "a.10"]));
    expect(await find("target", "%")).not.toContain("x1");
  });

  test("a time range bounds what is counted", async () => {
    const [from, to] = ["2026-01-01T02:00:00.000Z", "2026-01-01T04:00:00.000Z"];
    const [action] = await readFacets(scope(), { filter: filterOf(""), from, to }, [
      field("action"),
    ]);
    const inside = events.filter(({ occurred_at: at }) => at >= from && at < to);
    for (const { value, count } of action?.values ?? [])
      expect(count).toBe(inside.filter((event) => event.action === value).length);
    expect(action?.distinct).toBe(new Set(inside.map((event) => event.action)).size);
  });

  test("counts of all actions are exact with rollups behind the head, and after they caught up", async () => {
    const asked = { filter: filterOf(""), from: null, to: null };
    const before = await readFacets(scope(), asked, [field("action")]);
    await followRollups(organizationId);
    expect(await readFacets(scope(), asked, [field("action")])).toEqual(before);
    const counts = expectedCounts(filterOf(""), "action");
    for (const { value, count } of before[0]?.values ?? []) expect(count).toBe(counts.get(value));
  });

  test("beyond the sample it says how many of the newest matches were counted, and back to when", async () => {
    const many = await createTestOrganization(db.owner);
    const total = FACET_SAMPLE + 500;
    await insertTestEvents(
      db.owner,
      many,
      Array.from({ length: total }, (_, seq) => ({
        seq,
        id: newId("event"),
        action: seq < 500 ? "old" : "new",
        version: 1,
        occurred_at: new Date(Date.UTC(2026, 0, 1) + seq * 1000).toISOString(),
        actor: { type: "user", id: "u" },
        targets: [],
        context: null,
        metadata: seq === 0 ? { rare: "x" } : null,
      })),
    );
    const [actor] = await readFacets(scope(many), { filter: filterOf(""), from: null, to: null }, [
      field("actor"),
    ]);
    const backTo = new Date(Date.UTC(2026, 0, 1) + 500_000).toISOString();
    expect(actor).toEqual({
      values: [{ value: "u", name: null, count: FACET_SAMPLE }],
      distinct: 1,
      counted: { kind: "newest", matches: FACET_SAMPLE, backTo },
    });
    const keys = await readMetadataKeys(scope(many), {
      filter: filterOf(""),
      from: null,
      to: null,
    });
    expect(keys).toMatchObject({ keys: [], counted: { kind: "newest", matches: 1_000 } });
  });

  test("of many metadata keys the most frequent are given, and how many there are", async () => {
    const wide = await createTestOrganization(db.owner);
    const metadata = Object.fromEntries(Array.from({ length: 33 }, (_, key) => [`k${key}`, 1]));
    await insertTestEvents(db.owner, wide, [
      { ...testEvent(0), id: newId("event"), metadata },
      { ...testEvent(1), id: newId("event"), metadata: { k32: 2 } },
    ]);
    const asked = { filter: filterOf(""), from: null, to: null };
    const { keys, distinct } = await readMetadataKeys(scope(wide), asked);
    expect(keys).toHaveLength(20);
    expect(keys[0]).toEqual({ key: "k32", count: 2 });
    expect(distinct).toBe(33);
  });

  test("metadata keys are those that the newest matches have", async () => {
    const asked = { filter: filterOf("metadata.region:r1"), from: null, to: null };
    const { keys, counted } = await readMetadataKeys(scope(), asked);
    const count = events.filter((event) => matches(asked.filter, event)).length;
    expect(keys).toEqual(["n", "nested", "region"].map((key) => ({ key, count })));
    expect(counted).toEqual({ kind: "all" });
  });

  test("an organization without events has facets without values", async () => {
    const empty = await createTestOrganization(db.owner);
    const facets = await readFacets(
      scope(empty),
      { filter: filterOf(""), from: null, to: null },
      NAMES.map(field),
    );
    for (const facet of facets)
      expect(facet).toEqual({ values: [], distinct: 0, counted: { kind: "all" } });
  });
});
