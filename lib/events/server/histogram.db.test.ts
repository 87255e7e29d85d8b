import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { newId } from "@/lib/ids";
import type { EventFilter } from "../filter/ast";
import { matches } from "../filter/match";
import { parseFilter } from "../filter/parse";
import type { Histogram } from "../histogram";
import { failureRules } from "../outcome";
import { readHistogram } from "./histogram";
import { followRollups } from "./rollups";
import { createTestOrganization, insertTestEvents, type TestEvent } from "./test-events";

const START = Date.UTC(2026, 2, 28);
let db: TestDatabase;
let organizationId: string;
let events: TestEvent[];

const scope = (id = organizationId) => systemScope("cli", id);

function filterOf(q: string): EventFilter {
  const parsed = parseFilter(q);
  if (!parsed.ok) throw new Error(q);
  return parsed.filter;
}

function testEvent(seq: number): TestEvent {
  return {
    seq,
    id: newId("event"),
    action: seq % 10 === 0 ? "user.login_failed" : `a.${seq % 4}`,
    version: 1,
    occurred_at: new Date(START + ((seq * 7_919) % 172_800) * 1000 + (seq % 997)).toISOString(),
    actor: { type: "user", id: `u${seq % 9}` },
    targets: [{ type: "doc", id: `t${seq % 6}` }],
    context: null,
    metadata: seq % 21 === 0 ? { errorCode: "AccessDenied" } : null,
  };
}

beforeAll(async () => {
  db = await testDatabase();
  organizationId = await createTestOrganization(db.owner);
  const other = await createTestOrganization(db.owner);
  events = Array.from({ length: 3_000 }, (_, seq) => testEvent(seq));
  await insertTestEvents(db.owner, organizationId, events);
  await insertTestEvents(
    db.owner,
    other,
    events.slice(0, 500).map((event) => ({ ...event, id: newId("event") })),
  );
});

afterAll(() => db.close());

const failedRule = (event: TestEvent) => failureRules.some(({ filter }) => matches(filter, event));

function expectCounts(histogram: Histogram | null, found: TestEvent[]) {
  if (!histogram) throw new Error("No histogram");
  const { bounds, counts, failed } = histogram;
  expect(counts).toHaveLength(bounds.length - 1);
  for (const [index, count] of counts.entries()) {
    const inside = found.filter(({ occurred_at: at }) => {
      const ms = Date.parse(at);
      return ms >= (bounds[index] as number) && ms < (bounds[index + 1] as number);
    });
    expect([index, count, failed[index]]).toEqual([
      index,
      inside.length,
      inside.filter(failedRule).length,
    ]);
  }
}

describe("histogram", () => {
  test.each([
    "",
    "action:a.1",
    "-actor:u3",
    "target:t2 actor:(u1 OR u2)",
    "a.",
    "has:metadata.errorCode",
    "action:a.*",
  ])(
    "under `%s` every bucket holds the events that match in it, and those that failed",
    async (q) => {
      const filter = filterOf(q);
      const found = events.filter((event) => matches(filter, event));
      const histogram = await readHistogram(scope(), {
        filter,
        from: null,
        to: null,
        zone: "Europe/Oslo",
      });
      expect(histogram?.counted).toEqual({ kind: "all" });
      expectCounts(histogram, found);
    },
  );

  test("a range is covered to its ends, and nothing outside it is counted", async () => {
    const [from, to] = [
      new Date(START + 3_700_000).toISOString(),
      new Date(START + 9_000_000).toISOString(),
    ];
    const histogram = await readHistogram(scope(), { filter: filterOf(""), from, to, zone: "UTC" });
    expectCounts(
      histogram,
      events.filter(({ occurred_at: at }) => at >= from && at < to),
    );
    const oldest = events.map(({ occurred_at: at }) => at).sort()[0] as string;
    expect(histogram?.floorMs).toBe(Date.parse(oldest));
    expect(histogram?.bounds[0]).toBeLessThanOrEqual(Date.parse(from));
    expect(histogram?.bounds.at(-1)).toBeGreaterThanOrEqual(Date.parse(to));
  });

  test("without events there is nothing to draw", async () => {
    const empty = await createTestOrganization(db.owner);
    expect(
      await readHistogram(scope(empty), {
        filter: filterOf(""),
        from: null,
        to: null,
        zone: "UTC",
      }),
    ).toBeNull();
  });

  test("long logs are counted by rollups, cut hours and late counts included, and say back to when failures were", async () => {
    const many = await createTestOrganization(db.owner);
    // 60,000 events over 30 days, written by SQL; the rollups stop 1,000 before the head.
    await db.owner.query(
      `INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, actor, targets, salts, chain_hash)
       SELECT $1, n, now(), timestamptz '2026-01-01 00:00:00Z' + n * interval '43.2 seconds', 1, 'audit_event_' || n, 'a', '{"type":"u","id":"u"}', '[]', '', ''
       FROM generate_series(0, 59999) n`,
      [many],
    );
    await db.owner.query("UPDATE log_heads SET next_seq = 59000 WHERE organization_id = $1", [
      many,
    ]);
    await followRollups(many);
    await db.owner.query("UPDATE log_heads SET next_seq = 60000 WHERE organization_id = $1", [
      many,
    ]);
    for (const [from, to, zone] of [
      [null, null, "America/New_York"],
      ["2026-01-02T05:17:00.000Z", "2026-01-29T13:05:30.000Z", "UTC"],
      [null, null, "Asia/Kolkata"],
    ] as const) {
      const histogram = await readHistogram(scope(many), { filter: filterOf(""), from, to, zone });
      const { rows } = await db.owner.query<{ bucket: number; count: string }>(
        `SELECT width_bucket(occurred_at, $2::timestamptz[]) AS bucket, count(*) FROM events
         WHERE organization_id = $1 AND ($3::timestamptz IS NULL OR occurred_at >= $3) AND ($4::timestamptz IS NULL OR occurred_at < $4) GROUP BY 1`,
        [many, histogram?.bounds.map((bound) => new Date(bound).toISOString()), from, to],
      );
      const expected = new Array((histogram?.bounds.length ?? 1) - 1).fill(0);
      for (const { bucket, count } of rows) expected[bucket - 1] = Number(count);
      expect(histogram?.counts).toEqual(expected);
      expect(histogram?.counted).toEqual({ kind: "all" });
      expect(histogram?.failedCounted.kind).toBe("newest");
      expect(histogram?.zone).toBe(zone === "Asia/Kolkata" ? "UTC" : zone);
    }
  });
});
