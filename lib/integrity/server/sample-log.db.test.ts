import { afterAll, beforeAll, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { sampleLog } from "./sample-log";
import { cutCheckpoint } from "./signer";
import { db, openUnguarded, run, sealedLog } from "./test-damage";

// More than one tile, from which the paths past a missing row come.
const EVENTS = 300;

beforeAll(openUnguarded);
afterAll(() => db.close());

test("a sample proves each event by itself, names those that are not, and says how much it finds", async () => {
  const log = await sealedLog(EVENTS);
  const scope = systemScope("cli", log);
  await expect(sampleLog(scope, 10)).rejects.toThrow(/Nothing is signed/);
  await cutCheckpoint(log);
  const some = await sampleLog(scope, 50);
  expect(some).toMatchObject({ population: EVENTS, sampled: 50, failed: [] });
  expect(some.finds_one_percent).toBeCloseTo(0.395, 3);
  await run(
    log,
    "UPDATE events SET version = 9 WHERE ORG AND seq = 70",
    "DELETE FROM events WHERE ORG AND seq = 100",
  );
  const all = await sampleLog(scope, EVENTS * 2);
  expect(all.sampled).toBe(EVENTS);
  expect(all.failed.map(({ seq }) => seq)).toEqual([70, 100, 101]);
});
