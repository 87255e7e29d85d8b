import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCheckpoints } from "@/lib/api/server/read";
import { systemScope } from "@/lib/auth/server/system-scope";
import { publicKeyOf } from "@/lib/chain/ed25519";
import { type EventProof, verifyEventProof } from "@/lib/chain/event-proof";
import { noteKey } from "@/lib/chain/note";
import { followTiles } from "@/lib/chain/server/tiles";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { appendEvents, createTestLog, testEvents } from "@/lib/events/server/test-log";
import { readEventProof } from "./event-proof";
import { cutCheckpoint } from "./signer";

const seed = Buffer.alloc(32, 5);
let db: TestDatabase;
let directory: string;
let log: string;
let ids: string[];

beforeAll(async () => {
  db = await testDatabase();
  directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-signer-"));
  log = await createTestLog(db);
  await appendEvents(log, testEvents(600));
  await followTiles(log);
  await cutCheckpoint(log, { directory, seed });
  await appendEvents(log, testEvents(3, 2));
  const { rows } = await db.owner.query(
    "SELECT id FROM events WHERE organization_id = $1 ORDER BY seq",
    [log],
  );
  ids = rows.map(({ id }) => id);
});
afterAll(async () => {
  rmSync(directory, { recursive: true });
  await db.close();
});

const scope = () => systemScope("cli", log);
const proofOf = (seq: number) => readEventProof(scope(), ids[seq] as string);
const judge = (proof: EventProof, key = seed) =>
  verifyEventProof(proof, [noteKey(proof.origin, publicKeyOf(key))]);

test("an event is proven from its content to the signature, the first and the last alike", async () => {
  for (const seq of [0, 1, 255, 256, 599]) {
    const proof = JSON.parse(JSON.stringify(await proofOf(seq)));
    expect(judge(proof)).toEqual({ ok: true, failed: null, detail: null });
    expect(proof.line).toMatchObject({ seq, event: { id: ids[seq] } });
  }
});

test("what no checkpoint covers yet, and what there is not, is said", async () => {
  await expect(proofOf(601)).rejects.toThrow("No checkpoint covers this event yet");
  await expect(readEventProof(scope(), "audit_event_x")).rejects.toThrow("Event not found");
  const elsewhere = systemScope("cli", await createTestLog(db));
  await expect(readEventProof(elsewhere, ids[0] as string)).rejects.toThrow("Event not found");
});

test("whatever of a proof is changed, the step that fails is named", async () => {
  const proof = await proofOf(300);
  const other = await proofOf(301);
  const { line } = proof;
  const edited = { ...line, event: { ...line.event, action: "x.y" } };
  expect(judge({ ...proof, line: edited })).toMatchObject({ ok: false, failed: "content" });
  expect(judge({ ...proof, line: { ...line, seq: 299 } }).failed).toBe("content");
  expect(judge({ ...proof, previous_hash: "00".repeat(32) }).failed).toBe("content");
  expect(judge({ ...proof, proof: other.proof }).failed).toBe("place");
  expect(judge({ ...other, proof: other.proof.replace("index 301", "index 300") }).failed).toBe(
    "place",
  );
  const foreign = other.proof.replace("index 301", "index 300");
  expect(judge({ ...proof, proof: foreign }).failed).toBe("inclusion");
  expect(judge(proof, Buffer.alloc(32, 6)).failed).toBe("signature");
  expect(judge({ ...proof, proof: proof.proof.replace("\n600\n", "\n601\n") }).failed).toBe(
    "signature",
  );
  expect(judge({ ...proof, proof: "x" }).failed).toBe("signature");
});

test("checkpoints are listed newest first, page by page", async () => {
  await cutCheckpoint(log, { directory, seed });
  const first = await readCheckpoints(scope(), { limit: 1 });
  expect(first.data.map(({ tree_size }) => tree_size)).toEqual([603]);
  const before = first.list_metadata.before as number;
  const second = await readCheckpoints(scope(), { limit: 1, before });
  expect(second.data.map(({ tree_size }) => tree_size)).toEqual([600]);
  expect(second.list_metadata).toEqual({ before: null });
});
