import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemScope } from "@/lib/auth/server/system-scope";
import { verifyBundle } from "@/lib/chain/bundle";
import { verifyEventProof } from "@/lib/chain/event-proof";
import { openNote, parseVkey } from "@/lib/chain/note";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { getEnv } from "@/lib/env";
import { appendEvents, createTestLog, testEvents } from "@/lib/events/server/test-log";
import { writeBundle } from "./bundle";
import { readEventProof, vkeyOfProof } from "./event-proof";
import { rotateSigningKey } from "./key-rotation";
import { listCheckpoints } from "./proofs";
import { cutCheckpoint, vkeysOf } from "./signer";
import { removeRetiredSeeds, signingKeyRecords } from "./signing-keys";
import { verifyLog } from "./verify";

let db: TestDatabase;
let directory: string;
let log: string;
beforeAll(async () => {
  // A signer of this file's own.
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-keys-"));
  process.env.TRAILSEAL_DATA_DIR = directory;
  getEnv().TRAILSEAL_DATA_DIR = directory;
  db = await testDatabase();
  log = await createTestLog(db);
  await grow(50);
});
afterAll(async () => {
  await db.close();
  fs.rmSync(directory, { recursive: true });
});

const scope = () => systemScope("cli", log);
const inDays = (days: number) => new Date(Date.now() + days * 86_400_000);

async function grow(count: number): Promise<void> {
  await appendEvents(log, testEvents(count, Math.random() * 1e6));
  expect(await cutCheckpoint(log)).toMatchObject({ kind: "signed" });
}

const newestNote = async () => (await listCheckpoints(scope(), { limit: 1 }))[0]?.note as string;
const signersOf = async (note: string) =>
  openNote(note, (await vkeysOf(scope())).map(parseVkey)).signedBy.length;
const secretFiles = () => fs.readdirSync(path.join(directory, "secrets")).sort();

/** A program in place of a KMS: its own seed, `public-key` and `sign`. */
function signCommand(name: string): string {
  const file = path.join(directory, `${name}.mjs`);
  fs.writeFileSync(
    file,
    `#!${process.execPath}
import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import fs from "node:fs";
const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), createHash("sha256").update("${name}").digest()]);
const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
if (process.argv[2] === "public-key")
  console.log(createPublicKey(key).export({ format: "der", type: "spki" }).subarray(12).toString("base64"));
else console.log(sign(null, fs.readFileSync(0), key).toString("base64"));
`,
    { mode: 0o755 },
  );
  return file;
}

test("a rotation is announced in every log, both keys sign for a while, and all of it verifies", async () => {
  const before = (await vkeysOf(scope()))[0] as string;
  const other = await createTestLog(db);
  const rotation = await rotateSigningKey(inDays(1));
  expect(rotation.logs).toBe(2);
  const { rows } = await db.owner.query(
    "SELECT organization_id, metadata FROM events WHERE action = 'trailseal.key_rotated'",
  );
  expect(rows.map(({ organization_id }) => organization_id).sort()).toEqual([log, other].sort());
  expect(rows[0].metadata).toMatchObject({ public_key: rotation.publicKey });
  // The key before signs what announces the next one.
  const announcing = await newestNote();
  expect(openNote(announcing, [parseVkey(before)]).signedBy).toHaveLength(1);
  expect(announcing.split("\n")[1]).toBe("51");
  expect(await signersOf(announcing)).toBe(1);

  await grow(5);
  const note = await newestNote();
  expect(await signersOf(note)).toBe(2);
  // Whoever pins only one of the two reads it.
  const [after] = await vkeysOf(scope());
  expect(after).not.toBe(before);
  for (const vkey of [before, after as string])
    expect(openNote(note, [parseVkey(vkey)]).signedBy).toHaveLength(1);
  expect(await verifyLog(scope())).toMatchObject({ ok: true, evidence: { checkpoints: 3 } });

  const lines: string[] = [];
  await writeBundle(scope(), async (line) => void lines.push(line));
  const trusted = (await vkeysOf(scope())).map(parseVkey);
  expect(await verifyBundle(lines, { trusted })).toMatchObject({ ok: true, checkpoints: 3 });
});

