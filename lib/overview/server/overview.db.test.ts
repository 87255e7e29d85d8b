import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { parseEventSearch } from "@/lib/events/filter/parse-url";
import { timeBounds } from "@/lib/events/filter/url";
import type { NewEvent } from "@/lib/events/schema";
import { listEvents } from "@/lib/events/server/list";
import { followRollups } from "@/lib/events/server/rollups";
import { appendEvents, createTestLog, newEvent, testEvents } from "@/lib/events/server/test-log";
import { eventsHref, queryOf } from "../links";
import { type Period, parsePeriod } from "../period";
import { COUNT_CAP, readActors } from "./actors";
import { readDays, readFailures, readTopActions } from "./counts";
import { readIngestion, readNewest } from "./ingestion";

// testEvents() ends with January 2026.
const NOW = Date.parse("2026-01-31T18:00:00Z");
const scopeOf = (log: string) => systemScope("cli", log);

let db: TestDatabase;
let period: Period;

beforeAll(async () => {
  db = await testDatabase();
  const parsed = parsePeriod({ range: "30d" }, NOW);
  if (!parsed.ok) throw new Error(parsed.message);
  period = parsed.period;
});

afterEach(() => vi.restoreAllMocks());
afterAll(() => db.close());

/** Independent of the product's reads: plain SQL over events. */
async function sql<Row>(text: string, ...values: unknown[]): Promise<Row[]> {
  return (await db.owner.query(text, values)).rows as Row[];
}

/** How many events the explorer lists under a link. */
async function listed(log: string, href: string): Promise<number> {
  const url = new URL(href, "http://localhost");
  expect(url.pathname).toBe(`/o/${log}/events`);
  const parsed = parseEventSearch(url.searchParams);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { filter, time } = parsed.search;
  const bounds = timeBounds(time, NOW);
  let count = 0;
  let after: string | null = null;
  do {
    const page = await listEvents(scopeOf(log), { filter, ...bounds, after, limit: 500 });
    count += page.rows.length;
    after = page.next;
  } while (after);
  return count;
}

const at = (occurredAt: string, event: Parameters<typeof newEvent>[0] = {}) =>
  newEvent({ ...event, occurredAt });

/** Borders of days and of the period, names that need quoting, failures of each kind, newcomers. */
function edges(): NewEvent[] {
  const { before, from, to } = period;
  const just = (iso: string) => new Date(Date.parse(iso) - 1).toISOString();
  const odd = { type: "user", id: 'odd "id" *: OR (x)', name: "Odd" };
  const late = { type: "user", id: "newcomer" };
  return [
    ...[before, from, to].flatMap((border) => [at(border), at(just(border))]),
    ...Array.from({ length: 150 }, () => at("2026-01-20T12:00:00.000Z", { actor: odd })),
    ...Array.from({ length: 40 }, () => at("2025-12-20T12:00:00.000Z", { actor: odd })),
    ...Array.from({ length: 90 }, () => at("2026-01-10T00:00:00.000Z", { action: 'a "b" *' })),
    at("2026-01-31T17:59:00.000Z", { actor: late }),
    at("2026-01-30T10:00:00.000Z", { actor: late, action: "doc.read.denied" }),
    at("2025-12-30T10:00:00.000Z", { action: "user.sign_in_failed" }),
    at("2026-01-05T10:00:00.000Z", { metadata: { errorCode: "AccessDenied", errorMessage: "x" } }),
    at("2026-01-06T10:00:00.000Z", { metadata: { errorMessage: "Failed authentication" } }),
    at("2026-01-07T10:00:00.000Z", { metadata: { errorCode: null, note: "errorCode" } }),
  ];
}

