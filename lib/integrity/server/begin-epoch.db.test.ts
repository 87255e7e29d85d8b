import { rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type Receipt, verifyBundle } from "@/lib/chain/bundle";
import { verifyEventProof } from "@/lib/chain/event-proof";
import { parseVkey } from "@/lib/chain/note";
import { getEvent } from "@/lib/events/server/get-event";
import { appendEvents, testEvents } from "@/lib/events/server/test-log";
import { beginEpoch, planEpoch } from "./begin-epoch";
import { writeBundle } from "./bundle";
import { readEventProof, vkeyOfProof } from "./event-proof";
import { listCheckpoints } from "./proofs";
import {
  cutCheckpoint,
  readRefusal,
  refusedLogs,
  signerDirectory,
  vkeyOf,
  vkeysOf,
} from "./signer";
import { readSigned, writeSigned } from "./signer-memory";
import { db, follow, openUnguarded, run, sealedLog, turnBack, verify } from "./test-damage";
import { hostTrust, verifyLog } from "./verify";

beforeAll(openUnguarded);
afterAll(() => db.close());

const scopeOf = (log: string) => systemScope("cli", log);
const FIRST = 400;
const SIGNED = 600;
/** What a backup held: past the first checkpoint, short of the second. */
const KEPT = 450;

/** 600 events, checkpoints of 400 and 600; then the database as it was at 450. */
async function restoredLog() {
  const log = await sealedLog(FIRST);
  await cutCheckpoint(log);
  await appendEvents(log, testEvents(SIGNED - FIRST, 2));
  await cutCheckpoint(log);
  const [checkpoint] = await listCheckpoints(scopeOf(log), { limit: 1 });
  const { rows } = await db.owner.query<Receipt & { id: string }>(
    `SELECT e.id, h.origin, e.seq::int AS seq, encode(e.chain_hash, 'hex') AS chain_hash
     FROM events e JOIN log_heads h USING (organization_id)
     WHERE organization_id = $1 AND seq IN (10, 500) ORDER BY seq`,
    [log],
  );
  await turnBack(log, KEPT);
  return { log, note: checkpoint?.note as string, receipts: rows };
}

describe("after a restore that lost signed events", () => {
  test("the signer refuses, verification says what is missing, and the plan says what would be", async () => {
    const { log } = await restoredLog();
    const refusal = { why: "rollback", signedSize: SIGNED, nextSeq: KEPT };
    expect(await cutCheckpoint(log)).toEqual({ kind: "refused", ...refusal });
    expect(await readRefusal(scopeOf(log))).toEqual(refusal);
    expect(await refusedLogs()).toContainEqual({ organizationId: log, ...refusal });
    expect(await verify(log)).toMatchObject({ ok: false, kind: "truncated_tail" });
    expect(await planEpoch(scopeOf(log))).toMatchObject({
      epoch: 2,
      startSeq: KEPT,
      signedSize: SIGNED,
      lastGoodSize: FIRST,
      lost: SIGNED - KEPT,
      doubtful: KEPT - FIRST,
    });
    expect(await cutCheckpoint(log)).toMatchObject({ kind: "refused" });
  });

  test("a new epoch goes on, verifies, and says what is lost", async () => {
    const { log, note, receipts } = await restoredLog();
    const { origin, previousOrigin } = await beginEpoch(scopeOf(log), "restored from Monday");
    expect(await readRefusal(scopeOf(log))).toBeNull();
    expect(origin).toBe(`${previousOrigin}/e2`);
    await appendEvents(log, testEvents(300, 3));
    await follow(log);
    expect(await cutCheckpoint(log)).toMatchObject({ kind: "signed", size: KEPT + 1 + 300 });
    const trust = await hostTrust(scopeOf(log));
    // The checkpoint that was kept elsewhere is of events that the epoch says to be lost.
    const verdict = await verifyLog(scopeOf(log), {
      trust: trust && { ...trust, checkpoints: [note] },
    });
    expect(verdict).toMatchObject({ ok: true, proven_to: KEPT + 301 });
    expect(verdict.not_covered).toContain(
      `Epoch 2 of this log begins at #${KEPT}; at least ${SIGNED - KEPT} event(s) that were signed before are lost.`,
    );
    // An acknowledged event that is gone is never passed over.
    const withReceipts = await verifyLog(scopeOf(log), { trust: trust && { ...trust, receipts } });
    expect(withReceipts).toMatchObject({ ok: false, kind: "receipt_missing", first_bad_seq: 500 });
    expect(await verifyLog(scopeOf(log), { isNewestOnly: true })).toMatchObject({ ok: true });
    expect(await planEpoch(scopeOf(log)).catch((error) => error.code)).toBe("conflict");
  });

  test("proofs of events of both epochs and the bundle check out offline", async () => {
    const { log, receipts } = await restoredLog();
    await beginEpoch(scopeOf(log), "restored");
    await appendEvents(log, testEvents(20, 3));
    await cutCheckpoint(log);
    const { rows } = await db.owner.query<{ id: string; seq: number }>(
      "SELECT id, seq::int AS seq FROM events WHERE organization_id = $1 AND seq IN (0, 449, 450, 460) ORDER BY seq",
      [log],
    );
    for (const { id } of rows) {
      const proof = await readEventProof(scopeOf(log), id);
      const trusted = [parseVkey(await vkeyOfProof(scopeOf(log), proof))];
      expect(verifyEventProof(proof, trusted)).toMatchObject({ ok: true });
      const other = { ...proof, origin: "log.test/other" };
      expect(verifyEventProof(other, trusted)).toMatchObject({ ok: false });
    }
    expect((await getEvent(scopeOf(log), rows[0]?.id as string))?.previousHash).toBe(
      (await readEventProof(scopeOf(log), rows[0]?.id as string)).previous_hash,
    );

    const lines: string[] = [];
    await writeBundle(scopeOf(log), async (line) => void lines.push(line));
    const trusted = [parseVkey(await vkeyOf(scopeOf(log)))];
    expect(await verifyBundle(lines, { trusted })).toMatchObject({
      ok: true,
      checked: KEPT + 21,
      signed_to: KEPT + 21,
    });
    const lost = await verifyBundle(lines, { trusted, receipts });
    expect(lost.findings).toMatchObject([{ kind: "receipt_missing", seq: 500 }]);
    // An epoch that no event announces is refused.
    const silent = lines.map((line) => line.replace("trailseal.epoch_started", "doc.opened"));
    expect((await verifyBundle(silent, { trusted })).ok).toBe(false);
    const header = JSON.parse(lines[0] as string);
    header.epochs[1].signed_size += 1;
    const more = [JSON.stringify(header), ...lines.slice(1)];
    expect((await verifyBundle(more, { trusted })).findings).toMatchObject([
      { kind: "wrong_origin" },
    ]);
    const first = (await vkeysOf(scopeOf(log))).filter((vkey) => !vkey.includes("/e2+"));
    expect((await verifyBundle(lines, { trusted: first.map(parseVkey) })).findings).toMatchObject([
      { kind: "wrong_origin" },
    ]);
  });

  test("rows that were written after it, before anybody noticed, stay as they are", async () => {
    const { log } = await restoredLog();
    await appendEvents(log, testEvents(200, 4));
    await follow(log);
    expect(await cutCheckpoint(log)).toMatchObject({ kind: "refused", why: "fork" });
    const planned = await beginEpoch(scopeOf(log), "noticed late");
    expect(planned).toMatchObject({ startSeq: KEPT + 200, lastGoodSize: FIRST, lost: 0 });
    expect(planned.doubtful).toBe(SIGNED - FIRST);
    expect(await verify(log)).toMatchObject({ ok: true, proven_to: KEPT + 201 });
  });

  test("a kill before the signer's memory is written is made good by the same command", async () => {
    const { log } = await restoredLog();
    const before = readSigned(signerDirectory(), log);
    await beginEpoch(scopeOf(log), "restored");
    await run(log, "DELETE FROM checkpoints WHERE ORG AND origin LIKE '%/e2'");
    writeSigned(signerDirectory(), log, before as NonNullable<typeof before>);
    expect(await verify(log)).toMatchObject({ ok: false, kind: "wrong_origin" });
    expect(await beginEpoch(scopeOf(log), "restored")).toMatchObject({ epoch: 2, startSeq: KEPT });
    expect(await verify(log)).toMatchObject({ ok: true, proven_to: KEPT + 1 });
    const { rows } = await db.owner.query(
      "SELECT count(*)::int AS count FROM events WHERE organization_id = $1 AND action = 'trailseal.epoch_started'",
      [log],
    );
    expect(rows[0].count).toBe(1);
  });
});

