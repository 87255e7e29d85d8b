import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { Prisma } from "@/lib/generated/prisma/client";
import { newId } from "@/lib/ids";
import type { EventFilter } from "../filter/ast";
import { matches } from "../filter/match";
import { parseFilter } from "../filter/parse";
import { serializeFilter } from "../filter/serialize";
import { filterArbitrary, NASTY, testSeed, type Vocabulary } from "../filter/test-arbitraries";
import { readRows } from "./read";
import { createTestOrganization, insertTestEvents, type TestEvent } from "./test-events";
import { whereFilter } from "./where";

const seed = testSeed();

const LOCATIONS = [
  "10.0.0.1",
  "10.200.3.4",
  "192.168.7.9",
  "2001:db8::1",
  "2001:0db8:0000:0000:0000:0000:0000:0001",
  "2001:DB8::1",
  "::ffff:10.0.0.1",
  "fe80::1%eth0",
  "unknown",
  "10.0.0.0/8",
  "300.1.1.1",
  "",
];
const VALUES = [
  "user.created",
  "user.deleted",
  "USER.x",
  "usr_1",
  "Zoë",
  "zOË",
  "5",
  "true",
  ...NASTY,
];
const NUMBERS = [0, 1, -1, 2, 2.5, 0.1, 1e21, 1.5e-7, 9007199254740991];
const VOCABULARY: Vocabulary = {
  values: [...VALUES, ...LOCATIONS],
  numbers: NUMBERS,
  networks: ["10.0.0.0/8", "10.1.2.3/16", "0.0.0.0/0", "2001:db8::/32", "::/0", "10.0.0.1/32"],
  paths: [
    ["key"],
    ["a", "b"],
    ["a", "b", "0"],
    ["odd key"],
    ["a.b"],
    ["%"],
    ["absent"],
    ["a", "-1"],
  ],
};

const value = fc.constantFrom(...VALUES);
const scalar = fc.oneof(value, fc.constantFrom(...NUMBERS), fc.boolean(), fc.constant(null));
const metadata = fc.option(
  fc.record(
    {
      key: scalar,
      a: fc.oneof(
        scalar,
        fc.array(scalar, { maxLength: 3 }),
        fc.record({ b: fc.oneof(scalar, fc.array(scalar, { maxLength: 2 })) }),
      ),
      "odd key": scalar,
      "a.b": scalar,
      "%": scalar,
    },
    { requiredKeys: [] },
  ),
);
const unit = fc.record(
  { type: value, id: value, name: value, metadata: metadata.filter((found) => found !== null) },
  { requiredKeys: ["type", "id"] },
);
const event = fc.record({
  action: value,
  version: fc.constantFrom(1, 2, 3, 2_147_483_647),
  actor: fc.option(unit, { freq: 8 }),
  targets: fc.array(fc.option(unit, { freq: 6 }), { maxLength: 4 }),
  context: fc.option(
    fc.record({ location: fc.constantFrom(...LOCATIONS), user_agent: value }, { requiredKeys: [] }),
  ),
  metadata,
});

let db: TestDatabase;
let organizationId: string;
let events: TestEvent[];

beforeAll(async () => {
  db = await testDatabase();
  const other = await createTestOrganization(db.owner);
  organizationId = await createTestOrganization(db.owner);
  events = fc.sample(event, { seed, numRuns: 400 }).map((sample, seq) => ({
    ...sample,
    seq,
    id: newId("event"),
    occurred_at: new Date(Date.UTC(2026, 0, 1, 0, 0, seq % 50)).toISOString(),
  }));
  await insertTestEvents(db.owner, organizationId, events);
  await insertTestEvents(db.owner, other, events);
});

afterAll(() => db.close());

async function matchingSeqs(filter: EventFilter): Promise<number[]> {
  const where = whereFilter(organizationId, filter);
  const rows = await readRows<{ seq: bigint }>(
    Prisma.sql`SELECT e.seq FROM events e WHERE ${where} ORDER BY e.seq`,
  );
  return rows.map((row) => Number(row.seq));
}

function expectedSeqs(filter: EventFilter): number[] {
  return events.filter((candidate) => matches(filter, candidate)).map(({ seq }) => seq);
}

describe("a filter in SQL", () => {
  test("finds exactly the events that it matches in memory, of one organization only", async () => {
    let found = 0;
    await fc.assert(
      fc.asyncProperty(filterArbitrary(VOCABULARY, 3), async (filter) => {
        const expected = expectedSeqs(filter);
        if (expected.length > 0 && expected.length < events.length) found += 1;
        expect({ query: serializeFilter(filter), seqs: await matchingSeqs(filter) }).toEqual({
          query: serializeFilter(filter),
          seqs: expected,
        });
      }),
      { seed, numRuns: 2_000 },
    );
    // The vocabulary is shared, so that most filters tell events apart.
    expect(found).toBeGreaterThan(600);
  });

  test.each([
    'metadata.key:"5"',
    "actor.name:*ZO\u00cb*",
    "zo\u00eb",
    "-has:actor",
    "-target.type:user.created",
    "ip:2001:db8::1",
    "ip:10.0.0.0/8",
    "metadata.key:0.00000015",
    "metadata.key:1000000000000000000000",
    "metadata.key:>=2.5",
    'target.name:*"',
  ])("%s", async (query) => {
    const parsed = parseFilter(query);
    if (!parsed.ok) return;
    expect(await matchingSeqs(parsed.filter)).toEqual(expectedSeqs(parsed.filter));
  });

  test("no value of a filter reaches the statement's text", () => {
    fc.assert(
      fc.property(filterArbitrary(VOCABULARY), (filter) => {
        expect(whereFilter("org_x'; --", filter).text).not.toMatch(/';|日本語|org_x/);
      }),
      { seed, numRuns: 1_000 },
    );
  });
});
