import { rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { followTiles } from "@/lib/chain/server/tiles";
import { getEnv } from "@/lib/env";
import { followRollups } from "@/lib/events/server/rollups";
import { appendEvents, testEvents } from "@/lib/events/server/test-log";
import { logsToWatch, readBreak, readWatch, watchLog } from "./log-watch";
import { cutCheckpoint } from "./signer";
import {
  announceErasure,
  db,
  EVENTS,
  erase,
  K,
  openUnguarded,
  prune,
  run,
  sealedLog,
} from "./test-damage";
import { verifyLog } from "./verify";

beforeAll(openUnguarded);
afterAll(() => db.close());

const scope = (log: string) => systemScope("worker", log);
const newest = (log: string) => verifyLog(scope(log), { isNewestOnly: true });

async function watchedLog(): Promise<string> {
  const log = await sealedLog();
  await cutCheckpoint(log);
  await watchLog(log);
  return log;
}

test("a log is read whole once, and then only what came since", async () => {
  const log = await watchedLog();
  expect(await readWatch(scope(log))).toMatchObject({ checkedTo: EVENTS, finding: null });
  expect(await logsToWatch()).not.toContain(log);
  await appendEvents(log, testEvents(40, 2));
  expect(await logsToWatch()).toContain(log);
  expect(await newest(log)).toMatchObject({
    ok: true,
    checked: 40,
    first_seq: EVENTS,
    last_seq: EVENTS + 39,
    next_seq: EVENTS + 40,
  });
  expect(await newest(log)).toMatchObject({ ok: true, checked: 0 });
});

test("what is changed among the new events is named, and known until it is mended", async () => {
  const log = await watchedLog();
  await appendEvents(log, testEvents(40, 2));
  await run(log, `UPDATE events SET version = 9 WHERE ORG AND seq = ${EVENTS + 7}`);
  await watchLog(log);
  const known = { kind: "edited_content", seq: EVENTS + 7 };
  expect(await readBreak(scope(log))).toMatchObject(known);
  await appendEvents(log, testEvents(1, 3));
  await watchLog(log);
  expect(await readBreak(scope(log))).toMatchObject(known);
  await run(log, `UPDATE events SET version = 1 WHERE ORG AND seq = ${EVENTS + 7}`);
  await watchLog(log);
  expect(await readBreak(scope(log))).toBeNull();
});

test("a log sealed anew since the last look does not meet what was seen then", async () => {
  const log = await watchedLog();
  await appendEvents(log, testEvents(5, 2));
  await run(log, `UPDATE events SET chain_hash = sha256('x') WHERE ORG AND seq = ${EVENTS - 1}`);
  // The changed row is not read again: its new hash is what the next one should have been sealed after.
  expect(await newest(log)).toMatchObject({ ok: true });
  await run(log, `UPDATE log_heads SET next_seq = ${EVENTS - 100} WHERE ORG`);
  expect(await newest(log)).toMatchObject({ ok: false, kind: "truncated_tail" });
});

test("an erasure and a pruning between two looks are no damage", async () => {
  const log = await watchedLog();
  await announceErasure(log, K, "actor");
  await erase(log, K, "actor");
  expect(await newest(log)).toMatchObject({ ok: true, checked: 1 });
  await prune(log, 300);
  expect(await newest(log)).toMatchObject({ ok: true, checked: 1 });
  await appendEvents(log, testEvents(3, 2));
  expect(await newest(log)).toMatchObject({ ok: true, checked: 3, first_seq: EVENTS + 2 });
});

test("without its memory the check begins anew", async () => {
  const log = await watchedLog();
  rmSync(path.join(getEnv().TRAILSEAL_DATA_DIR, "verifier", `${log}.json`));
  expect(await newest(log)).toMatchObject({ ok: true, checked: EVENTS });
});

test("while events are written, followed and signed there is no false alarm", async () => {
  const log = await watchedLog();
  const end = Date.now() + 3_000;
  const until = async (work: () => Promise<unknown>) => {
    while (Date.now() < end) await work();
  };
  let whole = 0;
  let part = 0;
  await Promise.all([
    until(() => appendEvents(log, testEvents(20, Math.floor(Math.random() * 1e6)))),
    until(() => followTiles(log)),
    until(() => followRollups(log)),
    until(() => cutCheckpoint(log)),
    until(async () => {
      expect(await verifyLog(scope(log))).toMatchObject({ ok: true, findings: [] });
      whole += 1;
    }),
    until(async () => {
      expect(await newest(log)).toMatchObject({ ok: true, findings: [] });
      part += 1;
    }),
  ]);
  expect(whole).toBeGreaterThan(2);
  expect(part).toBeGreaterThan(2);
});
