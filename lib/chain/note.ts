import { decodeBase64, encodeBase64 } from "./base64";
import {
  ED25519_KEY_BYTES,
  ED25519_SIGNATURE_BYTES,
  publicKeyOf,
  signEd25519,
  verifyEd25519,
} from "./ed25519";
import { sha256 } from "./sha256";

// C2SP signed-note: text, a blank line, then one "— name base64(keyID || signature)" per signature.

const ED25519_ALGORITHM = 1;
const KEY_ID_BYTES = 4;
const MAX_NOTE_BYTES = 1_000_000;
const MAX_SIGNATURES = 100;

export class NoteError extends Error {
  override name = "NoteError";
}

export interface NoteKey {
  name: string;
  /** First four bytes of H(name LF 0x01 publicKey). */
  keyId: Buffer;
  publicKey: Buffer;
}

export interface NoteSigner extends NoteKey {
  seed: Buffer;
}

export interface OpenedNote {
  /** What was signed, with its final line feed. */
  text: string;
  /** The trusted keys whose signatures hold, at least one. */
  signedBy: NoteKey[];
}

export function noteKey(name: string, publicKey: Uint8Array): NoteKey {
  assertName(name);
  if (publicKey.length !== ED25519_KEY_BYTES) throw new NoteError("not an Ed25519 public key");
  const algorithm = Buffer.from([ED25519_ALGORITHM]);
  const keyId = sha256(Buffer.concat([Buffer.from(`${name}\n`), algorithm, publicKey]));
  return { name, keyId: keyId.subarray(0, KEY_ID_BYTES), publicKey: Buffer.from(publicKey) };
}

/** A signer from a 32-byte Ed25519 seed. */
export function noteSigner(name: string, seed: Uint8Array): NoteSigner {
  return { ...noteKey(name, publicKeyOf(seed)), seed: Buffer.from(seed) };
}

/** `name+keyID+base64(0x01 || publicKey)`: what a verifier is configured with. */
export function formatVkey(key: NoteKey): string {
  const encoded = encodeBase64(Buffer.concat([Buffer.from([ED25519_ALGORITHM]), key.publicKey]));
  return `${key.name}+${key.keyId.toString("hex")}+${encoded}`;
}

/** @throws NoteError for a malformed vkey, another algorithm, or a key id that does not fit. */
export function parseVkey(vkey: string): NoteKey {
  const match = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/u.exec(vkey);
  if (!match) throw new NoteError("malformed vkey");
  const [, name, keyId, encoded] = match as unknown as [string, string, string, string];
  const bytes = decoded(encoded, "vkey");
  if (bytes[0] !== ED25519_ALGORITHM) throw new NoteError("vkey of an unknown algorithm");
  const key = noteKey(name, bytes.subarray(1));
  if (key.keyId.toString("hex") !== keyId) throw new NoteError("vkey with a wrong key id");
  return key;
}

/** @throws NoteError when the text cannot be a note's. */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  const message = Buffer.from(text);
  return formatNote(
    text,
    signers.map((key) => ({ key, signature: signEd25519(key.seed, message) })),
  );
}

/** A note of signatures that were made elsewhere, over the text's UTF-8 bytes. @throws NoteError as signNote */
export function formatNote(
  text: string,
  signatures: readonly { key: NoteKey; signature: Uint8Array }[],
): string {
  assertText(text);
  if (signatures.length === 0) throw new NoteError("a note needs a signature");
  const lines = signatures.map(
    ({ key: { name, keyId }, signature }) =>
      `— ${name} ${encodeBase64(Buffer.concat([keyId, signature]))}\n`,
  );
  return `${text}\n${lines.join("")}`;
}

/**
 * The text of a note that at least one trusted key signed. Signatures of unknown keys are ignored.
 *
 * @throws NoteError when the note is malformed, when a trusted key's signature is wrong, or when no
 * trusted key signed.
 */
export function openNote(note: string, trusted: readonly NoteKey[]): OpenedNote {
  if (Buffer.byteLength(note) > MAX_NOTE_BYTES) throw new NoteError("note too long");
  // The last blank line: the text may hold blank lines of its own.
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || !note.endsWith("\n")) throw new NoteError("malformed note");
  const text = note.slice(0, split + 1);
  assertText(text);
  const lines = note.slice(split + 2, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) throw new NoteError("too many signatures");
  const message = Buffer.from(text);
  const signedBy: NoteKey[] = [];
  for (const line of lines) {
    const { name, keyId, signature } = parseSignature(line);
    const key = trusted.find((known) => known.name === name && known.keyId.equals(keyId));
    if (!key || signedBy.includes(key)) continue;
    const holds =
      signature.length === ED25519_SIGNATURE_BYTES &&
      verifyEd25519(key.publicKey, message, signature);
    if (!holds) throw new NoteError(`bad signature by known key ${name}+${keyId.toString("hex")}`);
    signedBy.push(key);
  }
  if (signedBy.length === 0) throw new NoteError("no signature by a trusted key");
  return { text, signedBy };
}

/** The notes of a text that holds one after another, each with its own signatures. */
export function splitNotes(text: string): string[] {
  return text.match(/(?:(?!— ).+\n)+\n(?:— .+\n?)+/gu) ?? [];
}

function parseSignature(line: string): { name: string; keyId: Buffer; signature: Buffer } {
  const match = /^— ([^+\s]+) ([A-Za-z0-9+/=]+)$/u.exec(line);
  if (!match) throw new NoteError("malformed signature line");
  const bytes = decoded(match[2] as string, "signature");
  if (bytes.length <= KEY_ID_BYTES) throw new NoteError("malformed signature");
  const signature = bytes.subarray(KEY_ID_BYTES);
  return { name: match[1] as string, keyId: bytes.subarray(0, KEY_ID_BYTES), signature };
}

function decoded(text: string, what: string): Buffer {
  try {
    return decodeBase64(text);
  } catch {
    throw new NoteError(`malformed ${what}`);
  }
}

function assertName(name: string): void {
  if (!/^[^+\s]+$/u.test(name)) {
    throw new NoteError("a key name has no white space and no plus sign");
  }
}

function assertText(text: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (!text.endsWith("\n") || /[\u0000-\u0009\u000b-\u001f]|\p{Surrogate}/u.test(text)) {
    throw new NoteError("a note's text ends with a line feed and has no control characters");
  }
}
