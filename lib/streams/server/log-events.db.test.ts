import { afterAll, beforeAll, expect, it } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { parseFilter } from "@/lib/events/filter/parse";
import { openDestination } from "../registry";
import { append, newOrganization, plain } from "./delivery-fixtures";
import type { Lease } from "./lease";
import { type LogEvent, readEvents, type Seqs } from "./log-events";
import { EventsMissing, type Piece, Source } from "./read-batch";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const textOf = ({ block, start, end }: LogEvent) => block.toString("utf8", start, end);

const ALL = { from: 0, end: 1_000_000 };

async function read(organizationId: string, seqs: Seqs = ALL) {
  const events: LogEvent[] = [];
  const filterable: object[] = [];
  await readEvents(organizationId, seqs, (row) => {
    events.push(row.toEvent());
    filterable.push(row.toFilterable());
  });
  return { events, filterable };
}

it("an event's JSON says what its columns say, in any script and of any length", async () => {
  const scope = await newOrganization();
  const { organizationId } = scope;
  const actions = ["user.signed_in", "größe.geändert", "日本.語", "emoji.🦉"];
  const metadata = [{}, { text: '\u0001"\\ é 🦉' }, { long: "ü".repeat(30_000) }, { number: -0.1 }];
  for (const [at, action] of actions.entries()) await append(scope, [action], metadata[at]);
  const { events, filterable } = await read(organizationId);
  const { rows } = await db.app.query(
    `SELECT seq::int, encode(chain_hash, 'hex') AS hash, recorded_at, occurred_at, id, action, version, actor,
       targets, context, metadata FROM events WHERE organization_id = $1 ORDER BY seq`,
    [organizationId],
  );
  expect(events).toHaveLength(actions.length);
  for (const [at, logged] of events.entries()) {
    const { seq, chainHash, recordedAt, event } = logged;
    const { hash, recorded_at, occurred_at, context, ...row } = rows[at];
    const columns = { ...row, ...(context === null ? {} : { context }) };
    expect({ seq, chainHash, recordedAt }).toEqual({
      ...{ seq: row.seq, chainHash: hash, recordedAt: recorded_at.toISOString() },
    });
    const { seq: _, ...members } = columns;
    expect(event).toEqual({
      ...members,
      organization_id: organizationId,
      occurred_at: occurred_at.toISOString(),
    });
    expect(JSON.parse(textOf(logged))).toEqual({
      ...{ seq, chain_hash: chainHash, recorded_at: recordedAt, event },
    });
    expect(filterable[at]).toEqual({ ...members, context });
  }
});

async function change(organizationId: string, assignment: string, where = "true"): Promise<void> {
  await db.owner.query("ALTER TABLE events DISABLE TRIGGER ALL");
  await db.owner.query(`UPDATE events SET ${assignment} WHERE organization_id = $1 AND ${where}`, [
    organizationId,
  ]);
  await db.owner.query("ALTER TABLE events ENABLE TRIGGER ALL");
}

it.each([
  ["occurred_at = 'infinity'", "#0 has a time"],
  ["chain_hash = '\\x00'", "#0 has a chain hash"],
])("what no sealed event has is said: %s", async (assignment, said) => {
  const scope = await newOrganization();
  await append(scope, plain(1));
  await change(scope.organizationId, assignment);
  await expect(read(scope.organizationId)).rejects.toThrow(said);
});

it("numbers beyond JavaScript's leave as the database has them", async () => {
  const scope = await newOrganization();
  await append(scope, plain(1));
  await change(scope.organizationId, `metadata = '{"large": 12345678901234567890.5}'`);
  const { events } = await read(scope.organizationId);
  expect(textOf(events[0] as LogEvent)).toContain("12345678901234567890.5");
});

it("a row that is not sent holds nothing up, whatever was done to its hash", async () => {
  const scope = await newOrganization();
  await append(scope, ["user.in", "user.left", "user.in"]);
  await change(scope.organizationId, "chain_hash = '\\x00'", "seq = 1");
  const parsed = parseFilter("-action:user.left");
  if (!parsed.ok) throw new Error("the filter is wrong");
  const piece = await new Source(lane(scope.organizationId), parsed.filter).next(10, 3);
  expect(piece?.events.map(({ seq, previousHash }) => [seq, previousHash])).toEqual([
    [0, null],
    [2, null],
  ]);
});

it.each(["trailseal", "ocsf", "ecs", "cef"] as const)(
  "an event of the log that is cut to fit a line of syslog keeps its number, times and hashes: %s",
  async (format) => {
    const scope = await newOrganization();
    await append(scope, plain(1));
    await append(scope, ["user.in"], { text: "x".repeat(9_000) });
    const { events } = await read(scope.organizationId);
    const config = { host: "siem.example.com", maxBytes: 8_192 };
    const frame = openDestination("syslog", config).frame(
      { events: events.slice(1), deliveryId: "msg_1", sentAt: new Date(), format },
      {},
    );
    const [, event] = events as [LogEvent, LogEvent];
    expect(frame.body).toContain('truncated="metadata"');
    expect(frame.body).not.toMatch(/undefined|null/);
    expect(frame.body).toContain(`chainHash="${event.chainHash}" recordedAt="${event.recordedAt}"`);
    // Once beside the text, and in the text.
    expect(frame.body.split(event.chainHash)).toHaveLength(3);
    if (format !== "trailseal") expect(frame.body).toContain(event.previousHash as string);
  },
);

