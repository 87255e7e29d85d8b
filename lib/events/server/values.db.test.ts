import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { newId } from "@/lib/ids";
import { FACET_SAMPLE } from "../facets";
import { fields, isKeyed } from "../fields";
import { removeClause } from "../filter/edit";
import { fieldTexts, matches } from "../filter/match";
import { parseFilter } from "../filter/parse";
import { readOldest, readRestored } from "./restored";
import { createTestOrganization, insertTestEvents, type TestEvent } from "./test-events";
import { readValues, VALUE_SAMPLE } from "./values";

const COUNT = 600;
const HOSTILE = [`'; DROP TABLE events; --`, "100%_odd\\", "ünïcode", '"quoted"', "a b"];
let db: TestDatabase;
let organizationId: string;
let events: TestEvent[];
const scope = (id = organizationId) => systemScope("cli", id);

function filterOf(q: string) {
  const parsed = parseFilter(q);
  if (!parsed.ok) throw new Error(q);
  return parsed.filter;
}

function testEvent(seq: number): TestEvent {
  return {
    seq,
    id: newId("event"),
    action: `a.${seq % 40}`,
    version: 1 + (seq % 3),
    occurred_at: new Date(Date.UTC(2026, 0, 1) + seq * 60_000).toISOString(),
    actor: {
      type: "user",
      id: HOSTILE[seq % 50] ?? `u${seq % 50}`,
      name: `User ${seq % 50}`,
      metadata: { team: `team ${seq % 4}` },
    },
    targets: [{ type: "doc", id: `t${seq % 30}`, name: HOSTILE[seq % 5] as string }],
    context: { location: `10.0.0.${seq % 20}`, user_agent: `agent ${seq % 3}` },
    metadata: { region: `r${seq % 5}`, "odd key": seq, note: HOSTILE[seq % 5] },
  };
}

beforeAll(async () => {
  db = await testDatabase();
  organizationId = await createTestOrganization(db.owner);
  const other = await createTestOrganization(db.owner);
  events = Array.from({ length: COUNT }, (_, seq) => testEvent(seq));
  await insertTestEvents(db.owner, organizationId, events);
  const foreign = events.slice(0, 50).map((event, seq) => ({
    ...event,
    id: newId("event"),
    action: `foreign.${seq}`,
    actor: { type: "user", id: `foreign${seq}`, name: "foreign" },
    targets: [{ type: "foreign", id: `foreign${seq}` }],
    context: { location: "10.9.9.9", user_agent: "foreign" },
    metadata: { foreign: "foreign" },
  }));
  await insertTestEvents(db.owner, other, foreign);
});
afterAll(() => db.close());

const refs = fields.map((field) => ({
  id: field.id,
  path: isKeyed(field) ? [field.id === "metadata" ? "note" : "team"] : [],
}));

