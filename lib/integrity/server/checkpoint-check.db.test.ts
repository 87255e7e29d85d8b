import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { publicKeyOf } from "@/lib/chain/ed25519";
import { perfectRoot } from "@/lib/chain/merkle";
import { appendEvents, testEvents } from "@/lib/events/server/test-log";
import { cutCheckpoint } from "./signer";
import { readSigned } from "./signer-memory";
import { db, EVENTS, K, openUnguarded, prune, rechain, run, sealedLog } from "./test-damage";
import { verifyLog } from "./verify";

// The spec's cases that a chain alone passes or cannot place: numbers are those of its table.

const seed = Buffer.alloc(32, 9);
const CUT_AT = 500;
let directory: string;

beforeAll(async () => {
  await openUnguarded();
  directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-signer-"));
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await db.close();
});

const cut = (log: string, withSeed = seed) => cutCheckpoint(log, { directory, seed: withSeed });

/** A log with checkpoints at CUT_AT and at its end. */
async function signedLog(): Promise<string> {
  const log = await sealedLog(CUT_AT);
  await cut(log);
  await appendEvents(log, testEvents(EVENTS - CUT_AT, 2));
  await cut(log);
  return log;
}

async function verdictOf(log: string) {
  const signed = readSigned(directory, log);
  if (!signed) throw new Error("never signed");
  const trust = { publicKeys: [publicKeyOf(seed)], signedSize: signed.tree.size };
  const { ok, kind, first_bad_seq, findings } = await verifyLog(systemScope("cli", log), { trust });
  return { ok, kind, first_bad_seq, kinds: [...new Set(findings.map((finding) => finding.kind))] };
}

// Not the action: rollups would tell.
const EDIT = `UPDATE events SET metadata = '{"x": "y"}' WHERE ORG AND seq = K`;
const DROP_TILES = "DELETE FROM tiles WHERE ORG";
const FORGET_TILES = "UPDATE followers SET next_seq = 0 WHERE ORG AND name = 'tiles'";

/** An edit, and every hash after it made anew. */
async function rewrite(log: string): Promise<void> {
  await run(log, EDIT, DROP_TILES, FORGET_TILES);
  await rechain(log, K, EVENTS - 1);
}

