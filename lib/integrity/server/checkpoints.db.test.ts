import { afterAll, beforeAll, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { appendEvents, testEvents } from "@/lib/events/server/test-log";
import { readCheckpointMarks, readCheckpointRows } from "./checkpoints";
import { cutCheckpoint } from "./signer";
import { db, EVENTS, openUnguarded, run, sealedLog } from "./test-damage";

beforeAll(openUnguarded);
afterAll(() => db.close());

const SIZES = [EVENTS, EVENTS + 10, EVENTS + 300];

async function signedLog(): Promise<string> {
  const log = await sealedLog();
  await cutCheckpoint(log);
  await appendEvents(log, testEvents(10, 2));
  await cutCheckpoint(log);
  await appendEvents(log, testEvents(290, 3));
  await cutCheckpoint(log);
  return log;
}

test("checkpoints come newest first, each shown to contain the one before, in pages", async () => {
  const scope = systemScope("cli", await signedLog());
  const first = await readCheckpointRows(scope, { limit: 2 });
  expect(first.hasOlder).toBe(true);
  expect(first.rows.map(({ size, extends: older }) => [size, older])).toEqual([
    [SIZES[2], { size: SIZES[1], isProven: true }],
    [SIZES[1], { size: SIZES[0], isProven: true }],
  ]);
  const rest = await readCheckpointRows(scope, { limit: 2, before: SIZES[1] as number });
  expect(rest).toMatchObject({ hasOlder: false, rows: [{ size: SIZES[0], extends: null }] });
});

test("one that is signed by another key, and one whose tree is another, are shown as that", async () => {
  const log = await signedLog();
  const scope = systemScope("cli", log);
  await run(
    log,
    `UPDATE checkpoints SET note = regexp_replace(note, '....\\n$', E'AAA=\\n') WHERE ORG AND tree_size = ${SIZES[2]}`,
    "UPDATE events SET chain_hash = sha256('x') WHERE ORG AND seq = 702",
    "DELETE FROM tiles WHERE ORG",
  );
  const { rows } = await readCheckpointRows(scope, { limit: 2 });
  expect(rows).toMatchObject([
    { root: null, extends: null },
    { size: SIZES[1], extends: { size: SIZES[0], isProven: false } },
  ]);
});

test("marks are one for each part of the log that has a checkpoint", async () => {
  const scope = systemScope("cli", await signedLog());
  expect(await readCheckpointMarks(scope, 0, 1_000, 160)).toEqual(SIZES);
  expect(await readCheckpointMarks(scope, 0, 1_000, 2)).toEqual([SIZES[2]]);
  expect(await readCheckpointMarks(scope, 705, 1_000, 2)).toEqual([SIZES[1], SIZES[2]]);
});
