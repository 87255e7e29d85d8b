import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { publicKeyOf } from "@/lib/chain/ed25519";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { appendEvents, createTestLog, testEvents } from "@/lib/events/server/test-log";
import { cutCheckpoint } from "./signer";
import { readSigned } from "./signer-memory";
import { verifyLog } from "./verify";

const ROUNDS = process.env.TRAILSEAL_LONG ? 200 : 40;
const seed = Buffer.alloc(32, 5);
let db: TestDatabase;
let directory: string;

beforeAll(async () => {
  db = await testDatabase();
  directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-signer-"));
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await db.close();
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test("signers that are cut off at any point sign no fork and no rollback, and cover all that was acknowledged", async () => {
  const log = await createTestLog(db);
  const cut = () => cutCheckpoint(log, { directory, seed });
  const acknowledged: { seq: number; chainHash: string | undefined }[] = [];
  let failures = 0;
  let isDone = false;
  const writing = (async () => {
    for (let round = 0; !isDone; round += 1) {
      const stored = await appendEvents(log, testEvents(7, round)).catch(() => []);
      for (const { seq, chainHash } of stored)
        acknowledged.push({ seq, chainHash: chainHash?.toString("hex") });
    }
  })();
  // A busy machine cuts most writes off as well: rounds go on until there is something to lose.
  for (let round = 0; round < ROUNDS || acknowledged.length <= 50; round += 1) {
    // Two at once, as two hosts would.
    const signers = Promise.allSettled([cut(), cut()]);
    await pause(Math.random() * 12);
    await db.owner.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND usename <> current_user`,
    );
    for (const { status } of await signers) failures += status === "rejected" ? 1 : 0;
  }
  isDone = true;
  await writing;
  await cut();

  const signed = readSigned(directory, log);
  const trust = {
    publicKeys: [publicKeyOf(seed)],
    signedSize: signed?.tree.size ?? 0,
    storedSize: signed?.stored ?? 0,
  };
  const { rows } = await db.owner.query(
    "SELECT count(*)::int AS count, max(tree_size)::int AS newest FROM checkpoints WHERE organization_id = $1",
    [log],
  );
  const verdict = await verifyLog(systemScope("cli", log), { trust });
  expect(verdict).toMatchObject({
    ok: true,
    findings: [],
    proven_to: verdict.next_seq,
    evidence: { checkpoints: rows[0].count },
  });
  expect(rows[0].newest).toBe(verdict.next_seq);
  const kept = await db.owner.query<{ seq: number; hash: string }>(
    "SELECT seq::int, encode(chain_hash, 'hex') AS hash FROM events WHERE organization_id = $1",
    [log],
  );
  const hashes = new Map(kept.rows.map(({ seq, hash }) => [seq, hash]));
  const lost = acknowledged.filter(({ seq, chainHash }) => hashes.get(seq) !== chainHash);
  expect(lost).toEqual([]);
  expect(failures).toBeGreaterThan(0);
}, 120_000);