describe("an epoch", () => {
  test("does not get a name that was signed already, as by a database from before that epoch", async () => {
    const { log } = await restoredLog();
    const { origin } = await beginEpoch(scopeOf(log), "restored from Monday");
    await appendEvents(log, testEvents(20, 4));
    await cutCheckpoint(log);
    const [{ rows: epochs }, head] = [
      await db.owner.query("SELECT origin FROM log_epochs WHERE organization_id = $1", [log]),
      origin.replace(/\/e2$/, ""),
    ];
    expect(epochs).toHaveLength(2);
    await turnBack(log, 420);
    await run(
      log,
      "DELETE FROM log_epochs WHERE ORG",
      `UPDATE log_heads SET origin = '${head}' WHERE ORG`,
    );
    await expect(planEpoch(scopeOf(log))).rejects.toThrow(`This log went on as ${origin}`);
  });

  test("is not begun where nothing is lost, unless the key was stolen", async () => {
    const log = await sealedLog(FIRST);
    await cutCheckpoint(log);
    await expect(planEpoch(scopeOf(log))).rejects.toThrow("extends what was signed");
    const options = { isCompromised: true };
    await beginEpoch(scopeOf(log), "key stolen", options);
    await appendEvents(log, testEvents(5, 3));
    await cutCheckpoint(log);
    await beginEpoch(scopeOf(log), "stolen again", options);
    const [newest] = await vkeysOf(scopeOf(log));
    expect(newest).toMatch(/\/e3\+/);
    expect(await verify(log)).toMatchObject({ ok: true, proven_to: FIRST + 7 });
  });

  test("that nobody confirmed on the signer's host is named, whatever the tables say", async () => {
    const log = await sealedLog(FIRST);
    await cutCheckpoint(log);
    await run(
      log,
      "INSERT INTO log_epochs SELECT organization_id, 1, 0, origin FROM log_heads WHERE ORG",
      `INSERT INTO log_epochs SELECT organization_id, 2, ${FIRST - 1}, origin || '/e2' FROM log_heads WHERE ORG`,
      "UPDATE log_heads SET origin = origin || '/e2' WHERE ORG",
    );
    expect(await cutCheckpoint(log)).toMatchObject({ kind: "refused", why: "wrong_origin" });
    expect(await verify(log)).toMatchObject({ ok: false, kind: "wrong_origin" });
  });

  test("is not begun over a hole", async () => {
    const { log } = await restoredLog();
    await run(log, "DELETE FROM events WHERE ORG AND seq = 100");
    await expect(beginEpoch(scopeOf(log), "restored")).rejects.toThrow("#100 is missing");
    rmSync(path.join(signerDirectory(), `${log}.json`));
    await expect(beginEpoch(scopeOf(log), "restored")).rejects.toThrow("never signed");
  });
});
