import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROLE_PERMISSIONS } from "@/lib/auth/roles";
import type { Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import {
  createTestOrganization,
  insertTestEvents,
  type TestEvent,
} from "@/lib/events/server/test-events";
import { newId } from "@/lib/ids";
import { previewFormatSchema } from "../schema";
import { previewFormat } from "./preview";

let db: TestDatabase;
let organizationId: string;
let emptyId: string;

/** 60 events a minute apart, every tenth a deletion, its actor erased. */
const events = Array.from({ length: 60 }, (_, seq): TestEvent => {
  const isDeletion = seq % 10 === 0;
  return {
    seq,
    id: newId("event"),
    action: isDeletion ? "user.deleted" : "user.viewed",
    version: 1,
    occurred_at: new Date(Date.UTC(2026, 0, 1) + seq * 60_000).toISOString(),
    actor: isDeletion ? null : { type: "user", id: "u1", name: "Zoë = | \\ Ng" },
    targets: [{ type: "user", id: `t${seq}` }],
    context: { location: "192.0.2.7" },
    metadata: { n: seq },
  };
});

beforeAll(async () => {
  db = await testDatabase();
  organizationId = await createTestOrganization(db.owner);
  emptyId = await createTestOrganization(db.owner);
  await insertTestEvents(db.owner, organizationId, events);
  // These events have no log that more could be sealed in.
  await db.owner.query("UPDATE organizations SET read_sampling = 0");
});
afterAll(() => db.close());

const preview = (input: object, scope: Scope = systemScope("cli", organizationId)) =>
  previewFormat(
    scope,
    previewFormatSchema.parse({
      destination: "webhook",
      config: { url: "https://siem.example.com/audit" },
      ...input,
    }),
  );

describe("a preview of a format", () => {
  it("shows the three newest events as the destination's default format sends them", async () => {
    const { events: shown, ...rest } = await preview({});
    expect(rest).toEqual({
      format: "trailseal",
      isSample: false,
      matched: 50,
      lookedAt: 50,
      searchedTo: null,
    });
    expect(shown.map(({ text }) => JSON.parse(text).seq)).toEqual([59, 58, 57]);
    expect(shown[0]?.text).toMatch(/^\{\n {2}"seq": 59,\n {2}"chain_hash": "[0-9a-f]{64}",\n/);
    expect(JSON.parse(shown[0]?.text ?? "")).toMatchObject({
      event: { id: events[59]?.id, actor: events[59]?.actor, metadata: { n: 59 } },
    });
  });

  it("says how many of the newest events the filter takes, and shows older ones where it has to", async () => {
    const deletions = await preview({ filter: "action:user.deleted", format: "ocsf" });
    expect(deletions).toMatchObject({ format: "ocsf", matched: 5, lookedAt: 50 });
    expect(deletions.events.map(({ id }) => id)).toEqual(
      [50, 40, 30].map((seq) => events[seq]?.id),
    );
    expect(JSON.parse(deletions.events[0]?.text ?? "")).toMatchObject({
      type_uid: 600304,
      actor: { user: { uid: "erased" } },
    });
    const old = await preview({ filter: "target:t3" });
    expect(old).toMatchObject({ matched: 0, lookedAt: 50, isSample: false });
    expect(old.events.map(({ id }) => id)).toEqual([events[3]?.id]);
    expect(await preview({ filter: "action:none" })).toMatchObject({ events: [], matched: 0 });
  });

  it("wraps an event as its destination does", async () => {
    const config = { url: "https://splunk.example.com:8088", index: "audit" };
    const { events: shown } = await preview({ destination: "splunk", config, format: "ecs" });
    expect(JSON.parse(shown[0]?.text ?? "")).toMatchObject({
      time: Date.parse(events[59]?.occurred_at ?? "") / 1000,
      index: "audit",
      event: { event: { sequence: 59 }, user: { name: "Zoë = | \\ Ng" } },
    });
  });

  it("shows one that is made up to who may not read events, and how many the filter takes", async () => {
    const manager = {
      ...systemScope("cli", organizationId),
      permissions: ROLE_PERMISSIONS.stream_manager,
    };
    const seen = await preview({ filter: "action:user.deleted" }, manager);
    expect(seen).toMatchObject({ isSample: true, matched: 5, lookedAt: 50 });
    expect(seen.events).toHaveLength(1);
    expect(seen.events[0]?.text).toContain("This event is made up.");
  });

  it("a log without events shows one that is made up, and says so inside too", async () => {
    const empty = await preview(
      { format: "workos", filter: "action:none" },
      systemScope("cli", emptyId),
    );
    expect(empty).toMatchObject({ isSample: true, matched: 0, lookedAt: 0 });
    expect(empty.events).toHaveLength(1);
    expect(empty.events[0]?.text).toContain("This event is made up.");
  });

  it("a filter that is not understood is refused with the place of each problem", async () => {
    await expect(preview({ filter: "action:x nope:1" })).rejects.toMatchObject({
      code: "invalid_filter",
      errors: [{ field: "filter", code: expect.stringMatching(/\(characters 10 to 13\)$/) }],
      details: { diagnostics: [{ code: "unknown_field", span: { start: 9, end: 13 } }] },
    });
  });

  it("a format or configuration that is not the destination's is refused", async () => {
    await expect(preview({ format: "cef" })).rejects.toThrow("takes trailseal, ocsf, ecs, workos");
    await expect(preview({ config: {} })).rejects.toMatchObject({
      errors: [{ field: "config.url" }],
    });
    await expect(preview({ destination: "nowhere" })).rejects.toThrow("no destination nowhere");
  });

  it("another organization's events are not shown", async () => {
    const { events: shown } = await preview({}, systemScope("cli", emptyId));
    expect(shown.map(({ text }) => text).join()).not.toContain(organizationId);
  });
});