describe("checkpoints", () => {
  test("of an untouched log hold, also beyond them and after a pruning", async () => {
    const log = await signedLog();
    expect(await verdictOf(log)).toMatchObject({ ok: true });
    await appendEvents(log, testEvents(20, 3));
    expect(await verdictOf(log)).toMatchObject({ ok: true });
    await prune(log, 300);
    await cut(log);
    expect(await verdictOf(log)).toMatchObject({ ok: true });
  });

  test("a signer that lost its memory goes on, also after a pruning", async () => {
    const log = await signedLog();
    await prune(log, 300);
    rmSync(path.join(directory, `${log}.json`));
    expect(await cut(log)).toMatchObject({ kind: "signed", size: EVENTS + 1 });
    expect(await verdictOf(log)).toMatchObject({ ok: true });
    await appendEvents(log, testEvents(5, 3));
    expect(await cut(log)).toMatchObject({ kind: "signed", size: EVENTS + 6 });
    expect(await verdictOf(log)).toMatchObject({ ok: true });
  });

  test("27: a chain that was sealed anew without a trace is history rewritten since the last proof", async () => {
    const log = await signedLog();
    await rewrite(log);
    expect(await verdictOf(log)).toMatchObject({ kind: "history_rewritten", first_bad_seq: 0 });
  });

  test("27: a change behind the first checkpoint is placed behind it", async () => {
    const log = await signedLog();
    const at = CUT_AT + 50;
    await run(
      log,
      `UPDATE events SET action = 'x.y' WHERE ORG AND seq = ${at}`,
      DROP_TILES,
      FORGET_TILES,
    );
    await rechain(log, at, EVENTS - 1);
    expect(await verdictOf(log)).toMatchObject({
      kind: "history_rewritten",
      first_bad_seq: CUT_AT,
    });
  });

  test("a hash that was changed before it was signed is named itself, and not all history that was signed with it", async () => {
    const log = await sealedLog(CUT_AT);
    await run(log, "UPDATE events SET chain_hash = sha256('x') WHERE ORG AND seq = K");
    await cut(log);
    await appendEvents(log, testEvents(EVENTS - CUT_AT, 2));
    await cut(log);
    expect(await verdictOf(log)).toEqual({
      ...{ ok: false, kind: "edited_hash", first_bad_seq: K, kinds: ["edited_hash"] },
    });
    // A second change, after the signature, is not what was signed.
    await run(log, `UPDATE events SET chain_hash = sha256('y') WHERE ORG AND seq = K`);
    expect((await verdictOf(log)).kinds).toContain("history_rewritten");
  });

  test("an event that was changed after it was signed is no changed hash, whatever else was made to fit", async () => {
    const hashAt = async (log: string, seq: number): Promise<Buffer> => {
      const query = "SELECT chain_hash FROM events WHERE organization_id = $1 AND seq = $2";
      return (await db.owner.query(query, [log, seq])).rows[0].chain_hash;
    };
    /** Changes an event, not its hash; gives the hash that it would have. */
    const forge = async (log: string, seq: number): Promise<Buffer> => {
      const signed = await hashAt(log, seq);
      await run(log, `UPDATE events SET metadata = '{"x": "y"}' WHERE ORG AND seq = ${seq}`);
      await rechain(log, seq, seq);
      const forged = await hashAt(log, seq);
      const restore = `chain_hash = decode('${signed.toString("hex")}', 'hex')`;
      await run(log, `UPDATE events SET ${restore} WHERE ORG AND seq = ${seq}`);
      return forged;
    };

    // The newest: what comes after it goes on from the forged hash in the head, and is signed with it.
    const newest = await signedLog();
    await forge(newest, EVENTS - 1);
    await appendEvents(newest, testEvents(20, 3));
    await cut(newest);
    expect((await verdictOf(newest)).kinds).toContain("history_rewritten");

    // One in a Merkle tile, which is forged as well.
    const inTile = await signedLog();
    const seq = 100;
    const forged = await forge(inTile, seq);
    const tile = "organization_id = $1 AND level = 0 AND idx = 0";
    const { rows } = await db.owner.query(`SELECT data FROM tiles WHERE ${tile}`, [inTile]);
    const { data } = rows[0];
    forged.copy(data, seq * forged.length);
    const change = `UPDATE tiles SET data = $2, root = $3 WHERE ${tile}`;
    await db.owner.query(change, [inTile, data, perfectRoot(data)]);
    expect((await verdictOf(inTile)).kinds).toContain("history_rewritten");
  });

  test("29, 45: deleted checkpoints are missed by what the signer remembers", async () => {
    const log = await signedLog();
    await rewrite(log);
    await run(log, "DELETE FROM checkpoints WHERE ORG");
    expect(await verdictOf(log)).toMatchObject({
      kind: "missing_checkpoint",
      first_bad_seq: 0,
    });
  });

  test("30, 32, 34: a signature of another key, one that was changed, and one of another log", async () => {
    const other = await signedLog();
    const forged = await signedLog();
    await run(forged, "DELETE FROM checkpoints WHERE ORG");
    await cut(forged, Buffer.alloc(32, 1));
    const changed = await signedLog();
    await run(
      changed,
      `UPDATE checkpoints SET note = regexp_replace(note, '(.*) (.)', '\\1 A') WHERE ORG AND tree_size = ${CUT_AT}`,
    );
    const borrowed = await signedLog();
    await run(
      borrowed,
      `UPDATE checkpoints SET note = (SELECT note FROM checkpoints o WHERE o.organization_id = '${other}'
         AND o.tree_size = ${CUT_AT}) WHERE ORG AND tree_size = ${CUT_AT}`,
    );
    for (const log of [forged, changed, borrowed])
      expect(await verdictOf(log)).toMatchObject({ kind: "bad_signature" });
  });

  test("33: a row that says another size than its note", async () => {
    const log = await signedLog();
    await run(
      log,
      `UPDATE checkpoints SET tree_size = ${CUT_AT + 1} WHERE ORG AND tree_size = ${CUT_AT}`,
    );
    expect(await verdictOf(log)).toMatchObject({
      kind: "checkpoint_row_mismatch",
      first_bad_seq: CUT_AT + 1,
    });
  });

  test("25, 26: a tail cut off behind the head is missed by the checkpoint, and by the signer", async () => {
    const truncate = [
      `DELETE FROM events WHERE ORG AND seq >= ${CUT_AT + 10}`,
      `DELETE FROM event_targets WHERE ORG AND seq >= ${CUT_AT + 10}`,
      `UPDATE log_heads SET next_seq = ${CUT_AT + 10}, head_hash = (SELECT chain_hash FROM events WHERE ORG
         AND seq = ${CUT_AT + 9}), last_recorded_at = (SELECT recorded_at FROM events WHERE ORG
         AND seq = ${CUT_AT + 9}) WHERE ORG`,
    ];
    const log = await signedLog();
    await run(log, ...truncate);
    expect(await verdictOf(log)).toMatchObject({
      kind: "truncated_tail",
      first_bad_seq: CUT_AT + 10,
    });
    const hidden = await signedLog();
    await run(hidden, ...truncate, `DELETE FROM checkpoints WHERE ORG AND tree_size > ${CUT_AT}`);
    expect(await verdictOf(hidden)).toMatchObject({ kind: "truncated_tail" });
  });

  test("what breaks the chain itself is named as before", async () => {
    const log = await signedLog();
    await run(log, EDIT);
    expect(await verdictOf(log)).toMatchObject({
      kind: "edited_content",
      first_bad_seq: K,
      kinds: ["edited_content"],
    });
    const gone = await signedLog();
    await run(
      gone,
      "DELETE FROM events WHERE ORG AND seq = K",
      "DELETE FROM event_targets WHERE ORG AND seq = K",
    );
    expect(await verdictOf(gone)).toMatchObject({ kind: "deleted_row", first_bad_seq: K });
  });
});
