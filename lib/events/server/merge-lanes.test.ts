import fc from "fast-check";
import { expect, test } from "vitest";
import { testSeed } from "../filter/test-arbitraries";
import type { EventRow } from "../schema";
import type { Lane } from "../subject";
import { encodeCursor } from "./cursor";
import type { EventPage } from "./list";
import { mergeLanes } from "./merge-lanes";

const START_MS = Date.parse("2026-03-02T00:00:00Z");

interface Given {
  seq: number;
  second: number;
  lanes: Lane[];
}

const rowOf = ({ seq, second }: Given): EventRow => ({
  id: `event_${seq}`,
  seq,
  action: "doc.viewed",
  version: 1,
  occurredAt: new Date(START_MS + second * 1_000).toISOString(),
  recordedAt: new Date(START_MS).toISOString(),
  actor: { type: "user", id: "usr_1" },
  targets: [],
  location: null,
});

const placeOf = (given: Given) =>
  encodeCursor({ occurredAtMs: START_MS + given.second * 1_000, seq: given.seq });

/** A lane's page as the list gives it; `reach` rows are searched at most, of which those of the lane count. */
function readLane(
  all: Given[],
  lane: Lane,
  direction: "older" | "newer",
  cursor: string | null,
  { limit, reach }: { limit: number; reach: number },
): EventPage {
  const walked = direction === "older" ? all : [...all].reverse();
  const start = cursor ? walked.findIndex((one) => placeOf(one) === cursor) + 1 : 0;
  const searched = walked.slice(start, start + reach);
  const mine = searched.filter(({ lanes }) => lanes.includes(lane));
  const taken = mine.slice(0, limit);
  const hasMore = mine.length > limit;
  const last = hasMore ? taken.at(-1) : start + reach < walked.length ? searched.at(-1) : undefined;
  const onward = last ? placeOf(last) : null;
  const rows = taken.map(rowOf);
  if (direction === "newer") rows.reverse();
  const back = cursor && (taken[0] ? placeOf(taken[0]) : cursor);
  return {
    rows,
    next: direction === "older" ? onward : back,
    previous: direction === "older" ? back : onward,
    searchedTo: !hasMore && last ? rowOf(last).occurredAt : null,
  };
}

test.each(["older", "newer"] as const)(
  "pages of both lanes joined are every event once in order, however far each lane was searched (%s)",
  (direction) => {
    const given = fc
      .array(
        fc.record({
          second: fc.nat(8),
          lanes: fc.constantFrom<Lane[]>(["did"], ["done"], ["did", "done"]),
        }),
        { maxLength: 40 },
      )
      .map((events) =>
        events
          .map((event, seq) => ({ ...event, seq }))
          .sort((a, b) => b.second - a.second || b.seq - a.seq),
      );
    const limits = fc.record({
      limit: fc.integer({ min: 1, max: 7 }),
      reach: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(given, limits, limits, (all, did, done) => {
        const limit = did.limit;
        const seqs: number[] = [];
        let cursor: string | null = null;
        for (let pages = 0; pages === 0 || cursor; pages += 1) {
          expect(pages).toBeLessThan(200);
          const read = (lane: Lane, reach: number) =>
            readLane(all, lane, direction, cursor, { limit, reach });
          const page = mergeLanes(
            { did: read("did", did.reach), done: read("done", done.reach) },
            direction,
            limit,
          );
          expect(page.rows.length).toBeLessThanOrEqual(limit);
          for (const row of page.rows)
            expect([...row.lanes].sort()).toEqual(all.find(({ seq }) => seq === row.seq)?.lanes);
          const found = page.rows.map(({ seq }) => seq);
          if (direction === "older") seqs.push(...found);
          else seqs.unshift(...found);
          cursor = direction === "older" ? page.next : page.previous;
          // A page that is not full and goes on says how far it came.
          if (cursor && page.rows.length < limit) expect(page.searchedTo).not.toBeNull();
        }
        expect(seqs).toEqual(all.map(({ seq }) => seq));
      }),
      { seed: testSeed(), numRuns: 500 },
    );
  },
);