describe("values of a field", () => {
  test.each(refs)("$id: each is one that the log holds, and fits what was typed", async (field) => {
    const held = new Map<string, number>();
    for (const event of events)
      for (const text of new Set(fieldTexts(field, event)))
        held.set(text, (held.get(text) ?? 0) + 1);
    expect(held.size).toBeGreaterThan(0);
    const some = [...held.keys()][0] as string;
    for (const typed of [
      "",
      some.slice(0, 1),
      some.slice(0, 3),
      some,
      ...HOSTILE,
      "%",
      "_",
      "\\",
    ]) {
      const { values, hasEveryStart, counted } = await readValues(scope(), field, typed);
      expect(counted).toEqual({ kind: "all" });
      const starting = [...held.keys()].filter((value) => value.startsWith(typed));
      for (const { value, name, count, matched } of values) {
        expect(held.has(value), `${typed}: ${value}`).toBe(true);
        if (count !== null) expect(count).toBe(held.get(value));
        if (matched === "start") expect(value.startsWith(typed)).toBe(true);
        else expect(`${value}\n${name}`.toLowerCase(), typed).toContain(typed.toLowerCase());
      }
      if (starting.includes(typed)) expect(values[0]?.value).toBe(typed);
      if (hasEveryStart && starting.length <= 10)
        expect(values.filter(({ matched }) => matched === "start")).toHaveLength(starting.length);
      expect(values.length).toBeLessThanOrEqual(12);
    }
  });

  test("a person is found by name where the field has names", async () => {
    const { values } = await readValues(scope(), { id: "actor", path: [] }, "user 17");
    expect(values).toEqual([{ value: "u17", name: "User 17", count: 12, matched: "name" }]);
  });

  test("the keys of a keyed field are offered before its values", async () => {
    const keys = async (id: "metadata" | "actor.metadata", typed: string) =>
      (await readValues(scope(), { id, path: [] }, typed)).values.map(({ value }) => value).sort();
    expect(await keys("metadata", "")).toEqual(["note", "odd key", "region"]);
    expect(await keys("metadata", "ODD")).toEqual(["odd key"]);
    expect(await keys("actor.metadata", "")).toEqual(["team"]);
  });

  test("beyond the newest events the index still knows what begins with the text, and the answer says so", async () => {
    const large = await createTestOrganization(db.owner);
    const many = Array.from({ length: FACET_SAMPLE + 20 }, (_, seq) => ({
      ...testEvent(seq),
      id: newId("event"),
      actor: { type: "user", id: seq < 15 ? `old${seq}` : "new", name: "Someone" },
      targets: [{ type: "doc", id: seq < 3 ? `past${seq}` : "now" }],
      metadata: null,
    }));
    for (let at = 0; at < many.length; at += 2_000)
      await insertTestEvents(db.owner, large, many.slice(at, at + 2_000));
    const actors = await readValues(scope(large), { id: "actor", path: [] }, "old");
    expect(actors).toMatchObject({
      hasEveryStart: false,
      counted: { kind: "newest", matches: VALUE_SAMPLE },
    });
    expect(actors.values).toHaveLength(12);
    const targets = await readValues(scope(large), { id: "target", path: [] }, "past");
    expect(targets.hasEveryStart).toBe(true);
    expect(targets.values.map(({ value, count }) => [value, count])).toEqual([
      ["past0", null],
      ["past1", null],
      ["past2", null],
    ]);
    const [restored] = await readRestored(scope(large), {
      filter: filterOf("action:none"),
      from: null,
      to: null,
    });
    expect(restored).toMatchObject({ matches: FACET_SAMPLE, counted: { kind: "newest" } });
  }, 60_000);
});

describe("what a search without a match would find", () => {
  test("counts are those of the filter without each part, and of all time", async () => {
    const filter = filterOf("action:a.3 actor:u17 ip:10.0.0.0/8 -has:metadata.region");
    const [from, to] = ["2026-01-01T00:00:00.000Z", "2026-01-01T05:00:00.000Z"];
    const restored = await readRestored(scope(), { filter, from, to });
    const count = (index: number | null, bounded: boolean) =>
      events.filter(
        (event) =>
          matches(index === null ? filter : removeClause(filter, index), event) &&
          (!bounded || (event.occurred_at >= from && event.occurred_at < to)),
      ).length;
    expect(restored.map(({ without, matches: found }) => [without, found])).toEqual([
      ...filter.clauses.map((_, index) => [index, count(index, true)]),
      ["time", count(null, false)],
    ]);
    const single = filterOf("action:a.3 actor:nobody");
    const answers = await readRestored(scope(), { filter: single, from: null, to: null });
    expect(answers.map(({ matches: found, counted }) => [found, counted.kind])).toEqual([
      [0, "all"],
      [events.filter(({ action }) => action === "a.3").length, "all"],
    ]);
  });

  test("the oldest event is this organization's own; an empty log has none", async () => {
    expect(await readOldest(scope())).toBe(events[0]?.occurred_at);
    expect(await readOldest(scope(await createTestOrganization(db.owner)))).toBeNull();
  });
});
