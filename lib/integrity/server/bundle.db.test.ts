import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type BundleEvidence, type BundleLine, verifyBundle } from "@/lib/chain/bundle";
import { parseCheckpoint } from "@/lib/chain/checkpoint";
import { publicKeyOf } from "@/lib/chain/ed25519";
import { noteKey, noteSigner, signNote, splitNotes } from "@/lib/chain/note";
import { appendEvents, testEvents } from "@/lib/events/server/test-log";
import { writeBundle } from "./bundle";
import { cutCheckpoint } from "./signer";
import {
  announceErasure,
  db,
  EVENTS,
  erase,
  K,
  openUnguarded,
  prune,
  rechain,
  run,
  sealedLog,
} from "./test-damage";

const seed = Buffer.alloc(32, 5);
const CUT_AT = 500;
let directory: string;
let untouched: string;
let lines: string[];

beforeAll(async () => {
  await openUnguarded();
  directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-signer-"));
  untouched = await signedLog();
  lines = await bundleOf(untouched);
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await db.close();
});

const cut = (log: string) => cutCheckpoint(log, { directory, seed });

async function signedLog(): Promise<string> {
  const log = await sealedLog(CUT_AT);
  await cut(log);
  await appendEvents(log, testEvents(EVENTS - CUT_AT, 2));
  await cut(log);
  return log;
}

async function bundleOf(log: string): Promise<string[]> {
  const written: string[] = [];
  await writeBundle(systemScope("cli", log), async (line) => {
    written.push(line);
  });
  return written;
}

const originOf = (bundle: string[]) =>
  (JSON.parse(bundle[0] as string) as { origin: string }).origin;

async function verdictOf(bundle: string[], evidence: Partial<BundleEvidence> = {}) {
  const trusted = [noteKey(originOf(bundle), publicKeyOf(seed))];
  const { ok, findings, ...rest } = await verifyBundle(bundle, { trusted, ...evidence });
  return { ok, kind: findings[0]?.kind ?? null, seq: findings[0]?.seq ?? null, ...rest };
}

/** The bundle with some of its lines changed: `change` gives what stands in a line's place. */
const changed = (change: (line: BundleLine) => BundleLine[]) =>
  lines.flatMap((line) => change(JSON.parse(line)).map((one) => JSON.stringify(one)));

const atK = (change: (line: Extract<BundleLine, { seq: number }>) => BundleLine[]) =>
  changed((line) => ("seq" in line && line.seq === K ? change(line) : [line]));

const noteOf = (bundle: string[], size: number) =>
  bundle
    .map((line) => JSON.parse(line) as { checkpoint?: string })
    .map(({ checkpoint }) => checkpoint ?? "")
    .find((note) => note.split("\n")[1] === String(size)) as string;

describe("a bundle", () => {
  test("verifies by itself, to its last signature, and says what is not signed yet", async () => {
    expect(await verdictOf(lines)).toMatchObject({
      ok: true,
      checked: EVENTS,
      signed_to: EVENTS,
      checkpoints: 2,
    });
    const log = await signedLog();
    await appendEvents(log, testEvents(7, 3));
    expect(await verdictOf(await bundleOf(log))).toMatchObject({
      ok: true,
      checked: EVENTS + 7,
      signed_to: EVENTS,
    });
  });

  test("of a log with erased events and a removed beginning verifies", async () => {
    const log = await signedLog();
    await erase(log, K, "actor");
    await erase(log, K + 1, "targets/0");
    await announceErasure(log, K, "actor");
    await announceErasure(log, K + 1, "targets/0");
    await cut(log);
    await prune(log, 300);
    await cut(log);
    expect(await verdictOf(await bundleOf(log))).toMatchObject({ ok: true, first_seq: 300 });
  });

  test("with receipts and checkpoints from elsewhere says how many it met", async () => {
    const [, first] = lines.map((line) => JSON.parse(line));
    const receipts = [{ origin: originOf(lines), seq: 0, chain_hash: first.chain_hash }];
    const kept = `${noteOf(lines, CUT_AT)}\n${noteOf(lines, EVENTS)}`;
    expect(splitNotes(kept)).toEqual([noteOf(lines, CUT_AT), noteOf(lines, EVENTS)]);
    expect(await verdictOf(lines, { receipts, checkpoints: splitNotes(kept) })).toMatchObject({
      ok: true,
      receipts: 1,
      checkpoints: 4,
    });
  });
});

