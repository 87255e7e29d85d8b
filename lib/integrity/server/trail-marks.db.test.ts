import { afterAll, beforeAll, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { appendEvents, testEvents } from "@/lib/events/server/test-log";
import { readVerifiedTo } from "./log-status";
import { watchLog } from "./log-watch";
import { cutCheckpoint } from "./signer";
import { db, EVENTS, K, openUnguarded, run, sealedLog } from "./test-damage";
import { readTrailMarks } from "./trail-marks";

beforeAll(openUnguarded);
afterAll(() => db.close());

const MINUTE = 60_000;

test("the trail is closed as far as it is verified and signed, and a break is placed", async () => {
  const log = await sealedLog();
  const scope = systemScope("cli", log);
  const timesOf = async (seq: number) => {
    const { rows } = await db.owner.query<{ occurred_at: Date; recorded_at: Date }>(
      "SELECT occurred_at, recorded_at FROM events WHERE organization_id = $1 AND seq = $2",
      [log, seq],
    );
    return rows[0] as (typeof rows)[0];
  };
  const first = await timesOf(0);
  const start = Math.min(first.occurred_at.getTime(), first.recorded_at.getTime()) - MINUTE;
  const end = Date.now() + 10 * MINUTE;
  const bounds = [start, Date.now() - MINUTE, Date.now() + MINUTE, end];
  const marks = () => readTrailMarks(scope, bounds);

  expect(await readVerifiedTo(scope)).toBeNull();
  expect(await marks()).toMatchObject({ checkpoints: [], broken: null });
  expect((await marks()).openFromMs).toBeLessThanOrEqual(first.recorded_at.getTime());
  await cutCheckpoint(log);
  await watchLog(log);
  expect(await readVerifiedTo(scope)).toBe(EVENTS - 1);
  expect(await marks()).toEqual({ checkpoints: [1], openFromMs: null, broken: null });

  await appendEvents(log, testEvents(5, 2));
  const fresh = await timesOf(EVENTS);
  expect((await marks()).openFromMs).toBeLessThanOrEqual(fresh.recorded_at.getTime());
  await watchLog(log);
  expect((await marks()).openFromMs, "no checkpoint covers them").not.toBeNull();

  await run(log, "UPDATE log_watches SET checked_to = 0 WHERE ORG");
  await run(log, `DELETE FROM events WHERE ORG AND seq >= ${K} AND seq < ${K + 3}`);
  await run(
    log,
    `UPDATE log_watches SET finding = '{"kind":"deleted_row","seq":${K},"detail":""}', checked_to = ${EVENTS} WHERE ORG`,
  );
  expect(await readVerifiedTo(scope)).toBe(K - 1);
  expect((await marks()).broken).toEqual({
    seq: K,
    atMs: (await timesOf(K + 3)).occurred_at.getTime(),
  });
});
