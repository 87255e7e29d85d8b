import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { newId } from "@/lib/ids";
import { EMPTY_FILTER, type EventFilter } from "../filter/ast";
import { NASTY } from "../filter/test-arbitraries";
import { isClause, type Lane, type Subject } from "../subject";
import type { TimelineRow } from "../timeline";
import { encodeCursor } from "./cursor";
import { readFirstTimes } from "./first-times";
import { createTestOrganization, insertTestEvents, type TestEvent } from "./test-events";
import { countDays, describeSubject, readTimeline, readUsual } from "./timeline";

const COUNT = 900;
const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 0, 1);
/** Acts, is acted upon, and once a day acts upon itself. */
const ADA: Subject = { role: "actor", type: "user", id: "ada" };
const HOSTILE = NASTY.map((text, index) => ({ id: `${text}`, index }));

let db: TestDatabase;
let organizationId: string;
let otherId: string;

const scope = () => systemScope("cli", organizationId);

function testEvent(seq: number): TestEvent {
  const actorId = ["ada", "bob", "ada", "busy", "busy"][seq % 5] as string;
  const targetId = ["ada", "doc_1", "doc_2"][(seq * 7) % 3] as string;
  return {
    seq,
    id: newId("event"),
    action: ["doc.viewed", "doc.deleted", "user.updated", `rare.${seq}`][
      seq % 29 === 0 ? 3 : seq % 3
    ] as string,
    version: 1,
    // Several events share a second; they arrive out of order.
    occurred_at: new Date(START_MS + ((seq * 37) % 600) * 4 * 60_000).toISOString(),
    actor: { type: seq % 31 === 0 ? "service" : "user", id: actorId, name: `Name of ${actorId}` },
    targets: [
      {
        type: targetId === "ada" ? (seq % 2 ? "user" : "account") : "doc",
        id: targetId,
        name: targetId,
      },
      ...(seq % 4 === 0
        ? [
            { type: "user", id: "ada" },
            { type: "account", id: "ada" },
          ]
        : []),
    ],
    context: {
      location: seq % 7 === 0 ? `10.1.0.${seq % 250}` : `10.0.0.${seq % 3}`,
      user_agent: seq % 2 ? "curl/8" : "Mozilla/5.0",
    },
    metadata: null,
  };
}

beforeAll(async () => {
  db = await testDatabase();
  otherId = await createTestOrganization(db.owner);
  organizationId = await createTestOrganization(db.owner);
  const events = Array.from({ length: COUNT }, (_, seq) => testEvent(seq));
  await insertTestEvents(db.owner, organizationId, events);
  // The same ids elsewhere, earlier: nothing there may be seen from here.
  const elsewhere = events.map((event) => ({
    ...event,
    id: newId("event"),
    occurred_at: new Date(Date.parse(event.occurred_at) - 400 * DAY_MS).toISOString(),
  }));
  await insertTestEvents(db.owner, otherId, elsewhere);
  await insertTestEvents(
    db.owner,
    organizationId,
    HOSTILE.map(({ id, index }) => ({
      ...testEvent(COUNT + index),
      occurred_at: new Date(START_MS - DAY_MS).toISOString(),
      actor: { type: "odd", id },
      targets: [{ type: "odd", id }],
    })),
  );
});

afterAll(() => db.close());

async function sql<Row extends object>(text: string, ...values: unknown[]): Promise<Row[]> {
  return (await db.owner.query(text, [organizationId, ...values])).rows as Row[];
}

const DID = "actor ->> 'id' = 'ada' AND actor ->> 'type' = 'user'";
const DONE = "EXISTS (SELECT 1 FROM jsonb_array_elements(targets) t WHERE t ->> 'id' = 'ada')";

function seqsOf(condition: string): Promise<number[]> {
  return sql<{ seq: number }>(
    `SELECT seq FROM events WHERE organization_id = $1 AND (${condition}) ORDER BY occurred_at DESC, seq DESC`,
  ).then((rows) => rows.map(({ seq }) => Number(seq)));
}

const OLDEST = encodeCursor({ occurredAtMs: Date.UTC(2000, 0, 1), seq: 0 });

async function walk(
  request: { subject: Subject; lane: Lane | null; filter: EventFilter; at?: string },
  direction: "after" | "before" = "after",
): Promise<TimelineRow[]> {
  const rows: TimelineRow[] = [];
  let cursor: string | null = direction === "before" ? OLDEST : null;
  do {
    const page = await readTimeline(scope(), {
      ...request,
      limit: 70,
      ...(cursor ? { [direction]: cursor } : {}),
    });
    if (direction === "after") rows.push(...page.rows);
    else rows.unshift(...page.rows);
    cursor = direction === "after" ? page.next : page.previous;
  } while (cursor);
  return rows;
}

