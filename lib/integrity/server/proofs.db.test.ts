import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { consistencyProof, inclusionProof, merkleRoot } from "@/lib/chain/merkle";
import { noteSigner } from "@/lib/chain/note";
import { followTiles } from "@/lib/chain/server/tiles";
import { parseTlogProof, verifyTlogProof } from "@/lib/chain/tlog-proof";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { appendEvents, createTestLog, testEvents } from "@/lib/events/server/test-log";
import { proveConsistency, proveEvent } from "./proofs";
import { cutCheckpoint } from "./signer";

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

const cut = (log: string) => cutCheckpoint(log, { directory, seed });
const keysOf = (log: string) => [noteSigner(`log.test/${log}`, seed)];

/** A log of leaves alone: sealing this many rows would only cost time. */
async function bareLog(size: number): Promise<{ log: string; leaves: Buffer[] }> {
  const log = await createTestLog(db);
  await db.owner.query(
    `INSERT INTO events (organization_id, seq, recorded_at, occurred_at, version, id, action, targets, salts, chain_hash)
     SELECT $1, seq, now(), now(), 1, 'audit_event_' || seq, 'a', '[]', '', sha256(seq::text::bytea)
     FROM generate_series(0, $2::int - 1) AS seq`,
    [log, size],
  );
  await db.owner.query("UPDATE log_heads SET next_seq = $2 WHERE organization_id = $1", [
    log,
    size,
  ]);
  const { rows } = await db.owner.query(
    "SELECT chain_hash FROM events WHERE organization_id = $1 ORDER BY seq",
    [log],
  );
  return { log, leaves: rows.map((row) => row.chain_hash) };
}

describe("proveEvent", () => {
  test("gives what the whole tree in memory gives, with tiles and without, at every edge", async () => {
    const size = 65_536 + 700;
    const { log, leaves } = await bareLog(size);
    await cut(log);
    const scope = systemScope("cli", log);
    for (const isFollowed of [false, true]) {
      if (isFollowed) await followTiles(log);
      for (const seq of [0, 1, 255, 256, 32_768, 65_535, 65_536, size - 256, size - 1]) {
        const proof = parseTlogProof((await proveEvent(scope, seq)) ?? "");
        expect(proof.hashes, `${seq}`).toEqual(inclusionProof(leaves, seq));
        expect(verifyTlogProof(proof, leaves[seq] as Buffer, `log.test/${log}`, keysOf(log))).toBe(
          true,
        );
      }
    }
  });

  test("leads to the first checkpoint that covers it, or to the one asked for; none is none", async () => {
    const log = await createTestLog(db);
    const scope = systemScope("cli", log);
    await appendEvents(log, testEvents(3));
    expect(await proveEvent(scope, 1)).toBeNull();
    await cut(log);
    const first = await proveEvent(scope, 1);
    await appendEvents(log, testEvents(4, 2));
    await cut(log);
    expect(await proveEvent(scope, 1)).toBe(first);
    expect(parseTlogProof((await proveEvent(scope, 1, 7)) ?? "").note).toContain("\n7\n");
    await expect(proveEvent(scope, 1, 5)).rejects.toMatchObject({ code: "not_found" });
    await expect(proveEvent(scope, 5, 3)).rejects.toMatchObject({ code: "not_found" });
  });

  test("is refused where the rows do not lead to what was signed", async () => {
    const log = await createTestLog(db);
    await appendEvents(log, testEvents(9));
    await cut(log);
    await db.owner.query("ALTER TABLE events DISABLE TRIGGER ALL");
    await db.owner.query(
      "UPDATE events SET chain_hash = sha256('x') WHERE organization_id = $1 AND seq = 4",
      [log],
    );
    await db.owner.query("ALTER TABLE events ENABLE TRIGGER ALL");
    await expect(proveEvent(systemScope("cli", log), 2)).rejects.toMatchObject({
      code: "conflict",
    });
  });
});

test("proveConsistency shows that one checkpoint extends another", async () => {
  const log = await createTestLog(db);
  const scope = systemScope("cli", log);
  const sizes = [5, 300, 513];
  for (const [at, size] of sizes.entries()) {
    await appendEvents(log, testEvents(size - (sizes[at - 1] ?? 0), at + 1));
    await cut(log);
  }
  await followTiles(log);
  const { rows } = await db.owner.query(
    "SELECT chain_hash FROM events WHERE organization_id = $1 ORDER BY seq",
    [log],
  );
  const leaves = rows.map((row) => row.chain_hash as Buffer);
  expect((await proveConsistency(scope, 5, 300)).hashes).toEqual(
    consistencyProof(leaves.slice(0, 300), 5),
  );
  const whole = await proveConsistency(scope, 300, 513);
  expect(whole.hashes).toEqual(consistencyProof(leaves, 300));
  expect(whole.new).toContain(merkleRoot(leaves).toString("base64"));
  await expect(proveConsistency(scope, 300, 5)).rejects.toMatchObject({ code: "invalid_request" });
  await expect(proveConsistency(scope, 4, 5)).rejects.toMatchObject({ code: "not_found" });
});
