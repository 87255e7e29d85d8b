import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { getEnv } from "@/lib/env";
import { appendEvents, createTestLog, testEvents } from "@/lib/events/server/test-log";
import { beginDirectory } from "./begin-epoch";
import { DIRECTORY, newestDirectoryNote, updateDirectory } from "./directory";
import { verifyDirectory } from "./directory-check";
import { cutCheckpoint, signerDirectory } from "./signer";
import { readSigned, writeSigned } from "./signer-memory";
import { db, openUnguarded, run } from "./test-damage";

let home: string;
beforeAll(async () => {
  // A signer of this file's own: the directory is the whole instance's.
  home = mkdtempSync(path.join(os.tmpdir(), "trailseal-directory-"));
  process.env.TRAILSEAL_DATA_DIR = home;
  getEnv().TRAILSEAL_DATA_DIR = home;
  await openUnguarded();
});
afterAll(async () => {
  await db.close();
  rmSync(home, { recursive: true });
});

let logs: string[];
beforeEach(async () => {
  for (const table of ["directory_entries", "directory_checkpoints"])
    await db.owner.query(`DELETE FROM ${table}`);
  rmSync(path.join(signerDirectory(), `${DIRECTORY}.json`), { force: true });
  for (const log of logs ?? []) await run(log, ...wipe);
  logs = [];
  for (let at = 0; at < 3; at += 1) logs.push(await signedLog());
  expect(await updateDirectory()).toMatchObject({ kind: "signed", size: 3 });
});

const wipe = ["checkpoints", "events", "event_targets", "log_heads"].map(
  (table) => `DELETE FROM ${table} WHERE ORG`,
);

async function signedLog(): Promise<string> {
  const log = await createTestLog(db);
  await grow(log);
  return log;
}

async function grow(log: string): Promise<void> {
  await appendEvents(log, testEvents(20, Math.random() * 1e6));
  await cutCheckpoint(log);
}

const kindsOf = async (kept: string[] = []) =>
  (await verifyDirectory(kept)).findings.map(({ kind }) => kind);

test("every checkpoint of every log is an entry, once, and the directory verifies", async () => {
  expect(await updateDirectory()).toEqual({ kind: "nothing" });
  await grow(logs[0] as string);
  await grow(logs[0] as string);
  expect(await updateDirectory()).toMatchObject({ kind: "signed", size: 5 });
  expect(await verifyDirectory()).toMatchObject({
    ok: true,
    origin: `log.test/${DIRECTORY}`,
    entries: 5,
    logs: 3,
    checkpoints: 2,
  });
});

test("an organization that was removed with everything is named", async () => {
  await run(logs[1] as string, ...wipe);
  const { findings } = await verifyDirectory();
  expect(findings).toMatchObject([{ kind: "missing_log", origin: `log.test/${logs[1]}` }]);
});

test("so is one whose entries were removed as well: by the signer's memory, or by a kept checkpoint", async () => {
  const note = (await newestDirectoryNote())?.note as string;
  // The entries stand in the order of the ids.
  const last = [...logs].sort().at(-1) as string;
  await run(last, ...wipe, "DELETE FROM directory_entries WHERE ORG");
  expect(await kindsOf()).toContain("truncated_tail");
  expect(await updateDirectory()).toMatchObject({ kind: "refused", signedSize: 3 });
  // The thief of the key and of its memory writes the directory anew.
  await db.owner.query("DELETE FROM directory_entries");
  await db.owner.query("DELETE FROM directory_checkpoints");
  rmSync(path.join(signerDirectory(), `${DIRECTORY}.json`));
  expect(await updateDirectory()).toMatchObject({ kind: "signed", size: 2 });
  expect(await kindsOf()).toEqual([]);
  expect(await kindsOf([note])).toEqual(["truncated_tail"]);
});

test("a changed entry, a log cut short and a lost checkpoint are told apart", async () => {
  const [first, second, third] = logs as [string, string, string];
  await run(first, "UPDATE log_heads SET next_seq = 5 WHERE ORG");
  await run(second, "DELETE FROM checkpoints WHERE ORG");
  expect((await kindsOf()).sort()).toEqual(["missing_checkpoint", "truncated_tail"]);
  await run(third, "UPDATE directory_entries SET note = replace(note, '20', '19') WHERE ORG");
  expect(await kindsOf()).toEqual(expect.arrayContaining(["bad_signature", "history_rewritten"]));
});

test("a kill between memory and checkpoint, or the loss of the memory, forks nothing", async () => {
  const before = readSigned(signerDirectory(), DIRECTORY);
  await grow(logs[0] as string);
  await updateDirectory();
  await db.owner.query("DELETE FROM directory_checkpoints WHERE tree_size = 4");
  expect(await updateDirectory()).toMatchObject({ kind: "signed", size: 4 });
  writeSigned(signerDirectory(), DIRECTORY, before as NonNullable<typeof before>);
  await grow(logs[1] as string);
  expect(await updateDirectory()).toMatchObject({ kind: "signed", size: 5 });
  rmSync(path.join(signerDirectory(), `${DIRECTORY}.json`));
  await grow(logs[2] as string);
  expect(await updateDirectory()).toMatchObject({ kind: "signed", size: 6 });
  expect(await verifyDirectory()).toMatchObject({ ok: true, entries: 6 });
});

test("after a restore it begins anew under another origin, by its own command where no log lost an event", async () => {
  expect(await beginDirectory()).toBeNull();
  await db.owner.query("DELETE FROM directory_entries WHERE idx = 2");
  await db.owner.query("DELETE FROM directory_checkpoints");
  expect(await beginDirectory()).toBe(`log.test/${DIRECTORY}/e2`);
  expect(await updateDirectory()).toMatchObject({ kind: "signed", size: 3 });
  expect(await verifyDirectory()).toMatchObject({ ok: true, entries: 3 });
});
