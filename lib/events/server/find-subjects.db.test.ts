import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { findSubjects, SUBJECT_SAMPLE } from "./find-subjects";
import { createTestOrganization, insertTestEvents, type TestEvent } from "./test-events";

let db: TestDatabase;
let organizationId: string;
const START_MS = Date.parse("2026-01-01T00:00:00Z");

/** Event 0 is by `old`, to `door`; the others by ten people to twenty documents. */
function event(seq: number): TestEvent {
  const [actor, target] = seq
    ? [
        { type: "user", id: `usr_${seq % 10}`, name: `Person ${seq % 10}` },
        { type: "doc", id: `doc_${seq % 20}`, name: `100%_Plan ${seq % 20}` },
      ]
    : [
        { type: "robot", id: "old", name: "Grandfather" },
        { type: "door", id: "door_1", name: "Entrance" },
      ];
  return {
    seq,
    id: `audit_event_${seq}`,
    action: "a.b",
    version: 1,
    occurred_at: new Date(START_MS + seq * 1_000).toISOString(),
    actor,
    targets: [target, { type: "team", id: "team_1" }],
    context: null,
    metadata: null,
  };
}

beforeAll(async () => {
  db = await testDatabase();
  organizationId = await createTestOrganization(db.owner);
  const events = Array.from({ length: SUBJECT_SAMPLE + 1 }, (_, seq) => event(seq));
  await insertTestEvents(db.owner, organizationId, events);
  const other = await createTestOrganization(db.owner);
  const foreign = { type: "user", id: "usr_foreign", name: "Person Foreign" };
  await insertTestEvents(db.owner, other, [{ ...event(1), actor: foreign, targets: [foreign] }]);
});
afterAll(() => db.close());

const ids = async (role: "actor" | "target", text: string) =>
  (await findSubjects(systemScope("cli", organizationId), { role, text })).map(({ id }) => id);

describe("subjects", () => {
  it("are found by part of an id or a name, whatever its case, the last seen first", async () => {
    expect(await ids("actor", "")).toEqual(["usr_0", "usr_9", "usr_8", "usr_7", "usr_6", "usr_5"]);
    expect(await ids("actor", "PERSON 3")).toEqual(["usr_3"]);
    expect(await ids("target", "oc_1")).toEqual([
      "doc_19",
      "doc_18",
      "doc_17",
      "doc_16",
      "doc_15",
      "doc_14",
    ]);
    expect(await ids("target", "team")).toEqual(["team_1"]);
    const scope = systemScope("cli", organizationId);
    expect(await findSubjects(scope, { role: "target", text: "team" })).toEqual([
      { type: "team", id: "team_1" },
    ]);
  });

  it("take the text as it is", async () => {
    expect(await ids("target", "100%_plan 4")).toEqual(["doc_4"]);
    expect(await ids("target", "100_%")).toEqual([]);
    expect(await ids("actor", "' OR 1=1 --")).toEqual([]);
  });

  it("are found by their whole id beyond the newest events, and by their name only within", async () => {
    expect(await ids("actor", "old")).toEqual(["old"]);
    expect(await ids("target", "door_1")).toEqual(["door_1"]);
    expect(await ids("actor", "grandfather")).toEqual([]);
  });

  it("of another organization are not found", async () => {
    expect(await ids("actor", "foreign")).toEqual([]);
    expect(await ids("actor", "usr_foreign")).toEqual([]);
    expect(await ids("target", "usr_foreign")).toEqual([]);
  });
});