/** A log of which the rollups have counted a part: all of it, or none, or up to the middle. */
async function filledLog(counted: "all" | "none" | "part"): Promise<string> {
  const log = await createTestLog(db);
  const events = [...testEvents(1_500, 3, 55), ...edges()];
  if (counted === "none") await appendEvents(log, events);
  else {
    await appendEvents(log, events.slice(0, 900));
    await followRollups(log);
    await appendEvents(log, events.slice(900));
    if (counted === "all") await followRollups(log);
  }
  // Another organization's events are nobody else's.
  const other = await createTestLog(db);
  await appendEvents(other, testEvents(50, 4, 20));
  await followRollups(other);
  return log;
}

describe.each(["all", "part", "none"] as const)("with %s of the log in the rollups", (counted) => {
  let log: string;
  beforeAll(async () => {
    log = await filledLog(counted);
  });

  test("every day's count, the total and the period before are SQL's, and their links list as many", async () => {
    const found = await readDays(scopeOf(log), period);
    const days = await sql<{ day: string; events: number }>(
      `SELECT to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, count(*)::int AS events
       FROM events WHERE organization_id = $1 AND occurred_at >= $2 AND occurred_at < $3 GROUP BY 1 ORDER BY 1`,
      log,
      period.from,
      period.to,
    );
    expect(found.days).toHaveLength(30);
    expect(
      found.days
        .filter(({ events }) => events > 0)
        .map(({ from, events }) => ({ day: from.slice(0, 10), events })),
    ).toEqual(days);
    expect(found.behind).toBe(0);
    expect(found.now).toBe(days.reduce((sum, { events }) => sum + events, 0));
    expect(await listed(log, eventsHref(log, period))).toBe(found.now);
    const earlier = { from: period.before, to: period.from };
    expect(await listed(log, eventsHref(log, earlier))).toBe(found.before);
    for (const day of found.days) expect(await listed(log, eventsHref(log, day))).toBe(day.events);
  });

  test("actions are SQL's, in this period and the one before, and their links list as many", async () => {
    const found = await readTopActions(scopeOf(log), period, 70);
    const expected = await sql(
      `SELECT action, count(*) FILTER (WHERE occurred_at >= $3)::int AS now,
         count(*) FILTER (WHERE occurred_at < $3)::int AS before
       FROM events WHERE organization_id = $1 AND occurred_at >= $2 AND occurred_at < $4
       GROUP BY action HAVING count(*) FILTER (WHERE occurred_at >= $3) > 0 ORDER BY now DESC, action`,
      log,
      period.before,
      period.from,
      period.to,
    );
    expect(found).toEqual(expected);
    expect(found.some(({ action }) => action === 'a "b" *')).toBe(true);
    for (const { action, now, before } of found.slice(0, 8)) {
      const q = queryOf("action", action);
      expect(await listed(log, eventsHref(log, { ...period, q }))).toBe(now);
      const earlier = { q, from: period.before, to: period.from };
      expect(await listed(log, eventsHref(log, earlier))).toBe(before);
    }
  });

  test("the most active actors are SQL's, and their links list as many", async () => {
    // Days that the rollups do not know yet are sampled in part; what is shown is counted in full all the same.
    const { top: found, isWhole } = await readActors(scopeOf(log), period);
    expect(isWhole).toBe(counted === "all");
    const expected = await sql<{ id: string; now: number }>(
      `SELECT actor_id AS id, count(*) FILTER (WHERE occurred_at >= $3)::int AS now,
         count(*) FILTER (WHERE occurred_at < $3)::int AS before
       FROM events WHERE organization_id = $1 AND occurred_at >= $2 AND occurred_at < $4
       GROUP BY 1 ORDER BY now DESC, id`,
      log,
      period.before,
      period.from,
      period.to,
    );
    const shown = found.map(({ id, now, before }) => ({ id, now, before }));
    expect(shown).toHaveLength(5);
    expect(expected).toEqual(expect.arrayContaining(shown));
    if (isWhole) {
      expect(shown).toEqual(expected.slice(0, 5));
      expect(found.find(({ name }) => name === "Odd")?.now).toBe(150);
    }
    for (const { id, now, before } of found) {
      const q = queryOf("actor", id);
      expect(await listed(log, eventsHref(log, { ...period, q }))).toBe(now);
      const earlier = { q, from: period.before, to: period.from };
      expect(await listed(log, eventsHref(log, earlier))).toBe(before);
    }
  });

  test("new actors are those whose first event ever lies in the period", async () => {
    const found = await readActors(scopeOf(log), period);
    const expected = await sql<{ id: string; first: Date; events: number }>(
      `SELECT actor_id AS id, min(occurred_at) AS first, count(*) FILTER (WHERE occurred_at < $3)::int AS events
       FROM events WHERE organization_id = $1 GROUP BY 1
       HAVING min(occurred_at) >= $2 AND min(occurred_at) < $3 ORDER BY max(occurred_at) DESC`,
      log,
      period.from,
      period.to,
    );
    expect(found.found).toBe(expected.length);
    expect(found.looked).toBe(found.actors);
    expect(found.fresh.find(({ id }) => id === "newcomer")).toEqual({
      id: "newcomer",
      name: null,
      firstMs: Date.parse("2026-01-30T10:00:00.000Z"),
      now: 2,
      before: 0,
    });
    for (const { id, firstMs, now: events } of found.fresh) {
      const same = expected.find((row) => row.id === id);
      expect({ firstMs, events }).toEqual({ firstMs: same?.first.getTime(), events: same?.events });
      const q = queryOf("actor", id);
      expect(await listed(log, eventsHref(log, { ...period, q }))).toBe(events);
      expect(await listed(log, eventsHref(log, { q, from: period.before, to: period.from }))).toBe(
        0,
      );
    }
  });

  test("denied and failed events are SQL's by each rule, and their links list as many", async () => {
    const found = await readFailures(scopeOf(log), period);
    const [expected] = await sql<{ named: number; coded: number; messaged: number; past: number }>(
      `SELECT count(*) FILTER (WHERE occurred_at >= $3 AND action ~ '[._](denied|failed)$')::int AS named,
         count(*) FILTER (WHERE occurred_at < $3 AND action ~ '[._](denied|failed)$')::int AS past,
         count(*) FILTER (WHERE occurred_at >= $3 AND metadata ->> 'errorCode' IS NOT NULL)::int AS coded,
         count(*) FILTER (WHERE occurred_at >= $3 AND metadata ->> 'errorCode' IS NULL
           AND metadata ->> 'errorMessage' IS NOT NULL)::int AS messaged
       FROM events WHERE organization_id = $1 AND occurred_at >= $2 AND occurred_at < $4`,
      log,
      period.before,
      period.from,
      period.to,
    );
    expect(found.map(({ now }) => now)).toEqual([
      expected?.named,
      expected?.coded,
      expected?.messaged,
    ]);
    expect(found.map(({ now }) => now)).toEqual([1, 1, 1]);
    expect(found.map(({ before }) => before)).toEqual([expected?.past, null, null]);
    for (const { rule, now, from } of found) {
      expect(from).toBe(period.from);
      expect(await listed(log, eventsHref(log, { q: rule.q, from, to: period.to }))).toBe(now);
    }
  });
});

