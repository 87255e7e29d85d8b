import { afterAll, beforeAll, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { EMPTY_FILTER } from "../filter/ast";
import { parseFilter } from "../filter/parse";
import { streamCsv } from "./csv";
import { readFacets } from "./facets";
import { getEvent } from "./get-event";
import { readHistogram } from "./histogram";
import { listEvents, listTargetEvents } from "./list";
import { readOldest } from "./restored";
import { followRollups } from "./rollups";
import { readWireEvents } from "./selected-events";
import { appendEvents, createTestLog, newEvent } from "./test-log";
import { readTimeline } from "./timeline";
import { readValues } from "./values";

/** A deletion moves the log's beginning first and removes rows later: nobody who reads sees them in between. */

let db: TestDatabase;
let log: string;
const scope = () => systemScope("cli", log);
const at = (n: number) => new Date(Date.UTC(2026, 3, 1 + n)).toISOString();
const KEPT = { events: 12, from: 8 };

beforeAll(async () => {
  db = await testDatabase();
  log = await createTestLog(db);
  await appendEvents(
    log,
    Array.from({ length: 20 }, (_, n) =>
      newEvent({
        occurredAt: at(n),
        action: n < KEPT.from ? "old.action" : "new.action",
        actor: { type: "user", id: "u" },
        targets: [{ type: "doc", id: n < KEPT.from ? "doc_old" : "doc_new" }],
      }),
    ),
  );
  await followRollups(log);
  await db.owner.query("UPDATE log_heads SET first_seq = $2 WHERE organization_id = $1", [
    log,
    KEPT.from,
  ]);
});
afterAll(() => db.close());

const seqs = (rows: { seq: number }[]) => rows.map(({ seq }) => seq).sort((a, b) => a - b);
const kept = Array.from({ length: KEPT.events }, (_, n) => KEPT.from + n);
const filterOf = (q: string) => {
  const parsed = parseFilter(q);
  if (!parsed.ok) throw new Error(q);
  return parsed.filter;
};

test.each([
  "",
  "actor:u",
  "action:(old.action OR new.action)",
  "target:(doc_old OR doc_new)",
  "action:*.action",
])("lists leave them out: %s", async (q: string) => {
  const { rows } = await listEvents(scope(), { filter: filterOf(q) });
  expect(seqs(rows)).toEqual(kept);
});

test("timelines, counts, values, files and look-ups leave them out", async () => {
  const { rows } = await listTargetEvents(
    scope(),
    { type: "doc", id: "doc_old" },
    { filter: EMPTY_FILTER },
  );
  expect(rows).toEqual([]);
  const subject = { role: "actor" as const, type: "user", id: "u" };
  const timeline = await readTimeline(scope(), { subject, lane: null, filter: EMPTY_FILTER });
  expect(seqs(timeline.rows)).toEqual(kept);
  const whole = { filter: EMPTY_FILTER, from: null, to: null };
  for (const from of [null, at(-100)]) {
    const histogram = await readHistogram(scope(), { ...whole, from, zone: "UTC" });
    expect(histogram?.counts.reduce((sum, one) => sum + one)).toBe(KEPT.events);
  }
  const action = { id: "action" as const, path: [] };
  const [facet] = await readFacets(scope(), whole, [action]);
  expect(facet?.values).toMatchObject([{ value: "new.action", count: KEPT.events }]);
  for (const [id, typed] of [
    ["action", "old"],
    ["target", "doc_o"],
  ] as const)
    expect((await readValues(scope(), { id, path: [] }, typed)).values).toEqual([]);
  expect(await readOldest(scope())).toBe(at(KEPT.from));

  const csv = await (await streamCsv(scope(), { filter: EMPTY_FILTER })).toArray();
  expect(Buffer.concat(csv).toString().trim().split(/\r?\n/)).toHaveLength(1 + KEPT.events);
  const stored = await db.owner.query(
    "SELECT id FROM events WHERE organization_id = $1 ORDER BY seq",
    [log],
  );
  const ids = stored.rows.map(({ id }) => id as string);
  expect(await getEvent(scope(), ids[KEPT.from - 1] as string)).toBeNull();
  expect(await getEvent(scope(), ids[KEPT.from] as string)).toMatchObject({ seq: KEPT.from });
  expect(await readWireEvents(scope(), ids)).toHaveLength(KEPT.events);
});