it("a read that fails leaves no connection behind that others would meet", async () => {
  const scope = await newOrganization();
  await append(scope, plain(3));
  const refuse = () => {
    throw new Error("refused");
  };
  await expect(readEvents(scope.organizationId, ALL, refuse)).rejects.toThrow("refused");
  await expect(read(scope.organizationId, [Number.NaN])).rejects.toThrow("NaN");
  expect((await read(scope.organizationId)).events).toHaveLength(3);
});

it("each event that is sent knows the hash before its own, also the first of a range and those of single numbers", async () => {
  const scope = await newOrganization();
  await append(scope, plain(7));
  const { rows } = await db.app.query<{ hash: string }>(
    "SELECT encode(chain_hash, 'hex') AS hash FROM events WHERE organization_id = $1 ORDER BY seq",
    [scope.organizationId],
  );
  const lease = { organizationId: scope.organizationId, cursorSeq: 3, kind: "live" } as Lease;
  const piece = await new Source(lease, null).next(3, 6);
  expect(piece?.events.map(({ seq, previousHash }) => [seq, previousHash])).toEqual([
    [3, rows[2]?.hash],
    [4, rows[3]?.hash],
    [5, rows[4]?.hash],
  ]);
  const { events } = await read(scope.organizationId, [0, 1, 4, 6]);
  expect(events.map(({ previousHash }) => previousHash)).toEqual([null, rows[0]?.hash, null, null]);
});

/** A lane that reads on beside what it sends. */
const lane = (organizationId: string) =>
  ({ organizationId, cursorSeq: 0, kind: "live", ratePerSecond: null }) as Lease;

it("what is being sent keeps its text and its hashes while more is written where older text was", async () => {
  const scope = await newOrganization();
  const count = 6_000;
  const actions = Array.from({ length: count }, (_, at) =>
    at % 7 === 0 ? "user.left" : "user.in",
  );
  const metadata = Object.fromEntries(
    Array.from({ length: 20 }, (_, key) => [`key${key}`, "x".repeat(100)]),
  );
  await append(scope, actions, metadata);
  const { rows } = await db.app.query<{ id: string; hash: string; before: string | null }>(
    `SELECT id, encode(chain_hash, 'hex') AS hash, lag(encode(chain_hash, 'hex')) OVER (ORDER BY seq) AS before
     FROM events WHERE organization_id = $1 ORDER BY seq`,
    [scope.organizationId],
  );
  const parsed = parseFilter("-action:user.left");
  if (!parsed.ok) throw new Error("the filter is wrong");
  for (const source of [
    new Source(lane(scope.organizationId), null),
    new Source(lane(scope.organizationId), parsed.filter),
  ]) {
    let current = (await source.next(900, count)) as Piece | null;
    while (current) {
      source.pass(current);
      const next: Piece | null = await source.next(900, count);
      for (const { seq, chainHash, previousHash, event } of current.events) {
        const { id, hash, before } = rows[seq as number] as (typeof rows)[0];
        expect([event.id, chainHash, previousHash]).toEqual([id, hash, before]);
        expect(event.metadata).toEqual(metadata);
      }
      current = next;
    }
  }
});

it("what is read on beside what is sent is every event once, in order, however much is taken at once", async () => {
  const scope = await newOrganization();
  await append(scope, plain(3_000));
  const source = new Source(lane(scope.organizationId), null);
  const seqs: number[] = [];
  for (let turn = 0; seqs.length < 3_000; turn += 1) {
    const piece = await source.next(turn % 3 === 0 ? 1 : 470, 3_000);
    expect(piece?.fromSeq).toBe(seqs.length);
    seqs.push(...(piece?.events ?? []).map(({ seq }) => seq as number));
    expect(piece?.toSeq).toBe(seqs.length);
    source.pass(piece as Piece);
    if (turn % 2 === 0) await new Promise((resolve) => setTimeout(resolve, turn));
  }
  expect(seqs).toEqual(Array.from({ length: 3_000 }, (_, seq) => seq));
  expect(await source.next(500, 3_000)).toBeNull();
});

it("a row that is missing is said when its turn comes, not while what is before it is sent", async () => {
  const scope = await newOrganization();
  const { organizationId } = scope;
  await append(scope, plain(10));
  await db.owner.query("ALTER TABLE events DISABLE TRIGGER ALL");
  await db.owner.query("DELETE FROM events WHERE organization_id = $1 AND seq = 7", [
    organizationId,
  ]);
  await db.owner.query("ALTER TABLE events ENABLE TRIGGER ALL");
  const source = new Source(lane(organizationId), null);
  for (const [fromSeq, toSeq] of [
    [0, 5],
    [5, 7],
  ]) {
    const piece = (await source.next(5, 10)) as Piece;
    expect(piece).toMatchObject({ fromSeq, toSeq });
    source.pass(piece);
  }
  await expect(source.next(5, 10)).rejects.toThrow(EventsMissing);
});