describe("a log with more than is counted or sampled", () => {
  let log: string;
  beforeAll(async () => {
    log = await createTestLog(db);
    const busy = { type: "user", id: "busy" };
    const events = Array.from({ length: COUNT_CAP + 500 }, (_, number) =>
      at(new Date(Date.parse(period.from) + number * 240_000).toISOString(), {
        actor: busy,
        metadata: number % 10 === 0 ? { errorCode: "Throttled" } : null,
      }),
    );
    await appendEvents(log, [...events, ...testEvents(300, 5, 20)]);
  });

  test("while the rollups are behind, the page says how many events no number holds", async () => {
    const found = await readDays(scopeOf(log), period);
    const [head] = await sql<{ next_seq: number }>(
      "SELECT next_seq FROM log_heads WHERE organization_id = $1",
      log,
    );
    expect(found.now + found.before + found.behind).toBe(Number(head?.next_seq));
    expect(found.behind).toBe(COUNT_CAP + 800 - 5_000);
    await followRollups(log);
    expect(await readDays(scopeOf(log), period)).toMatchObject({ now: COUNT_CAP + 800, behind: 0 });
  });

  test("actors are counted up to the cap and no further, and the sample says that it is one", async () => {
    const sample = await readActors(scopeOf(log), period);
    expect(sample.isWhole).toBe(false);
    expect(sample.events).toBeGreaterThan(2_900);
    expect(sample.events).toBeLessThan(3_200);
    const [first, second] = sample.top;
    expect(first).toMatchObject({ id: "busy", name: null, now: COUNT_CAP + 1, before: null });
    const [same] = await sql<{ events: number }>(
      "SELECT count(*)::int AS events FROM events WHERE organization_id = $1 AND actor_id = $2",
      log,
      second?.id,
    );
    expect(second?.now).toBe(same?.events);
  });

  test("errors are counted on the newest events only, from the time the link names", async () => {
    const coded = (await readFailures(scopeOf(log), period))[1];
    if (!coded) throw new Error("no rule");
    expect(coded.from > period.from).toBe(true);
    const [expected] = await sql<{ scanned: number; coded: number }>(
      `SELECT count(*)::int AS scanned, count(*) FILTER (WHERE metadata ? 'errorCode')::int AS coded
       FROM events WHERE organization_id = $1 AND occurred_at >= $2 AND occurred_at < $3`,
      log,
      coded.from,
      period.to,
    );
    expect(expected?.scanned).toBeLessThan(5_000);
    expect(expected?.scanned).toBeGreaterThan(4_900);
    expect(coded.now).toBe(expected?.coded);
    const href = eventsHref(log, { q: coded.rule.q, from: coded.from, to: period.to });
    expect(await listed(log, href)).toBe(coded.now);
  });
});

