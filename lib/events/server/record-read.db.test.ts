import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Scope } from "@/lib/auth/scope";
import { namingScope } from "@/lib/auth/server/issue-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { runWithRequestContext } from "@/lib/http/request-context";
import { EMPTY_FILTER } from "../filter/ast";
import type { ReadSampling } from "../reads";
import { listEvents } from "./list";
import {
  recordDownload,
  recordSearch,
  recordTimeline,
  recordView,
  setReadSampling,
} from "./record-read";
import { searchOf } from "./search-of";
import { readHeadSeq, readTail } from "./tail";
import { appendEvents, createTestLog, newEvent } from "./test-log";

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const person = (organizationId: string, id = "user_ada"): Scope =>
  namingScope({ kind: "user", id, email: `${id}@example.com`, sessionId: "ses_1" }, organizationId);

const search = (query: string) => searchOf(new URLSearchParams(query));

async function sealed(organizationId: string) {
  const { rows } = await db.owner.query(
    `SELECT action, actor, targets, context, metadata FROM events
     WHERE organization_id = $1 AND action LIKE 'trailseal.%' ORDER BY seq`,
    [organizationId],
  );
  return rows;
}

const from = <T>(clientAddress: string, run: () => T): T =>
  runWithRequestContext(
    {
      requestId: "req_1",
      clientAddress,
      userAgent: "Firefox",
      signal: new AbortController().signal,
    },
    run,
  );

async function withSampling(sampling: ReadSampling): Promise<string> {
  const log = await createTestLog(db);
  await setReadSampling(person(log), sampling);
  return log;
}