describe("a file that was changed", () => {
  const flipped = (hash: string) => (hash[0] === "0" ? "1" : "0") + hash.slice(1);

  test.each<[string, () => string[], string, number | null]>([
    [
      "content",
      () => atK((line) => [{ ...line, event: { ...line.event, action: "x.y" } }]),
      "edited_content",
      K,
    ],
    [
      "a field that the digest covers only by its commitment",
      () => atK((line) => [{ ...line, event: { ...line.event, metadata: { x: "y" } } }]),
      "edited_content",
      K,
    ],
    [
      "the time of recording",
      () => atK((line) => [{ ...line, recorded_at: "2020-01-01T00:00:00.000Z" }]),
      "edited_content",
      K,
    ],
    ["salts", () => atK((line) => [{ ...line, salts: flipped(line.salts) }]), "edited_content", K],
    [
      "a chain hash",
      () => atK((line) => [{ ...line, chain_hash: flipped(line.chain_hash) }]),
      "edited_hash",
      K,
    ],
    ["one event left out", () => atK(() => []), "deleted_row", K],
    ["one event twice", () => atK((line) => [line, line]), "inserted_row", K],
    [
      "its last event",
      () =>
        changed((line) =>
          "seq" in line && line.seq === EVENTS - 1
            ? [{ ...line, event: { ...line.event, version: 9 } }]
            : [line],
        ),
      "edited_content",
      EVENTS - 1,
    ],
    ["its tail cut off", () => lines.slice(0, 600), "truncated_tail", 598],
    [
      "a checkpoint moved",
      () =>
        changed((line) => ("checkpoint" in line ? [] : [line])).flatMap((line) =>
          line.startsWith('{"end"')
            ? [JSON.stringify({ checkpoint: noteOf(lines, CUT_AT) }), line]
            : [line],
        ),
      "checkpoint_row_mismatch",
      EVENTS,
    ],
    [
      "its checkpoints left out",
      () => changed((line) => ("checkpoint" in line ? [] : [line])),
      "missing_checkpoint",
      null,
    ],
    ["no JSON", () => [lines[0] as string, "{"], "malformed_bundle", 0],
    ["a line of another kind", () => [lines[0] as string, "{}"], "malformed_bundle", 0],
    ["nothing in it", () => [lines[0] as string, ...lines.slice(-1)], "deleted_row", 0],
    ["something after its end", () => [...lines, lines[1] as string], "malformed_bundle", EVENTS],
    [
      "erased without an event that says so",
      () =>
        atK(({ event: { actor: _actor, ...event }, ...line }) => [
          { ...line, event, erased: { actor: "0".repeat(64) } },
        ]),
      "edited_content",
      K,
    ],
  ])("%s", async (_name, bundle, kind, seq) => {
    expect(await verdictOf(bundle())).toMatchObject({ ok: false, kind, seq });
  });

  test("an empty one is no bundle", async () => {
    const { findings } = await verifyBundle([], { trusted: [] });
    expect(findings).toMatchObject([{ kind: "malformed_bundle" }]);
  });

  test("whose key nobody trusts, or that is signed by another under the same name", async () => {
    const other = noteKey("elsewhere/x", publicKeyOf(seed));
    expect(await verdictOf(lines, { trusted: [other] })).toMatchObject({ kind: "wrong_origin" });
    const stranger = noteKey(originOf(lines), publicKeyOf(Buffer.alloc(32, 6)));
    expect(await verdictOf(lines, { trusted: [stranger] })).toMatchObject({
      kind: "bad_signature",
    });
  });
});

describe("a log that was changed in the database", () => {
  test("18, 27: sealed anew, it is not what was signed", async () => {
    const log = await signedLog();
    await run(log, `UPDATE events SET metadata = '{"x": "y"}' WHERE ORG AND seq = K`);
    await rechain(log, K, EVENTS - 1);
    expect(await verdictOf(await bundleOf(log))).toMatchObject({
      kind: "history_rewritten",
      seq: 0,
    });
  });

  test("24: an acknowledged event behind the newest checkpoint is missed by its receipt", async () => {
    const origin = originOf(lines);
    const receipts = [{ origin, seq: EVENTS + 3, chain_hash: "0".repeat(64) }];
    expect(await verdictOf(lines, { receipts })).toMatchObject({
      kind: "receipt_missing",
      seq: EVENTS + 3,
    });
    const wrong = [{ origin, seq: K, chain_hash: "0".repeat(64) }];
    expect(await verdictOf(lines, { receipts: wrong })).toMatchObject({
      kind: "receipt_mismatch",
      seq: K,
    });
  });

  test("26, 31: what was exported before shows a cut tail, and a second history under the same key", async () => {
    const origin = originOf(lines);
    const { root } = parseCheckpoint(
      noteOf(lines, EVENTS).split("\n\n")[0]?.concat("\n") as string,
    );
    const sign = (size: number) =>
      signNote(`${origin}\n${size}\n${root.toString("base64")}\n`, [noteSigner(origin, seed)]);
    expect(await verdictOf(lines, { checkpoints: [sign(EVENTS + 50)] })).toMatchObject({
      kind: "truncated_tail",
      seq: EVENTS,
    });
    expect(await verdictOf(lines, { checkpoints: [sign(K)] })).toMatchObject({
      kind: "forked_checkpoint",
      seq: K - 1,
    });
  });

  test("41, 53: a removed beginning and an erasure that no signed event names", async () => {
    const pruned = await signedLog();
    await prune(pruned, 300);
    await run(pruned, "UPDATE prunes SET event_seq = event_seq - 1 WHERE ORG");
    expect(await verdictOf(await bundleOf(pruned))).toMatchObject({ kind: "unauthorised_prune" });
    const erased = await signedLog();
    await erase(erased, K, "actor");
    expect(await verdictOf(await bundleOf(erased))).toMatchObject({
      kind: "unauthorised_erasure",
      seq: K,
    });
  });
});
