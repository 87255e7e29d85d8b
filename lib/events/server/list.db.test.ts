import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { genesisHash } from "@/lib/chain/event-hash";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { newId } from "@/lib/ids";
import { placeHold } from "@/lib/retention/server/holds";
import { EMPTY_FILTER, type EventFilter } from "../filter/ast";
import { matches } from "../filter/match";
import { parseFilter } from "../filter/parse";
import { serializeFilter } from "../filter/serialize";
import { filterArbitrary, testSeed } from "../filter/test-arbitraries";
import { encodeCursor } from "./cursor";
import { getEvent } from "./get-event";
import { hasSentEvents } from "./ingestion-status";
import { type EventPage, listEvents, type PageRequest } from "./list";
import { createTestOrganization, insertTestEvents, type TestEvent } from "./test-events";
import { actorTimeline, targetTimeline } from "./timeline";

const seed = testSeed();
const COUNT = 1_500;
const ACTIONS = ["user.created", "user.deleted", "user.%", "invoice.sent"];

let db: TestDatabase;
let organizationId: string;
let emptyId: string;
let events: TestEvent[];

const scope = () => systemScope("cli", organizationId);

function testEvent(seq: number): TestEvent {
  const target = (rank: number) => ({ type: rank % 2 ? "doc" : "user", id: `t${rank}` });
  return {
    seq,
    id: newId("event"),
    action: ACTIONS[seq % ACTIONS.length] as string,
    version: 1,
    // Seven events share each second, and arrive out of order.
    occurred_at: new Date(Date.UTC(2026, 0, 1) + ((seq * 31) % 211) * 1000).toISOString(),
    actor: seq % 13 === 0 ? null : { type: "user", id: `a${seq % 5}`, name: "Zoë" },
    // An id of two types, the same target twice, an erased one.
    targets: [target(seq % 3), { type: "other", id: `t${seq % 3}` }, target(seq % 3), null],
    context: { location: `10.0.0.${seq % 4}` },
    metadata: seq % 50 === 0 ? { rare: true } : null,
  };
}

beforeAll(async () => {
  db = await testDatabase();
  const other = await createTestOrganization(db.owner);
  emptyId = await createTestOrganization(db.owner);
  organizationId = await createTestOrganization(db.owner);
  events = Array.from({ length: COUNT }, (_, seq) => testEvent(seq));
  await insertTestEvents(db.owner, organizationId, events);
  await insertTestEvents(
    db.owner,
    other,
    events.slice(0, 50).map((event) => ({ ...event, id: newId("event") })),
  );
});

afterAll(() => db.close());

function filterOf(query: string): EventFilter {
  const parsed = parseFilter(query);
  if (!parsed.ok) throw new Error(query);
  return parsed.filter;
}

function expectedSeqs(filter: EventFilter, { from, to }: PageRequest = {}): number[] {
  return events
    .filter((event) => matches(filter, event))
    .filter((event) => (!from || event.occurred_at >= from) && (!to || event.occurred_at < to))
    .sort((a, b) =>
      a.occurred_at < b.occurred_at ? 1 : a.occurred_at > b.occurred_at ? -1 : b.seq - a.seq,
    )
    .map((event) => event.seq);
}

/** All pages in one direction, newest first. */
async function walk(
  read: (page: PageRequest) => Promise<EventPage>,
  direction: "after" | "before",
  start: string | null,
  limit: number,
): Promise<number[]> {
  const seqs: number[] = [];
  let cursor = start;
  do {
    const page = await read({ limit, ...(cursor ? { [direction]: cursor } : {}) });
    expect(page.searchedTo).toBeNull();
    const found = page.rows.map((row) => row.seq);
    if (direction === "after") seqs.push(...found);
    else seqs.unshift(...found);
    cursor = direction === "after" ? page.next : page.previous;
  } while (cursor);
  return seqs;
}

const OLDEST = encodeCursor({ occurredAtMs: Date.UTC(2000, 0, 1), seq: 0 });

