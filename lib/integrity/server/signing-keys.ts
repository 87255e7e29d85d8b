import { execFile, execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { z } from "zod";
import { ED25519_KEY_BYTES, publicKeyOf, signEd25519, verifyEd25519 } from "@/lib/chain/ed25519";
import { getEnv } from "@/lib/env";
import { AppError } from "@/lib/errors";
import { readSecret } from "@/lib/secrets";

/**
 * The keys that checkpoints are signed with. A seed is a file of mode 0400; or a command has the key
 * (TRAILSEAL_SIGN_COMMAND, for a KMS), and this host never sees it:
 *
 *     <command> public-key           prints the raw public key, base64
 *     <command> sign < message       prints the Ed25519 signature of the bytes, base64
 *
 * Which keys there were, and until when the one before signs too, stands in `keys.json` beside the signer's
 * memory, outside the database.
 */

export interface SigningKey {
  /** Raw, 32 bytes. */
  publicKey: Buffer;
  sign(message: Buffer): Promise<Buffer>;
}

/** A file under `secrets`, or the command. */
type Source = { seed: string } | { command: true };

const keySchema = z.object({
  public_key: z.hex().length(2 * ED25519_KEY_BYTES),
  source: z.union([z.object({ seed: z.string() }), z.object({ command: z.literal(true) })]),
  since: z.iso.datetime(),
  /** It signs until then; null: for as long as it is the newest. */
  until: z.iso.datetime().nullable(),
});
/** Oldest first; the newest is the one that verifiers are told. */
const keysSchema = z.array(keySchema).min(1);
export type KeyRecord = z.infer<typeof keySchema>;

const COMMAND_TIMEOUT_MS = 30_000;

const signerDirectory = () => path.join(getEnv().TRAILSEAL_DATA_DIR, "signer");
const keysFile = () => path.join(signerDirectory(), "keys.json");
const seedFile = (name: string) => path.join(getEnv().TRAILSEAL_DATA_DIR, "secrets", name);

/** A key from its seed, 32 bytes. */
export function seedKey(seed: Buffer): SigningKey {
  return {
    publicKey: publicKeyOf(seed),
    sign: async (message) => signEd25519(seed, message),
  };
}

const readSeed = (name: string): Buffer =>
  Buffer.from(fs.readFileSync(seedFile(name), "utf8").trim(), "hex");

const publicKeys = new Map<string, Buffer>();

/** What the command says its key is; asked once. */
function commandPublicKey(command: string): Buffer {
  const known = publicKeys.get(command);
  if (known) return known;
  const text = execFileSync(command, ["public-key"], {
    encoding: "utf8",
    timeout: COMMAND_TIMEOUT_MS,
  });
  const key = Buffer.from(text.trim(), "base64");
  if (key.length !== ED25519_KEY_BYTES)
    throw new Error(`'${command} public-key' printed no raw Ed25519 public key in base64.`);
  publicKeys.set(command, key);
  return key;
}

function commandKey(command: string, publicKey: Buffer): SigningKey {
  return {
    publicKey,
    sign: async (message) => {
      const text = await new Promise<string>((resolve, reject) => {
        const child = execFile(
          command,
          ["sign"],
          { timeout: COMMAND_TIMEOUT_MS },
          (error, stdout) => (error ? reject(error) : resolve(stdout)),
        );
        child.stdin?.on("error", () => undefined).end(message);
      });
      const signature = Buffer.from(text.trim(), "base64");
      // Another key's signature would be found by every verifier; here nothing is stored.
      if (!verifyEd25519(publicKey, message, signature))
        throw new Error(`'${command} sign' printed no signature of the key that it names.`);
      return signature;
    },
  };
}

/** The commands that may have a key: the present one, and the one before it while a rotation overlaps. */
function commandOf(publicKey: Buffer): string | null {
  const { TRAILSEAL_SIGN_COMMAND, TRAILSEAL_SIGN_COMMAND_PREVIOUS } = getEnv();
  for (const command of [TRAILSEAL_SIGN_COMMAND, TRAILSEAL_SIGN_COMMAND_PREVIOUS])
    if (command && commandPublicKey(command).equals(publicKey)) return command;
  return null;
}

function newRecord(source: Source, publicKey: Buffer): KeyRecord {
  return {
    public_key: publicKey.toString("hex"),
    source,
    since: new Date().toISOString(),
    until: null,
  };
}

/** Every key that this instance signed with, oldest first. */
export function signingKeyRecords(): KeyRecord[] {
  const file = keysFile();
  if (fs.existsSync(file)) return keysSchema.parse(JSON.parse(fs.readFileSync(file, "utf8")));
  const command = getEnv().TRAILSEAL_SIGN_COMMAND;
  // A seed from before the command was set has signed already: the change has to be announced.
  const first =
    command && !fs.existsSync(seedFile("signing"))
      ? newRecord({ command: true }, commandPublicKey(command))
      : newRecord({ seed: "signing" }, publicKeyOf(Buffer.from(readSecret("signing"), "hex")));
  writeRecords([first]);
  return [first];
}

/** Raw public keys that a signature may be of, the newest first. */
export function knownPublicKeys(): Buffer[] {
  return signingKeyRecords()
    .map(({ public_key }) => Buffer.from(public_key, "hex"))
    .reverse();
}

/**
 * The keys that sign now: the newest, and the one before it while they overlap.
 * @throws AppError conflict when the command has another key than the one that was announced
 */
export function signingKeys(now = new Date()): SigningKey[] {
  const records = signingKeyRecords();
  const newest = records.at(-1) as KeyRecord;
  const command = getEnv().TRAILSEAL_SIGN_COMMAND;
  if (command && commandPublicKey(command).toString("hex") !== newest.public_key)
    throw new AppError(
      "conflict",
      "TRAILSEAL_SIGN_COMMAND has another key than the one that verifiers know: run 'trailseal signing-key rotate', which announces it in every log.",
    );
  const overlapping = records
    .slice(0, -1)
    .filter(({ until }) => until !== null && new Date(until) > now);
  return [newest, ...overlapping].flatMap((record) => open(record, record === newest));
}

/** The newest key that verifiers know, also while the command has the next one; none when it is out of reach. */
export function announcedKeys(): SigningKey[] {
  return open(signingKeyRecords().at(-1) as KeyRecord, false);
}

function open({ source, public_key }: KeyRecord, isNeeded: boolean): SigningKey[] {
  const publicKey = Buffer.from(public_key, "hex");
  if ("command" in source) {
    const command = commandOf(publicKey);
    if (command) return [commandKey(command, publicKey)];
  } else if (fs.existsSync(seedFile(source.seed))) {
    const key = seedKey(readSeed(source.seed));
    if (key.publicKey.equals(publicKey)) return [key];
  }
  if (!isNeeded) return [];
  throw new AppError(
    "conflict",
    "command" in source
      ? "TRAILSEAL_SIGN_COMMAND is not set, and it has the signing key."
      : `${seedFile(source.seed)} is not the seed of the key that verifiers know: restore it from a backup, or announce a new key with 'trailseal signing-key rotate'.`,
  );
}

/** A key that is announced next. */
export interface NextKey {
  source: Source;
  publicKey: Buffer;
}

/** The command's key where that is new, a new seed otherwise; a seed is on the disk when this returns. */
export function prepareNextKey(): NextKey {
  const records = signingKeyRecords();
  const command = getEnv().TRAILSEAL_SIGN_COMMAND;
  if (command) {
    const publicKey = commandPublicKey(command);
    if (records.some(({ public_key }) => public_key === publicKey.toString("hex")))
      throw new AppError(
        "conflict",
        "The command has the key that is in use already: point TRAILSEAL_SIGN_COMMAND to the new one, and TRAILSEAL_SIGN_COMMAND_PREVIOUS to this one.",
      );
    return { source: { command: true }, publicKey };
  }
  const name = `signing-${records.length + 1}`;
  const file = seedFile(name);
  // An announced seed that a kill kept from being used is the one that is used.
  if (!fs.existsSync(file)) {
    const fresh = `${file}.${process.pid}.new`;
    writeWhole(fresh, randomBytes(ED25519_KEY_BYTES).toString("hex"), 0o400);
    fs.renameSync(fresh, file);
  }
  return { source: { seed: name }, publicKey: publicKeyOf(readSeed(name)) };
}

/** From here on the next key signs, beside the one before until `until`. */
export function adoptNextKey({ source, publicKey }: NextKey, until: Date): void {
  const records = signingKeyRecords().map((record) => ({
    ...record,
    until: record.until ?? until.toISOString(),
  }));
  writeRecords([...records, newRecord(source, publicKey)]);
}

/** Removes the seeds of keys whose time is over. @returns how many */
export function removeRetiredSeeds(now = new Date()): number {
  let removed = 0;
  for (const { source, until } of signingKeyRecords()) {
    if (!("seed" in source) || until === null || new Date(until) > now) continue;
    const file = seedFile(source.seed);
    if (!fs.existsSync(file)) continue;
    fs.rmSync(file);
    removed += 1;
  }
  return removed;
}

function writeRecords(records: KeyRecord[]): void {
  fs.mkdirSync(signerDirectory(), { recursive: true, mode: 0o700 });
  const fresh = `${keysFile()}.${process.pid}.new`;
  writeWhole(fresh, JSON.stringify(records, null, 2), 0o600);
  fs.renameSync(fresh, keysFile());
}

function writeWhole(file: string, text: string, mode: number): void {
  fs.rmSync(file, { force: true });
  const handle = fs.openSync(file, "wx", mode);
  try {
    fs.writeSync(handle, text);
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}
