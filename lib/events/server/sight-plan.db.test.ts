import { afterAll, beforeAll, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { fieldRef } from "../filter/edit";
import { readFacets } from "./facets";
import { filterOf } from "./filter-of";
import { readHistogram } from "./histogram";
import { listEvents } from "./list";
import { readSight } from "./read-sight";
import { readRestored } from "./restored";
import { appendEvents, createTestLog, newEvent } from "./test-log";
import { countDays } from "./timeline";

/** Where a search stops, and what a count looked at, tell how many candidates there were. */

let db: TestDatabase;

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

/** More than are read whole. */
const UNSEEN = 1_200;
const at = (n: number) => new Date(Date.UTC(2026, 3, 1) + n * 1_000).toISOString();

/** The unseen are of this actor and target, and the newest. */
async function logOf(seen: number, action: string, who: string): Promise<string> {
  const log = await createTestLog(db);
  await appendEvents(
    log,
    Array.from({ length: seen + UNSEEN }, (_, n) =>
      newEvent({
        action: n < seen ? "billing.paid" : action,
        occurredAt: at(n),
        actor: { type: "user", id: n < seen ? "seen" : who },
        targets: [{ type: "doc", id: n < seen ? "seen" : who }],
      }),
    ),
  );
  return log;
}

const asks = (action: string) => [
  ...["actor:near", "target:near", "actor:nea*", "action:(x OR y) actor:near", "", "-actor:near"],
  ...[`action:${action}`, "actor:(near OR seen)", "target:(near OR seen)"],
];

async function answers(log: string, action: string, stored: Parameters<typeof readSight>[0]) {
  const sight = readSight(stored) ?? undefined;
  const scope = {
    ...systemScope("cli", log),
    ...((stored.filter ?? stored.hidden.length) ? { sight } : {}),
  };
  const told: unknown[] = [];
  for (const ask of asks(action)) {
    const request = { filter: filterOf(ask), from: null, to: null };
    const scan = { step: 100, targetStep: 100, budgetMs: 0 };
    const { rows, ...ends } = await listEvents(scope, { ...request, limit: 10 }, scan);
    told.push([ask, "list", rows.map(({ seq }) => seq), ends]);
    told.push([ask, "facets", await readFacets(scope, request, [fieldRef("action")])]);
    told.push([ask, "histogram", await readHistogram(scope, { ...request, zone: "UTC" })]);
    told.push([ask, "restored", await readRestored(scope, { ...request, from: at(0) })]);
  }
  for (const role of ["actor", "target"] as const) {
    const subject = { role, type: "user", id: "near" };
    const lanes = { subject, lane: null, filter: filterOf("") };
    told.push([role, await countDays(scope, lanes, [at(0), at(86_400)])]);
  }
  return told;
}

test.each([
  ["a filter", { filter: "action:billing.paid", hidden: [] }, 8_200, "hr.fired"],
  ["hidden fields alone", { filter: null, hidden: ["ip"] }, 200, "trailseal.event_viewed"],
])(
  "with %s, whether unseen events match changes nothing in any answer",
  async (_name, sight, seen, action) => {
    const near = await logOf(seen, action, "near");
    const far = await logOf(seen, action, "far");
    expect(await answers(near, action, sight)).toEqual(await answers(far, action, sight));
    const all = { filter: null, hidden: [] };
    expect(await answers(near, action, all)).not.toEqual(await answers(far, action, all));
  },
);