const QUERIES = [
  "",
  "actor:a1",
  "actor:(a1 OR a2 OR nobody)",
  "action:user.*",
  'action:"user.%"',
  "target:t1",
  "target:(t0 OR t2)",
  "target:t1 actor:a1 action:user.created",
  "ip:(10.0.0.1 OR 10.0.0.2) -actor:a1",
  "-has:actor",
  "zo\u00cb",
  "metadata.rare:true",
  "actor:a1 metadata.rare:true",
  "target:t0 metadata.rare:true",
  "action:nothing.* actor:a1",
  "actor:nobody",
];

describe("listEvents", () => {
  test.each(QUERIES)(
    "pages of %j, joined, are the whole result in both directions",
    async (query) => {
      const filter = filterOf(query);
      const read = (page: PageRequest) => listEvents(scope(), { filter, ...page });
      const expected = expectedSeqs(filter);
      expect(await walk(read, "after", null, 97)).toEqual(expected);
      expect(await walk(read, "before", OLDEST, 97)).toEqual(expected);
    },
  );

  test("any filter, time range and page size gives the whole result in both directions", async () => {
    const words = {
      values: ["a1", "a2", "t1", "user.created", "user.", "10.0.0.1", "zoë", "Zo", "doc", "true"],
      numbers: [0, 1, 2],
      networks: ["10.0.0.0/31"],
      paths: [["rare"], ["none"]],
    };
    const second = fc.integer({ min: 0, max: 211 });
    const iso = (at: number) => new Date(Date.UTC(2026, 0, 1) + at * 1000).toISOString();
    const request = fc.record({
      filter: filterArbitrary(words, 3),
      from: fc.option(second.map(iso)),
      to: fc.option(second.map(iso)),
      limit: fc.integer({ min: 120, max: 500 }),
      direction: fc.constantFrom("after" as const, "before" as const),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ limit, direction, ...given }) => {
        const read = (page: PageRequest) => listEvents(scope(), { ...given, ...page });
        const start = direction === "before" ? OLDEST : null;
        const seqs = await walk(read, direction, start, limit);
        const query = serializeFilter(given.filter);
        expect({ query, seqs }).toEqual({ query, seqs: expectedSeqs(given.filter, given) });
      }),
      { seed, numRuns: 1_000 },
    );
  }, 180_000);

  test("a page knows whether there is more on either side, and the way back leads to the same rows", async () => {
    const read = (page: PageRequest) => listEvents(scope(), { filter: EMPTY_FILTER, ...page });
    const first = await read({});
    expect(first.rows).toHaveLength(100);
    expect(first.previous).toBeNull();
    const second = await read({ after: first.next });
    expect(await read({ before: second.previous })).toMatchObject({
      rows: first.rows,
      previous: null,
    });
    const beyond = await read({ after: OLDEST });
    expect(beyond).toMatchObject({ rows: [], next: null });
    expect((await read({ before: beyond.previous, limit: 500 })).rows.at(-1)?.seq).toBe(
      expectedSeqs(EMPTY_FILTER).at(-1),
    );
  });

  test("a row shows what a list needs, erased parts marked", async () => {
    const page = await listEvents(scope(), { filter: filterOf(`id:${events[13]?.id}`) });
    expect(page).toEqual({
      rows: [
        {
          id: events[13]?.id,
          seq: 13,
          action: "user.deleted",
          version: 1,
          occurredAt: events[13]?.occurred_at,
          recordedAt: expect.stringMatching(/T00:00:00\.000Z$/),
          actor: { type: "erased", id: "erased" },
          targets: [
            { type: "doc", id: "t1" },
            { type: "other", id: "t1" },
            { type: "doc", id: "t1" },
            { type: "erased", id: "erased" },
          ],
          location: "10.0.0.1",
        },
      ],
      next: null,
      previous: null,
      searchedTo: null,
    });
  });

  test.each([
    { after: "x" },
    { before: Buffer.from("[1]").toString("base64url") },
    { after: OLDEST, before: OLDEST },
    { limit: 0 },
    { limit: 501 },
  ])("%j is refused", async (page) => {
    await expect(listEvents(scope(), { filter: EMPTY_FILTER, ...page })).rejects.toMatchObject({
      code: "invalid_request",
    });
  });

  test.each(["after", "before"] as const)(
    "a search that stops early says how far it came and goes on from there (%s)",
    async (direction) => {
      const filter = filterOf("metadata.rare:true");
      // A sixteenth of it is the first step, and the only one.
      const scan = { step: 1_600, targetStep: 1_600, budgetMs: -1 };
      const seqs: number[] = [];
      let cursor: string | null = direction === "before" ? OLDEST : null;
      let stops = 0;
      do {
        const page: EventPage = await listEvents(
          scope(),
          { filter, ...(cursor ? { [direction]: cursor } : {}) },
          scan,
        );
        if (page.searchedTo) {
          stops += 1;
          expect(page.searchedTo).toMatch(/^2026-01-01T00:0\d:\d\d\.000Z$/);
        }
        const found = page.rows.map((row) => row.seq);
        if (direction === "after") seqs.push(...found);
        else seqs.unshift(...found);
        cursor = direction === "after" ? page.next : page.previous;
      } while (cursor);
      expect(stops).toBe(COUNT / 100);
      expect(seqs).toEqual(expectedSeqs(filter));
    },
  );
});

