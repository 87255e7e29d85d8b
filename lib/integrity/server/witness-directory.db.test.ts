import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { splitNotes } from "@/lib/chain/note";
import { getEnv } from "@/lib/env";
import { appendEvents, testEvents } from "@/lib/events/server/test-log";
import { DIRECTORY, updateDirectory } from "./directory";
import { verifyDirectory } from "./directory-check";
import { cutCheckpoint } from "./signer";
import { db, EVENTS, K, openUnguarded, rechain, run, sealedLog } from "./test-damage";
import { verifyLog } from "./verify";
import { publishCheckpoints, readWitnessStates } from "./witnesses";

// Settings are read once, later.
const directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-witness-"));
process.env.TRAILSEAL_WITNESS_DIR = directory;

beforeAll(openUnguarded);
afterAll(async () => {
  fs.rmSync(directory, { recursive: true });
  await db.close();
});

const fileOf = (log: string) => path.join(directory, `${log}.checkpoints`);
const notesOf = (log: string) => splitNotes(fs.readFileSync(fileOf(log), "utf8"));

async function grow(log: string, count: number): Promise<void> {
  await appendEvents(log, testEvents(count, count));
  await cutCheckpoint(log);
}

async function signedLog(): Promise<string> {
  const log = await sealedLog();
  await cutCheckpoint(log);
  return log;
}

test("every checkpoint is appended once, in order, also those that came while it was away", async () => {
  const log = await signedLog();
  await publishCheckpoints(log);
  expect(notesOf(log)).toHaveLength(1);
  for (const count of [3, 4, 5]) await grow(log, count);
  for (let again = 0; again < 2; again += 1) await publishCheckpoints(log);
  const { rows } = await db.owner.query(
    "SELECT note FROM checkpoints WHERE organization_id = $1 ORDER BY tree_size",
    [log],
  );
  expect(notesOf(log)).toEqual(rows.map(({ note }) => note));
  expect(await readWitnessStates(systemScope("cli", log))).toMatchObject([
    { kind: "directory", size: EVENTS + 12, failingSince: null, error: null },
  ]);
});

test("the log over all logs is published too, and its verification reads that", async () => {
  const log = await signedLog();
  await updateDirectory();
  await publishCheckpoints(DIRECTORY);
  expect(notesOf(DIRECTORY).at(-1)).toContain(`/${DIRECTORY}\n`);
  expect(await verifyDirectory()).toMatchObject({ ok: true, not_covered: [] });
  // A log that is removed everywhere but at the witness, and the directory made anew without it.
  for (const table of ["checkpoints", "events", "event_targets", "log_heads"])
    await run(log, `DELETE FROM ${table} WHERE ORG`);
  for (const table of ["directory_entries", "directory_checkpoints"])
    await db.owner.query(`DELETE FROM ${table}`);
  fs.rmSync(path.join(getEnv().TRAILSEAL_DATA_DIR, "signer", `${DIRECTORY}.json`));
  await updateDirectory();
  expect((await verifyDirectory()).findings).toMatchObject([{ kind: "truncated_tail" }]);
});

test("a note that a kill cut short is written anew, wherever it was cut", async () => {
  const log = await signedLog();
  await publishCheckpoints(log);
  const first = fs.readFileSync(fileOf(log));
  await grow(log, 5);
  await publishCheckpoints(log);
  const whole = fs.readFileSync(fileOf(log));
  for (let length = first.length; length < whole.length; length += 7) {
    fs.writeFileSync(fileOf(log), whole.subarray(0, length));
    await publishCheckpoints(log);
    expect(fs.readFileSync(fileOf(log)).equals(whole), `cut at ${length}`).toBe(true);
  }
});

test("what was published and is signed otherwise today is two histories, by a plain verification", async () => {
  const log = await signedLog();
  await publishCheckpoints(log);
  expect(await verifyLog(systemScope("cli", log))).toMatchObject({ ok: true });
  // Whoever has database, key and the signer's memory: everything is made anew.
  await run(
    log,
    `UPDATE events SET metadata = '{"x": "y"}' WHERE ORG AND seq = K`,
    "DELETE FROM tiles WHERE ORG",
    "DELETE FROM checkpoints WHERE ORG",
    "UPDATE followers SET next_seq = 0 WHERE ORG AND name = 'tiles'",
  );
  await rechain(log, K, EVENTS - 1);
  fs.rmSync(path.join(getEnv().TRAILSEAL_DATA_DIR, "signer", `${log}.json`));
  await cutCheckpoint(log);
  expect(await verifyLog(systemScope("cli", log))).toMatchObject({
    ok: false,
    kind: "forked_checkpoint",
  });
});