describe("lanes", () => {
  test.each([
    ["did", DID],
    ["done", DONE],
    [null, `(${DID}) OR ${DONE}`],
  ] as const)("%s, page by page in both directions, is what SQL finds", async (lane, condition) => {
    const expected = await seqsOf(condition);
    expect(expected.length).toBeGreaterThan(200);
    for (const direction of ["after", "before"] as const) {
      const rows = await walk({ subject: ADA, lane, filter: EMPTY_FILTER }, direction);
      expect(rows.map(({ seq }) => seq)).toEqual(expected);
    }
  });

  test("each row says which lanes it is in and what device it came from", async () => {
    const [did, done] = [new Set(await seqsOf(DID)), new Set(await seqsOf(DONE))];
    for (const row of await walk({ subject: ADA, lane: null, filter: EMPTY_FILTER })) {
      expect(row.lanes.includes("did")).toBe(did.has(row.seq));
      expect(row.lanes.includes("done")).toBe(done.has(row.seq));
      expect(row.agent).toBe(row.seq % 2 ? "curl/8" : "Mozilla/5.0");
    }
  });

  test("a target asks for its type too, and its own deeds by id alone", async () => {
    const subject: Subject = { role: "target", type: "account", id: "ada" };
    const isTarget = `targets @> '[{"type": "account", "id": "ada"}]'`;
    const rows = await walk({ subject, lane: null, filter: EMPTY_FILTER });
    expect(rows.map(({ seq }) => seq)).toEqual(
      await seqsOf(`${isTarget} OR actor ->> 'id' = 'ada'`),
    );
  });

  test("a filter and a place in time hold for both lanes", async () => {
    const filter = { clauses: [isClause("action", "doc.deleted")] };
    const at = new Date(START_MS + DAY_MS).toISOString();
    const rows = await walk({ subject: ADA, lane: null, filter, at });
    const expected = await seqsOf(
      `((${DID}) OR ${DONE}) AND action = 'doc.deleted' AND occurred_at < '${at}'`,
    );
    expect(expected.length).toBeGreaterThan(10);
    // Only the first page starts there; the cursors go on from it.
    expect(rows.map(({ seq }) => seq)).toEqual(expected);
  });

  test("an id of any spelling finds its own event alone", async () => {
    for (const { id, index } of HOSTILE) {
      const subject: Subject = { role: "actor", type: "odd", id };
      const { rows } = await readTimeline(scope(), { subject, lane: null, filter: EMPTY_FILTER });
      expect(
        rows.map(({ seq }) => seq),
        id,
      ).toEqual([COUNT + index]);
    }
  });
});

test("first times are those of everything kept, whatever the page or the filter shows", async () => {
  const filter = { clauses: [isClause("agent", "curl/8")] };
  const all = [
    ...(await walk({ subject: ADA, lane: null, filter: EMPTY_FILTER })),
    ...(await walk({ subject: ADA, lane: "did", filter })),
  ];
  const isFirst = async (row: TimelineRow, condition: string, value: string | null) => {
    const [found] = await sql<{ older: boolean }>(
      `SELECT EXISTS (SELECT 1 FROM events WHERE organization_id = $1 AND actor ->> 'id' = $2 AND actor ->> 'type' = $3
         AND (occurred_at, seq) < ($4::timestamptz, $5::bigint) AND ($6::text IS NULL OR ${condition} = $6)) AS older`,
      row.actor.id,
      row.actor.type,
      row.occurredAt,
      row.seq,
      value,
    );
    return !found?.older;
  };
  let firsts = 0;
  for (const row of all) {
    const expected = [
      ...((await isFirst(row, "''", null)) ? ["seen"] : []),
      ...((await isFirst(row, "context ->> 'location'", row.location)) ? ["ip"] : []),
      ...((await isFirst(row, "action", row.action)) ? ["action"] : []),
    ];
    expect(row.firstTimes.map(({ what }) => what).sort(), String(row.seq)).toEqual(expected.sort());
    expect(row.firstTimes.every(({ within }) => within === null)).toBe(true);
    firsts += expected.length;
  }
  expect(firsts).toBeGreaterThan(40);
});

