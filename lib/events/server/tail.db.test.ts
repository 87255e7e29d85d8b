import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { readPool } from "@/lib/db/pool";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { AppError } from "@/lib/errors";
import { EMPTY_FILTER, type EventFilter } from "../filter/ast";
import { parseFilter } from "../filter/parse";
import { testSeed } from "../filter/test-arbitraries";
import type { TailRow } from "../tail";
import { readHeadSeq, readTail, type TailRequest } from "./tail";
import { streamTail, type TailLimits } from "./tail-stream";
import { appendEvents, createTestLog, newEvent } from "./test-log";

const seed = testSeed();
let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const T0 = Date.UTC(2026, 0, 1);
const at = (second: number) => new Date(T0 + second * 1_000).toISOString();
const event = (second: number, action = "a.b") => newEvent({ occurredAt: at(second), action });

async function newScope(): Promise<Scope> {
  return systemScope("cli", await createTestLog(db));
}

function requestOf(q: string, from: string | null = null): TailRequest {
  const parsed = parseFilter(q);
  if (!parsed.ok) throw new Error(q);
  return { filter: parsed.filter as EventFilter, from: () => from };
}

const ALL: TailRequest = { filter: EMPTY_FILTER, from: () => null };

async function stepFrom(scope: Scope, request: TailRequest, after: number) {
  return readTail(scope, request, after, await readHeadSeq(scope));
}

interface Message {
  id: number;
  event: string;
  data: unknown;
}

/** Reads server-sent events as a browser does, until `isEnough` or the stream ends. */
async function listen(
  scope: Scope,
  request: TailRequest,
  after: number,
  isEnough: (messages: Message[]) => boolean,
  options: { limits?: Partial<TailLimits>; renew?: (scope: Scope) => Promise<Scope> } = {},
): Promise<Message[]> {
  const limits = { heartbeatMs: 15_000, permitMs: 30_000, maxOpenMs: 600_000, ...options.limits };
  const renew = options.renew ?? (async (held: Scope) => held);
  const stream = streamTail(scope, request, after, renew, limits);
  const messages: Message[] = [];
  let text = "";
  for await (const chunk of stream) {
    text += Buffer.from(chunk).toString();
    const blocks = text.split("\n\n");
    text = blocks.pop() as string;
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1] ?? "";
      messages.push({
        id: Number(field("id")),
        event: field("event"),
        data: JSON.parse(field("data")),
      });
    }
    if (isEnough(messages)) break;
  }
  return messages;
}

const rowsOf = (messages: Message[]) =>
  messages.flatMap(({ event: kind, data }) => (kind === "events" ? (data as TailRow[]) : []));

describe("what a tail reads", () => {
  test("events in the order of arrival, those late marked, none of other organizations", async () => {
    const [scope, other] = [await newScope(), await newScope()];
    await appendEvents(other.organizationId, [event(9_999), event(1)]);
    await appendEvents(scope.organizationId, [event(100), event(50)]);
    const { seq } = await stepFrom(scope, ALL, -1);
    expect(seq).toBe(1);
    await appendEvents(scope.organizationId, [
      event(70),
      event(100.5),
      event(101),
      event(99),
      event(100.2),
    ]);
    const step = await stepFrom(scope, ALL, seq);
    expect(step).toMatchObject({ seq: 6, skipped: null });
    // Within a second of another counts as together with it.
    expect(step.rows.map(({ seq: number, isLate }) => [number, isLate])).toEqual([
      [2, true],
      [3, false],
      [4, false],
      [5, true],
      [6, false],
    ]);
    expect(await stepFrom(scope, ALL, step.seq)).toEqual({ seq: 6, rows: [], skipped: null });
  });

  test("an event of the future makes nothing late that comes at once", async () => {
    const scope = await newScope();
    const now = () => newEvent({ occurredAt: new Date().toISOString() });
    const ahead = newEvent({ occurredAt: new Date(Date.now() + 600_000).toISOString() });
    await appendEvents(scope.organizationId, [ahead]);
    await appendEvents(scope.organizationId, [now()]);
    const { rows } = await stepFrom(scope, ALL, -1);
    expect(rows.map(({ isLate }) => isLate)).toEqual([false, false]);
  });

  test("only what matches filter and range", async () => {
    const scope = await newScope();
    await appendEvents(scope.organizationId, [
      event(10, "doc.read"),
      event(20, "doc.deleted"),
      event(30, "doc.deleted"),
    ]);
    const step = await stepFrom(scope, requestOf("action:doc.deleted", at(25)), -1);
    expect(step.rows.map(({ seq }) => seq)).toEqual([2]);
    expect(step.seq).toBe(2);
  });

  test("more than 500 at once are counted and passed over; the tail goes on at the head", async () => {
    const scope = await newScope();
    const many = Array.from({ length: 1_001 }, (_, number) =>
      event(number, number % 2 ? "x.odd" : "x.even"),
    );
    await appendEvents(scope.organizationId, many);
    const even = await stepFrom(scope, requestOf("action:x.even"), -1);
    expect(even).toEqual({ seq: 1_000, rows: [], skipped: { count: 501 } });
    const odd = await stepFrom(scope, requestOf("action:x.odd"), -1);
    expect(odd).toMatchObject({ seq: 1_000, skipped: null });
    expect(odd.rows).toHaveLength(500);
    expect(await readTail(scope, ALL, -1, 200_000)).toEqual({
      seq: 200_000,
      rows: [],
      skipped: { count: null },
    });
  });
});

