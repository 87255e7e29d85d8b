import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { testSeed } from "./filter/test-arbitraries";
import type { Lane } from "./subject";
import {
  daysOf,
  extendSessions,
  isNewer,
  linesOf,
  runsOf,
  SESSION_GAP_MS,
  type TimelineRow,
} from "./timeline";

const seed = testSeed();
const START_MS = Date.parse("2026-03-02T23:00:00Z");
const dayOf = (iso: string) => iso.slice(0, 10);

function row(seq: number, atMs: number, part: Partial<TimelineRow> = {}): TimelineRow {
  return {
    id: `event_${seq}`,
    seq,
    action: "doc.viewed",
    version: 1,
    occurredAt: new Date(atMs).toISOString(),
    recordedAt: new Date(atMs).toISOString(),
    actor: { type: "user", id: "usr_1" },
    targets: [],
    location: "10.0.0.1",
    agent: "curl/8",
    lanes: ["did"],
    firstTimes: [],
    ...part,
  };
}

/** Newest first; gaps around the limit, few distinct values. */
const rowsArbitrary = fc
  .array(
    fc.record({
      gapMs: fc.constantFrom(0, 1_000, 60_000, SESSION_GAP_MS, SESSION_GAP_MS + 1),
      action: fc.constantFrom("doc.viewed", "doc.deleted"),
      location: fc.constantFrom("10.0.0.1", "10.0.0.2", null),
      agent: fc.constantFrom("curl/8", null),
      actor: fc.constantFrom({ type: "user", id: "usr_1" }, { type: "service", id: "usr_1" }),
      lanes: fc.constantFrom<Lane[]>(["did"], ["done"], ["did", "done"]),
    }),
    { maxLength: 60 },
  )
  .map((steps) => {
    let atMs = START_MS;
    return steps.map(({ gapMs, ...part }, index) => {
      atMs -= gapMs;
      return row(1_000 - index, atMs, part);
    });
  });

describe("sessions", () => {
  test("are the same page by page as at once, wherever the pages end", () => {
    fc.assert(
      fc.property(rowsArbitrary, fc.array(fc.nat(60), { maxLength: 8 }), (rows, cuts) => {
        const ends = [...cuts, rows.length].sort((a, b) => a - b);
        const paged = ends.reduce(
          ({ sessions, at }, end) => ({
            sessions: extendSessions(sessions, rows.slice(at, end), dayOf),
            at: end,
          }),
          { sessions: [] as ReturnType<typeof extendSessions>, at: 0 },
        );
        expect(paged.sessions).toEqual(extendSessions([], rows, dayOf));
      }),
      { seed },
    );
  });

  test("hold every row once and in order, and break exactly where a row says something else", () => {
    fc.assert(
      fc.property(rowsArbitrary, (rows) => {
        const sessions = extendSessions([], rows, dayOf);
        expect(sessions.flat()).toEqual(rows);
        const starts = new Set(sessions.map(([first]) => first.id));
        for (const [index, older] of rows.entries()) {
          const newer = rows[index - 1];
          const isBreak =
            !newer ||
            Date.parse(newer.occurredAt) - Date.parse(older.occurredAt) > SESSION_GAP_MS ||
            newer.location !== older.location ||
            newer.agent !== older.agent ||
            newer.actor.type !== older.actor.type ||
            dayOf(newer.occurredAt) !== dayOf(older.occurredAt);
          expect(starts.has(older.id)).toBe(isBreak);
        }
      }),
      { seed },
    );
  });

  test("half an hour is still the same session, a millisecond more is not", () => {
    const pair = (gapMs: number) => [row(2, START_MS), row(1, START_MS - gapMs)];
    expect(extendSessions([], pair(SESSION_GAP_MS), dayOf)).toHaveLength(1);
    expect(extendSessions([], pair(SESSION_GAP_MS + 1), dayOf)).toHaveLength(2);
  });
});

describe("runs", () => {
  test("collapse what is said again: same action, same participants, whatever their names", () => {
    const target = (id: string, name?: string) => ({ type: "doc", id, ...(name ? { name } : {}) });
    const rows = [
      row(6, START_MS, { targets: [target("a", "New name")] }),
      row(5, START_MS, { targets: [target("a")] }),
      row(4, START_MS, { targets: [target("b")] }),
      row(3, START_MS, { targets: [target("b")], action: "doc.deleted" }),
      row(2, START_MS, { targets: [target("a")] }),
    ];
    expect(runsOf(rows).map((run) => run.map(({ seq }) => seq))).toEqual([[6, 5], [4], [3], [2]]);
  });
});

describe("lines of a day", () => {
  test.each(["did", "done"] as const)(
    "show every row once, lanes side by side in time order, with %s as the main one",
    (main) => {
      fc.assert(
        fc.property(rowsArbitrary, fc.func(fc.boolean()), (rows, isExpanded) => {
          const lines = linesOf(rows, main, isExpanded);
          const runs = lines.filter(({ kind }) => kind === "run");
          expect(new Set(runs.flatMap((line) => line.rows))).toEqual(new Set(rows));
          expect(runs.flatMap((line) => line.rows)).toHaveLength(rows.length);
          const places = lines.map(({ lane, gridRow }) => `${lane} ${gridRow}`);
          expect(new Set(places).size).toBe(lines.length);
          for (const [index, line] of lines.entries()) {
            const above = lines[index - 1];
            if (!above) continue;
            expect(line.gridRow).toBeGreaterThanOrEqual(above.gridRow);
            expect(isNewer(line.rows[0], above.rows[0])).toBe(false);
          }
          for (const line of runs)
            expect(line.rows.every(({ lanes }) => lanes.includes(line.lane))).toBe(true);
        }),
        { seed },
      );
    },
  );

  test("a head stands above each session of the main lane, and none in the other", () => {
    const rows = [
      row(4, START_MS),
      row(3, START_MS - 1_000, { lanes: ["done"], actor: { type: "user", id: "boss" } }),
      row(2, START_MS - 2_000),
      row(1, START_MS - 2 * SESSION_GAP_MS),
    ];
    const shape = linesOf(rows, "did", () => false).map(({ kind, lane, rows: of, gridRow }) => [
      kind,
      lane,
      of.length,
      gridRow,
    ]);
    expect(shape).toEqual([
      ["session", "did", 2, 1],
      ["run", "did", 2, 2],
      ["run", "done", 1, 2],
      ["session", "did", 1, 3],
      ["run", "did", 1, 4],
    ]);
  });
});

test("days are whole unless rows beyond an end may belong to them", () => {
  const rows = [row(3, START_MS + 86_400_000), row(2, START_MS), row(1, START_MS - 86_400_000)];
  const partial = (newest: boolean, oldest: boolean) =>
    daysOf(rows, dayOf, { newest, oldest }).map(({ isPartial }) => isPartial);
  expect(partial(true, true)).toEqual([false, false, false]);
  expect(partial(false, true)).toEqual([true, false, false]);
  expect(partial(true, false)).toEqual([false, false, true]);
});