describe("reads", () => {
  it("a search is sealed with who, from where and what for, once for an act", async () => {
    const log = await createTestLog(db);
    const read = () =>
      recordSearch(person(log), search("q=action:user.* -actor:a&range=24h&event=&after="));
    await from("192.0.2.7", async () => {
      await Promise.all([read(), read()]);
      await read();
    });
    expect(await sealed(log)).toEqual([
      {
        action: "trailseal.events_searched",
        actor: { type: "trailseal", id: "user_ada", name: "user_ada@example.com" },
        targets: [],
        context: { location: "192.0.2.7", user_agent: "Firefox" },
        metadata: { q: "action:user.* -actor:a", range: "24h" },
      },
    ]);
    // Another place, another person, another filter are other acts.
    await from("192.0.2.8", read);
    await recordSearch(person(log, "user_bob"), search("q=action:user.* -actor:a&range=24h"));
    await recordSearch(person(log), search("q=action:user.*"));
    expect(await sealed(log)).toHaveLength(4);
  });

  it("what belongs to a search is sealed only where no search was", async () => {
    const log = await createTestLog(db);
    const [scope, isFollowUp] = [person(log), true];
    await recordSearch(scope, search("q=a"));
    await recordSearch(scope, search("q=a&after=x"), { isFollowUp });
    expect(await sealed(log)).toHaveLength(1);
    await recordSearch(scope, search("q=b"), { isFollowUp });
    await recordSearch(scope, search("q=b"), { isFollowUp });
    expect(await sealed(log)).toHaveLength(2);
  });

  it("the same after ten minutes is another act; what follows goes on for half an hour at a time, a day at most", async () => {
    const log = await createTestLog(db);
    const scope = person(log);
    const clock = vi.spyOn(performance, "now");
    let sealedBefore = 0;
    const at = async (minutes: number, isFollowUp: boolean, isSealed: boolean) => {
      clock.mockReturnValue(minutes * 60_000);
      await recordSearch(scope, search("q=a"), { isFollowUp });
      const { length } = await sealed(log);
      expect(length - sealedBefore, `${minutes} minutes`).toBe(isSealed ? 1 : 0);
      sealedBefore = length;
    };
    try {
      await at(0, false, true);
      await at(9, false, false);
      await at(11, false, true);
      await at(40, true, false);
      await at(69, true, false);
      await at(100, true, true);
      for (let minutes = 120; minutes < 1_540; minutes += 20) await at(minutes, true, false);
      await at(1_541, true, true);
    } finally {
      clock.mockRestore();
    }
  });

  it("counts from the moment that reads are recorded, whatever was read before", async () => {
    const log = await withSampling(0);
    await recordSearch(person(log), search("q=a"));
    await setReadSampling(person(log), 1);
    await recordSearch(person(log), search("q=a"), { isFollowUp: true });
    expect((await sealed(log)).map(({ action }) => action)).toEqual([
      "trailseal.read_recording_changed",
      "trailseal.read_recording_changed",
      "trailseal.events_searched",
    ]);
  });

  it("a view and a timeline name what was looked at; an event that is none is no view", async () => {
    const log = await createTestLog(db);
    const scope = person(log);
    await recordView(scope, null);
    await recordView(scope, { id: "audit_event_1", action: "doc.read", seq: 7 });
    await recordTimeline(scope, { role: "actor", type: "user", id: "u1" }, search("q=a"));
    await recordTimeline(scope, { role: "actor", type: "user", id: "u1" }, null, {
      isFollowUp: true,
    });
    expect(await sealed(log)).toMatchObject([
      {
        action: "trailseal.event_viewed",
        targets: [{ type: "audit_event", id: "audit_event_1", name: "doc.read" }],
        metadata: { seq: "7" },
      },
      {
        action: "trailseal.timeline_viewed",
        targets: [{ type: "user", id: "u1" }],
        metadata: { role: "actor", q: "a" },
      },
    ]);
  });

  it("none is sealed where none is wanted, one in ten where that is, and what leaves always", async () => {
    const [none, tenth] = [await withSampling(0), await withSampling(10)];
    const read = async (log: string) => {
      for (let n = 0; n < 200; n += 1) await recordSearch(person(log), search(`q=n${n}`));
      return (await sealed(log)).slice(1);
    };
    expect(await read(none)).toEqual([]);
    const some = await read(tenth);
    // 20 are expected: fewer than 3 or more than 50 in 200 do not happen by chance.
    expect(some.length).toBeGreaterThan(2);
    expect(some.length).toBeLessThan(51);
    for (const { metadata } of some) expect(metadata.sampled).toBe("1 in 10");
    await recordDownload(person(none), { action: "trailseal.bundle_downloaded" });
    expect((await sealed(none)).map(({ action }) => action)).toEqual([
      "trailseal.read_recording_changed",
      "trailseal.bundle_downloaded",
    ]);
  });

  it("the setting is sealed with what it was, and the same again is no change", async () => {
    const log = await withSampling(100);
    await setReadSampling(person(log), 100);
    await setReadSampling(person(log), 1);
    expect((await sealed(log)).map(({ metadata }) => metadata)).toEqual([
      { recorded: "1 in 100", recorded_before: "all" },
      { recorded: "all", recorded_before: "1 in 100" },
    ]);
  });

  it("a log that takes nothing shows nothing, and the read is tried anew", async () => {
    const log = await createTestLog(db);
    await recordSearch(person(log), search("q=before"));
    const turn = (by: number) =>
      db.owner.query("UPDATE log_heads SET next_seq = next_seq + $2 WHERE organization_id = $1", [
        log,
        by,
      ]);
    await turn(-1);
    await expect(recordSearch(person(log), search("q=a"))).rejects.toMatchObject({
      code: "unavailable",
      message: expect.stringContaining("cannot be written"),
    });
    await turn(1);
    await recordSearch(person(log), search("q=a"));
    expect(await sealed(log)).toHaveLength(2);
  });

  it("an organization that was deleted meanwhile is not found, which no trying again would change", async () => {
    const log = await createTestLog(db);
    await db.owner.query("UPDATE organizations SET deleted_at = now() WHERE id = $1", [log]);
    await expect(recordSearch(person(log), search("q=a"))).rejects.toMatchObject({
      code: "not_found",
    });
  });

  it("one's own reads are no news to one's live tail; those of others are; a list has all", async () => {
    const log = await createTestLog(db);
    const [ada, bob] = [person(log), person(log, "user_bob")];
    await recordSearch(ada, search("q=a"));
    await recordView(bob, { id: "audit_event_1", action: "doc.read", seq: 0 });
    await recordDownload(ada, { action: "trailseal.events_downloaded" });
    await appendEvents(log, [newEvent({ action: "doc.read" })]);
    const request = { filter: EMPTY_FILTER, from: () => null };
    const tailOf = async (scope: Scope) =>
      (await readTail(scope, request, -1, await readHeadSeq(scope))).rows.map(
        ({ action }) => action,
      );
    const rest = ["trailseal.events_downloaded", "doc.read"];
    expect(await tailOf(ada)).toEqual(["trailseal.event_viewed", ...rest]);
    expect(await tailOf(bob)).toEqual(["trailseal.events_searched", ...rest]);
    expect((await listEvents(ada, { filter: EMPTY_FILTER })).rows).toHaveLength(4);
    const without = search("q=-action:trailseal.*").filter;
    expect((await listEvents(ada, { filter: without })).rows).toHaveLength(1);
  });
});
