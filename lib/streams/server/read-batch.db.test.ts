import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { addStreamTo, append, newOrganization, plain, sequences } from "./delivery-fixtures";
import { parseStreamFilter } from "./filter";
import { claim, type Lease } from "./lease";
import type { LogEvent } from "./log-events";
import { Source } from "./read-batch";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const LARGE = { text: "x".repeat(60_000) };
const COUNT = 600;
/** As many as a request of 900 kB holds of them. */
const REQUEST = 14;
/** Half of a read, another whole one, and the event that each ends with. */
const MOST_BYTES = 15_200_000;

const bytesOf = (events: readonly object[]): number =>
  (events as LogEvent[]).reduce((sum, { start, end }) => sum + end - start, 0);

async function claimed(actions: string[]): Promise<Lease> {
  const scope = await newOrganization();
  const { organizationId } = scope;
  const streamId = await addStreamTo(scope, "webhook", { url: "http://127.0.0.1:9/hook" });
  await append(scope, actions, LARGE);
  const lease = await claim({ organizationId, streamId, lane: "live" }, "test", 60_000);
  if (!lease) throw new Error("the lane is taken");
  expect(await sequences(scope)).toHaveLength(actions.length);
  return lease;
}

describe("events of the greatest size", () => {
  test.each([
    ["all", plain(COUNT), ""],
    ["a third", plain(COUNT).map((action, at) => (at % 3 ? "other" : action)), "action:user.*"],
  ])(
    "%s of them are read once, in order, and a lane holds a bounded part of them",
    async (...row) => {
      const [, actions, filter] = row;
      const lease = await claimed(actions);
      const source = new Source(lease, parseStreamFilter(filter));
      const seen: number[] = [];
      for (;;) {
        const piece = await source.next(1_000, lease.nextSeq);
        if (!piece) break;
        // What is read beside has come.
        await new Promise((resolve) => setTimeout(resolve, 30));
        expect(bytesOf(source.piece(COUNT).events)).toBeLessThan(MOST_BYTES);
        const sent = source.piece(REQUEST);
        seen.push(...sent.events.map(({ seq }) => seq as number));
        source.pass(sent);
      }
      const wanted = actions.flatMap((action, at) => (action === "other" ? [] : [at + 1]));
      expect(seen.filter((seq) => seq > 0)).toEqual(wanted);
    },
  );
});