test("a rotation that a kill cut short uses the key that was announced", async () => {
  const { length } = signingKeyRecords();
  const announced = await rotateSigningKey(inDays(1));
  // As if the kill came between the events and the record.
  const file = path.join(directory, "signer", "keys.json");
  fs.writeFileSync(file, JSON.stringify(signingKeyRecords().slice(0, length)));
  const again = await rotateSigningKey(inDays(1));
  expect(again.publicKey).toBe(announced.publicKey);
  const { rows } = await db.owner.query(
    "SELECT metadata FROM events WHERE organization_id = $1 AND metadata ->> 'public_key' = $2",
    [log, announced.publicKey],
  );
  expect(rows).toHaveLength(1);
});

test("after the overlap only the new key signs, the seeds before it are gone, old proofs hold", async () => {
  const { rows } = await db.owner.query<{ id: string }>(
    "SELECT id FROM events WHERE organization_id = $1 AND seq = 10",
    [log],
  );
  await rotateSigningKey(new Date());
  const records = signingKeyRecords();
  removeRetiredSeeds(inDays(2));
  expect(secretFiles().filter((name) => name.startsWith("signing"))).toEqual([
    `signing-${records.length}`,
  ]);
  await grow(5);
  expect(await signersOf(await newestNote())).toBe(1);
  expect(await verifyLog(scope())).toMatchObject({ ok: true });
  const proof = await readEventProof(scope(), rows[0]?.id as string);
  const vkey = await vkeyOfProof(scope(), proof);
  expect(vkey).not.toBe((await vkeysOf(scope()))[0]);
  expect(verifyEventProof(proof, [parseVkey(vkey)])).toMatchObject({ ok: true });
});

test("a seed that is not the announced one signs nothing", async () => {
  const name = `signing-${signingKeyRecords().length}`;
  const file = path.join(directory, "secrets", name);
  const kept = fs.readFileSync(file);
  fs.rmSync(file);
  await appendEvents(log, testEvents(2, 77));
  await expect(cutCheckpoint(log)).rejects.toThrow("restore it from a backup");
  fs.writeFileSync(file, Buffer.alloc(32, 1).toString("hex"));
  await expect(cutCheckpoint(log)).rejects.toThrow("restore it from a backup");
  fs.writeFileSync(file, kept);
  expect(await cutCheckpoint(log)).toMatchObject({ kind: "signed" });
});

test("a command has the key: it is announced first, then it signs, and a wrong signature is refused", async () => {
  const env = getEnv();
  env.TRAILSEAL_SIGN_COMMAND = signCommand("kms");
  await appendEvents(log, testEvents(2, 78));
  await expect(cutCheckpoint(log)).rejects.toThrow("another key than the one that verifiers know");
  await rotateSigningKey(new Date());
  await grow(3);
  const publicKey = execFileSync(env.TRAILSEAL_SIGN_COMMAND, ["public-key"], { encoding: "utf8" });
  expect((await vkeysOf(scope()))[0]).toContain(
    Buffer.concat([Buffer.from([1]), Buffer.from(publicKey, "base64")]).toString("base64"),
  );
  expect(await verifyLog(scope())).toMatchObject({ ok: true });
  await expect(rotateSigningKey(new Date())).rejects.toThrow("the key that is in use already");

  // Another command takes over; the one before signs too as long as it is named.
  env.TRAILSEAL_SIGN_COMMAND_PREVIOUS = env.TRAILSEAL_SIGN_COMMAND;
  env.TRAILSEAL_SIGN_COMMAND = signCommand("kms-2");
  await rotateSigningKey(inDays(1));
  await grow(3);
  expect(await signersOf(await newestNote())).toBe(2);
  expect(await verifyLog(scope())).toMatchObject({ ok: true });

  fs.writeFileSync(
    env.TRAILSEAL_SIGN_COMMAND,
    fs.readFileSync(env.TRAILSEAL_SIGN_COMMAND, "utf8").replace("fs.readFileSync(0)", '"else"'),
  );
  await appendEvents(log, testEvents(2, 79));
  await expect(cutCheckpoint(log)).rejects.toThrow("no signature of the key that it names");
});