test("looking back less far never calls something a first time that is not, and says how far it looked", async () => {
  const { rows } = await readTimeline(scope(), { subject: ADA, lane: null, filter: EMPTY_FILTER });
  const whole = (await readFirstTimes(scope(), rows)).found;
  const { found } = await readFirstTimes(scope(), rows, 100);
  const list = (marks: typeof whole, keep: (within: number | null) => boolean) =>
    [...marks].flatMap(([id, firsts]) =>
      firsts.flatMap(({ what, within }) => (keep(within) ? [`${id} ${what}`] : [])),
    );
  const certain = list(found, (within) => within === null);
  const bounded = list(found, (within) => within !== null);
  expect(list(whole, () => true)).toEqual(expect.arrayContaining(certain));
  expect([...certain, ...bounded]).toEqual(expect.arrayContaining(list(whole, () => true)));
  expect(bounded.length).toBeGreaterThan(0);
});

describe("days", () => {
  const starts = [0, 1, 2, 3].map((day) =>
    new Date(START_MS + day * DAY_MS - 5.5 * 3_600_000).toISOString(),
  );

  test.each([
    ["everything", EMPTY_FILTER, "true"],
    ["a filter", { clauses: [isClause("action", "doc.viewed")] }, "action = 'doc.viewed'"],
  ] satisfies [string, EventFilter, string][])(
    "counts %s per day of any zone, lane by lane",
    async (_, filter, condition) => {
      const counts = await countDays(scope(), { subject: ADA, lane: null, filter }, starts);
      const expected = async (lane: string) => {
        const days = starts.slice(0, -1).map(async (start, index) => {
          const [row] = await sql<{ n: number }>(
            `SELECT count(*)::integer AS n FROM events WHERE organization_id = $1 AND (${lane}) AND ${condition}
           AND occurred_at >= $2 AND occurred_at < $3`,
            start,
            starts[index + 1],
          );
          return row?.n;
        });
        return Promise.all(days);
      };
      expect(counts.did).toEqual(await expected(DID));
      expect(counts.done).toEqual(await expected(DONE));
      expect(counts.countedFrom).toBeNull();
      expect(counts.did.filter((count) => count > 0)).toHaveLength(2);
    },
  );

  test("leaves the other lane out when one is chosen", async () => {
    const request = { subject: ADA, lane: "did" as const, filter: EMPTY_FILTER };
    expect((await countDays(scope(), request, starts)).done).toEqual([0, 0, 0]);
  });
});

test("what is usual adds up to what SQL counts", async () => {
  const usual = await readUsual(scope(), ADA);
  const top = async (value: string) =>
    (
      await sql<{ value: string; n: number }>(
        `SELECT ${value} AS value, count(*)::integer AS n FROM events WHERE organization_id = $1 AND ${DID}
         GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5`,
      )
    ).map(({ value: key, n }) => [key, n]);
  expect(usual.isAll).toBe(true);
  expect(usual.events).toBe((await seqsOf(DID)).length);
  expect(usual.actions).toEqual(await top("action"));
  expect(usual.addresses).toEqual(await top("location"));
  expect(usual.agents).toEqual(await top("context ->> 'user_agent'"));
  expect(usual.actors).toEqual([]);
  expect(usual.quarters.reduce((sum, [, events]) => sum + events, 0)).toBe(usual.events);
  const ofDoc = await readUsual(scope(), { role: "target", type: "doc", id: "doc_1" });
  expect(ofDoc.actors.map(([id]) => id).sort()).toEqual(["ada", "bob", "busy"]);
});

describe("the subject", () => {
  test("is named by its newest event, and known since its oldest in either lane", async () => {
    const [span] = await sql<{ first: Date; last: Date }>(
      `SELECT min(occurred_at) AS first, max(occurred_at) AS last FROM events
       WHERE organization_id = $1 AND ((${DID}) OR ${DONE})`,
    );
    expect(await describeSubject(scope(), ADA)).toEqual({
      name: "Name of ada",
      firstSeen: span?.first.toISOString(),
      lastSeen: span?.last.toISOString(),
    });
  });

  test("that nobody names does not exist, nor does another organization's", async () => {
    const nothing = { name: null, firstSeen: null, lastSeen: null };
    expect(await describeSubject(scope(), { ...ADA, id: "nobody" })).toEqual(nothing);
    const empty = systemScope("cli", await createTestOrganization(db.owner));
    expect(await describeSubject(empty, ADA)).toEqual(nothing);
    const page = await readTimeline(empty, { subject: ADA, lane: null, filter: EMPTY_FILTER });
    expect(page.rows).toEqual([]);
    expect((await readUsual(empty, ADA)).events).toBe(0);
  });
});
