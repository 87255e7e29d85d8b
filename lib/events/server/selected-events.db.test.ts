import { afterAll, beforeAll, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { newId } from "@/lib/ids";
import { columnField } from "../table-layout";
import { readColumnValues } from "./column-values";
import { listEvents } from "./list";
import { selectedEvents } from "./selected-events";
import { createTestOrganization, insertTestEvents, type TestEvent } from "./test-events";

let db: TestDatabase;
let organizationId: string;
let otherId: string;
let events: TestEvent[];

const scope = () => systemScope("cli", organizationId);

beforeAll(async () => {
  db = await testDatabase();
  organizationId = await createTestOrganization(db.owner);
  otherId = await createTestOrganization(db.owner);
  events = Array.from({ length: 60 }, (_, seq) => ({
    seq,
    id: newId("event"),
    action: "doc.read",
    version: 1,
    occurred_at: new Date(Date.UTC(2026, 0, 1, 0, 0, seq)).toISOString(),
    actor: seq === 3 ? null : { type: "user", id: "a", name: "=A" },
    targets: [
      { type: "doc", id: `d${seq}` },
      { type: "doc", id: "d" },
    ],
    context: { location: "10.0.0.1", user_agent: "curl" },
    metadata: seq % 2 ? { deep: { n: seq }, long: "x".repeat(300) } : null,
  }));
  await insertTestEvents(db.owner, organizationId, events);
  await insertTestEvents(
    db.owner,
    otherId,
    events.map((event) => ({ ...event })),
  );
  // What is copied is told in the log, behind them.
  await db.owner.query("UPDATE log_heads SET next_seq = $2 WHERE organization_id = $1", [
    ...[organizationId, events.length],
  ]);
});

afterAll(() => db.close());

test("a selection is copied whole and newest first, each event once, none of another organization", async () => {
  const ids = events.slice(10, 50).map(({ id }) => id);
  const json = JSON.parse(await selectedEvents(scope(), ids, "json"));
  expect(json.map((event: { id: string }) => event.id)).toEqual([...ids].reverse());
  expect(new Set(json.map((event: { organization_id: string }) => event.organization_id))).toEqual(
    new Set([organizationId]),
  );
  const csv = (await selectedEvents(scope(), ids, "csv")).trim().split("\n");
  expect(csv).toHaveLength(ids.length + 1);
  expect(csv[1]).toMatch(`${ids.at(-1)},${organizationId},doc.read`);
  expect(csv[1]).toContain("'=A");
  const { rows } = await db.owner.query(
    "SELECT jsonb_array_length(targets) AS copied FROM events WHERE organization_id = $1 AND action = 'trailseal.events_copied'",
    [organizationId],
  );
  expect(rows).toEqual([{ copied: 40 }, { copied: 40 }]);
});

test("columns hold what their fields hold: several values joined, objects as JSON, long ones cut visibly", async () => {
  const { rows } = await listEvents(scope(), { filter: { clauses: [] } });
  const fields = ["agent", "target", "metadata.deep.n", "metadata.deep", "metadata.long", "actor"];
  const values = await readColumnValues(
    scope(),
    rows,
    fields.map((name) => columnField(name) as NonNullable<ReturnType<typeof columnField>>),
  );
  expect(values[3]).toEqual(["curl", "d3, d", "3", '{"n":3}', `${"x".repeat(200)}…`, null]);
  expect(values[4]).toEqual(["curl", "d4, d", null, null, null, "a"]);
  expect(Object.keys(values)).toHaveLength(rows.length);
});