describe("how events arrive", () => {
  test("the last event, and those received within the hour, by SQL", async () => {
    const log = await createTestLog(db);
    expect(await readIngestion(scopeOf(log))).toMatchObject({ last: null, lastHour: 0 });
    const real = Date.now;
    for (const [agoMs, count] of [
      [3 * 3_600_000, 40],
      [3_600_000 + 30_000, 700],
      [3_600_000 - 30_000, 600],
      [1_000, 33],
    ] as const) {
      vi.spyOn(Date, "now").mockImplementation(() => real() - agoMs);
      await appendEvents(
        log,
        Array.from({ length: count }, () => newEvent({})),
      );
    }
    vi.restoreAllMocks();
    const found = await readIngestion(scopeOf(log));
    const [expected] = await sql<{ events: number }>(
      "SELECT count(*)::int AS events FROM events WHERE organization_id = $1 AND recorded_at >= now() - interval '1 hour'",
      log,
    );
    expect(expected?.events).toBe(633);
    expect(found.lastHour).toBe(633);
    const [newest] = await sql(
      "SELECT id, seq::int, recorded_at AS at FROM events WHERE organization_id = $1 ORDER BY seq DESC LIMIT 1",
      log,
    );
    const { at: recordedAt, ...last } = newest as { id: string; seq: number; at: Date };
    expect(found.last).toEqual({ ...last, recordedAt: recordedAt.toISOString() });
  });

  test("a log without events, with history only, and with a future, is told apart", async () => {
    const log = await createTestLog(db);
    expect(await readNewest(scopeOf(log), period)).toEqual({ ever: null, within: null });
    await appendEvents(log, [at("2023-07-10T12:00:00.000Z")]);
    const history = { ever: "2023-07-10T12:00:00.000Z", within: null };
    expect(await readNewest(scopeOf(log), period)).toEqual(history);
    await appendEvents(log, [at(period.from), at(period.to)]);
    expect(await readNewest(scopeOf(log), period)).toEqual({
      ever: period.to,
      within: period.from,
    });
  });
});