describe("timelines", () => {
  test("an actor's and a target's timeline page through exactly their events", async () => {
    const actor = (page: PageRequest) =>
      actorTimeline(scope(), { actorId: "a1", actorType: "user", ...page });
    expect(await walk(actor, "after", null, 50)).toEqual(expectedSeqs(filterOf("actor:a1")));
    const nobody = await actorTimeline(scope(), { actorId: "a1", actorType: "service" });
    expect(nobody.rows).toEqual([]);
    const target = (page: PageRequest) =>
      targetTimeline(scope(), { targetType: "doc", targetId: "t1", ...page });
    expect(await walk(target, "after", null, 50)).toEqual(expectedSeqs(filterOf("target:t1")));
    const wrongType = await targetTimeline(scope(), { targetType: "user", targetId: "t1" });
    expect(wrongType.rows).toEqual([]);
  });
});

describe("getEvent", () => {
  test("gives the event as it leaves the system, with its link to the one before", async () => {
    const detail = await getEvent(scope(), events[1]?.id as string);
    expect(detail).toMatchObject({ seq: 1, organizationId, location: "10.0.0.1" });
    expect(JSON.stringify(detail?.event)).toBe(
      JSON.stringify({
        id: events[1]?.id,
        organization_id: organizationId,
        action: "user.deleted",
        version: 1,
        occurred_at: events[1]?.occurred_at,
        actor: { id: "a1", type: "user", name: "Zoë" },
        targets: [
          { id: "t1", type: "doc" },
          { id: "t1", type: "other" },
          { id: "t1", type: "doc" },
          { type: "erased", id: "erased" },
        ],
        context: { location: "10.0.0.1" },
      }),
    );
    const first = await getEvent(scope(), events[0]?.id as string);
    expect(detail?.previousHash).toBe(first?.chainHash);
    expect(first?.previousHash).toBe(genesisHash(`test/${organizationId}`).toString("hex"));
  });

  test("another organization's event does not exist", async () => {
    const id = events[1]?.id as string;
    expect(await getEvent(systemScope("cli", emptyId), id)).toBeNull();
    expect(await getEvent(scope(), "audit_event_x")).toBeNull();
  });
});

test("an organization was sent events once it holds one that is not of its log's own", async () => {
  expect(await hasSentEvents(scope())).toBe(true);
  const empty = systemScope("cli", emptyId);
  expect(await hasSentEvents(empty)).toBe(false);
  await placeHold(empty, "case 4");
  expect(await hasSentEvents(empty)).toBe(false);
});
