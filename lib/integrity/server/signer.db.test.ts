import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openCheckpoint } from "@/lib/chain/checkpoint";
import { consistencyProof, merkleRoot, verifyConsistency } from "@/lib/chain/merkle";
import { noteSigner } from "@/lib/chain/note";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { appendEvents, createTestLog, testEvents } from "@/lib/events/server/test-log";
import { type Cut, cutCheckpoint, logsToSign } from "./signer";

const seed = Buffer.alloc(32, 7);
let db: TestDatabase;
let directory: string;
let log: string;

beforeAll(async () => {
  db = await testDatabase();
  directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-signer-"));
});

afterAll(async () => {
  rmSync(directory, { recursive: true });
  await db.close();
});

beforeEach(async () => {
  log = await createTestLog(db);
});

const cut = () => cutCheckpoint(log, { directory, seed });

async function leaves(): Promise<Buffer[]> {
  const { rows } = await db.owner.query(
    "SELECT chain_hash FROM events WHERE organization_id = $1 ORDER BY seq",
    [log],
  );
  return rows.map((row) => row.chain_hash);
}

/** What a verifier with the pinned key makes of it. */
function opened(made: Cut) {
  if (made.kind !== "signed") throw new Error(`not signed: ${made.kind}`);
  const origin = `log.test/${log}`;
  return openCheckpoint(made.note, origin, [noteSigner(origin, seed)]);
}

/** Statements that triggers would refuse. */
async function damage(sql: string): Promise<void> {
  await db.owner.query("ALTER TABLE events DISABLE TRIGGER ALL");
  await db.owner.query(sql, [log]);
  await db.owner.query("ALTER TABLE events ENABLE TRIGGER ALL");
}

describe("cutCheckpoint", () => {
  test("signs the root over all leaves, and nothing twice", async () => {
    expect(await cut()).toEqual({ kind: "nothing" });
    await appendEvents(log, testEvents(300));
    expect(opened(await cut())).toEqual({
      origin: `log.test/${log}`,
      size: 300,
      root: merkleRoot(await leaves()),
    });
    expect(await cut()).toEqual({ kind: "nothing" });
  });

  test("each extends the one before, also after a restart", async () => {
    await appendEvents(log, testEvents(5));
    const first = opened(await cut());
    await appendEvents(log, testEvents(700, 2));
    const second = opened(await cut());
    const all = await leaves();
    expect(second.root).toEqual(merkleRoot(all));
    expect(verifyConsistency(5, 705, consistencyProof(all, 5), first.root, second.root)).toBe(true);
  });

  test("a kill between its memory and the database stores the same text again", async () => {
    await appendEvents(log, testEvents(10));
    const made = await cut();
    await db.owner.query("DELETE FROM checkpoints WHERE organization_id = $1", [log]);
    expect(await cut()).toEqual(made);
  });

  test("refuses a log that went back, and what grew from there", async () => {
    await appendEvents(log, testEvents(20));
    await cut();
    await damage("DELETE FROM events WHERE organization_id = $1 AND seq >= 12");
    await db.owner.query("UPDATE log_heads SET next_seq = 12 WHERE organization_id = $1", [log]);
    expect(await cut()).toEqual({ kind: "refused", why: "rollback", signedSize: 20, nextSeq: 12 });
    await db.owner.query(
      `UPDATE log_heads SET head_hash = (SELECT chain_hash FROM events WHERE organization_id = $1 AND seq = 11)
       WHERE organization_id = $1`,
      [log],
    );
    await appendEvents(log, testEvents(30, 3));
    expect(await cut()).toEqual({ kind: "refused", why: "fork", signedSize: 20, nextSeq: 42 });
  });

  test("refuses another origin, and a memory that is not whole", async () => {
    await appendEvents(log, testEvents(3));
    await cut();
    await db.owner.query("UPDATE log_heads SET origin = origin || 'x' WHERE organization_id = $1", [
      log,
    ]);
    expect(await cut()).toEqual({
      kind: "refused",
      why: "wrong_origin",
      signedSize: 3,
      nextSeq: 3,
    });
    const file = path.join(directory, `${log}.json`);
    writeFileSync(file, readFileSync(file, "utf8").slice(0, 40));
    await expect(cut()).rejects.toThrow("restore it from a backup, or begin a new epoch");
  });

  test("stops before a missing row, and goes on from its memory whatever happened to older ones", async () => {
    await appendEvents(log, testEvents(50));
    const first = opened(await cut());
    const before = await leaves();
    await damage(
      "UPDATE events SET chain_hash = sha256('x') WHERE organization_id = $1 AND seq = 7",
    );
    await appendEvents(log, testEvents(50, 4));
    await damage("DELETE FROM events WHERE organization_id = $1 AND seq = 80");
    const second = opened(await cut());
    expect(second.size).toBe(80);
    const honest = [...before, ...(await leaves()).slice(50, 80)];
    expect(second.root).toEqual(merkleRoot(honest));
    expect(first.root).toEqual(merkleRoot(before));
  });

  test("of many at once, one signs", async () => {
    await appendEvents(log, testEvents(40));
    const cuts = await Promise.all([1, 2, 3, 4].map(() => cut()));
    expect(cuts.filter(({ kind }) => kind === "signed")).toHaveLength(1);
  });
});

test("a cut is due ten seconds after an uncovered event, or at once after 4,096", async () => {
  await appendEvents(log, testEvents(3));
  expect(await logsToSign()).not.toContain(log);
  await damage(
    "UPDATE events SET recorded_at = recorded_at - interval '11 seconds' WHERE organization_id = $1",
  );
  expect(await logsToSign()).toContain(log);
  await cut();
  expect(await logsToSign()).not.toContain(log);
  await appendEvents(log, testEvents(4_096, 5));
  expect(await logsToSign()).toContain(log);
});