describe("a tail as a stream", () => {
  test("over any appends and reconnects nothing is lost, doubled or out of order", async () => {
    const word = fc.constantFrom("user.created", "user.deleted", "doc.read");
    const batch = fc.array(fc.tuple(fc.integer({ min: 0, max: 300 }), word), {
      minLength: 1,
      maxLength: 12,
    });
    const given = fc.record({
      batches: fc.array(batch, { minLength: 1, maxLength: 6 }),
      q: fc.constantFrom("", "action:user.*", "-action:doc.read"),
      from: fc.constantFrom(null, at(120)),
      /** After so many messages the connection breaks. */
      breaks: fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(given, async ({ batches, q, from, breaks }) => {
        const scope = await newScope();
        const request = requestOf(q, from);
        const appending = (async () => {
          for (const events of batches)
            await appendEvents(
              scope.organizationId,
              events.map(([second, action]) => event(second, action)),
            );
        })();
        const total = batches.flat().length;
        const isDone = (messages: Message[]) => (messages.at(-1)?.id ?? -1) >= total - 1;
        const got: Message[] = [];
        let cursor = -1;
        for (const after of [...breaks, Number.POSITIVE_INFINITY]) {
          got.push(
            ...(await listen(
              scope,
              request,
              cursor,
              (messages) => messages.length >= after || isDone(messages),
              { limits: { heartbeatMs: 40 } },
            )),
          );
          cursor = got.at(-1)?.id ?? cursor;
          if (isDone(got)) break;
        }
        await appending;
        const expected = batches
          .flat()
          .map(([second, action], seq) => ({ seq, second, action }))
          .filter(({ action }) => (q === "" ? true : action.startsWith("user.")))
          .filter(({ second }) => from === null || second >= 120);
        expect(rowsOf(got).map(({ seq, action }) => ({ seq, action }))).toEqual(
          expected.map(({ seq, action }) => ({ seq, action })),
        );
      }),
      { seed, numRuns: 25 },
    );
  }, 120_000);

  test("a reader that does not read is skipped ahead, and then goes on", async () => {
    const scope = await newScope();
    const reader = streamTail(scope, ALL, -1, async (held) => held).getReader();
    const next = async () => Buffer.from((await reader.read()).value ?? []).toString();
    expect(await next()).toMatch(/^retry: 2000\n: heartbeat\nid: -1\nevent: heartbeat\n/);
    for (let round = 0; round < 3; round += 1)
      await appendEvents(
        scope.organizationId,
        Array.from({ length: 400 }, () => event(round)),
      );
    expect(await next()).toBe('id: 1199\nevent: skipped\ndata: {"count":1200}\n\n');
    await appendEvents(scope.organizationId, [event(7)]);
    expect(await next()).toMatch(/^id: 1200\nevent: events\n/);
    await reader.cancel();
  });

  test("says how far it read while nothing matches, so that a reconnect need not read it again", async () => {
    const scope = await newScope();
    const appending = (async () => {
      for (let second = 0; second < 20; second += 1)
        await appendEvents(scope.organizationId, [event(second)]);
    })();
    const limits = { heartbeatMs: 100 };
    const isEnough = (messages: Message[]) => messages.at(-1)?.id === 19;
    const messages = await listen(scope, requestOf("action:no.such"), -1, isEnough, { limits });
    expect(messages.every(({ event: kind }) => kind === "heartbeat")).toBe(true);
    await appending;
  });

  test("ends when the reader may no longer read, and after its time", async () => {
    const scope = await newScope();
    const renew = async () => {
      throw new AppError("unauthorized", "gone");
    };
    const never = () => false;
    const limits = { heartbeatMs: 20, permitMs: 50 };
    const ended = await listen(scope, ALL, -1, never, { limits, renew });
    expect(ended.at(-1)).toEqual({ id: -1, event: "end", data: { reason: "session" } });
    const limited = await listen(scope, ALL, -1, never, {
      limits: { heartbeatMs: 20, maxOpenMs: 100 },
    });
    expect(limited.at(-1)).toEqual({ id: -1, event: "end", data: { reason: "limit" } });
  });

  test("a database that is away ends the connection without a word, to be taken up again", async () => {
    const scope = await newScope();
    const renew = async () => {
      throw new AppError("unavailable", "away");
    };
    const limits = { heartbeatMs: 20, permitMs: 50 };
    const messages = await listen(scope, ALL, -1, () => false, { limits, renew });
    expect(messages.every(({ event: kind }) => kind === "heartbeat")).toBe(true);
  });

  test("fifty tails share one query per half second; without them there is none", async () => {
    const scope = await newScope();
    const pool = readPool();
    const plain = pool.query;
    const sent: string[] = [];
    pool.query = ((...args: unknown[]) => {
      sent.push(JSON.stringify(args[0]));
      return (plain as (...rest: unknown[]) => unknown).apply(pool, args);
    }) as typeof pool.query;
    try {
      const readers = Array.from({ length: 50 }, () =>
        streamTail(scope, ALL, -1, async (held) => held).getReader(),
      );
      for (const reader of readers) void reader.read().then(() => reader.read());
      await new Promise((resolve) => setTimeout(resolve, 2_200));
      for (const reader of readers) await reader.cancel();
      expect(sent.length).toBeGreaterThanOrEqual(3);
      expect(sent.length).toBeLessThanOrEqual(6);
      await new Promise((resolve) => setTimeout(resolve, 700));
      const before = sent.length;
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      expect(sent.length).toBe(before);
    } finally {
      pool.query = plain;
    }
  });

  test("too many tails of one organization are refused; a place is free when one leaves", async () => {
    const scope = await newScope();
    const one = () => streamTail(scope, ALL, -1, async (held) => held);
    const streams = Array.from({ length: 100 }, one);
    expect(one).toThrow("Too many live views");
    await streams[0]?.cancel();
    streams[0] = one();
    for (const stream of streams) await stream.cancel();
  });
});
