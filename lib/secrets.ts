import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { getEnv } from "./env";

/**
 * - session: signs session cookies; links are signed with a key derived from it. Lost: everybody signs in again.
 * - envelope: wraps stream credentials and second factors. Lost: all of them have to be entered again.
 * - signing: Ed25519 seed of the log's signatures. Lost: a new key has to be announced to verifiers.
 * - widgets: signs tokens of embedded widgets. Lost: they ask for new ones.
 * - database-owner, database-app, database-signer, database-retention: logins of the embedded server. Lost: the
 *   owner's means that its data cannot be opened; the others get new ones.
 */
export const secretNames = [
  "session",
  "widgets",
  "envelope",
  "signing",
  "database-owner",
  "database-app",
  "database-signer",
  "database-retention",
] as const;

export type SecretName = (typeof secretNames)[number];

const fileOf = (name: string, dataDir = getEnv().TRAILSEAL_DATA_DIR) =>
  path.join(dataDir, "secrets", name);

/** @returns a file of this process with a fresh secret, to be put in its place whole */
function writeFresh(file: string, mode: number): string {
  const fresh = `${file}.${process.pid}.new`;
  fs.writeFileSync(fresh, randomBytes(32).toString("hex"), { mode });
  return fresh;
}

/**
 * Reads a secret of this instance, making it on first use: 32 random bytes as 64 hex digits, in a file
 * of mode 0600 (the signing seed's: 0400) under the data directory.
 */
export function readSecret(name: SecretName, dataDir?: string): string {
  const file = fileOf(name, dataDir);
  fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  // Written whole under another name and linked into place, so that two first starts agree on one value
  // and a kill leaves no empty secret.
  if (!fs.existsSync(file)) {
    // The key that everything is proven with is not even written by its owner.
    const fresh = writeFresh(file, name === "signing" ? 0o400 : 0o600);
    try {
      fs.linkSync(fresh, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
      fs.unlinkSync(fresh);
    }
  }
  return readFile(file);
}

function readFile(file: string): string {
  const secret = fs.readFileSync(file, "utf8").trim();
  if (!/^[0-9a-f]{64}$/.test(secret)) {
    throw new Error(
      `${file} is not a secret of 64 hex digits. Restore it from a backup; the README says what losing it costs.`,
    );
  }
  return secret;
}

const previousFile = (name: "envelope") => fileOf(`${name}.previous`);

/** The value before the present one, until `forgetPrevious`; null when there is none. */
export function readPrevious(name: "envelope"): string | null {
  return fs.existsSync(previousFile(name)) ? readFile(previousFile(name)) : null;
}

/** Puts a fresh value in place and keeps the one before beside it; where one is kept already, that is all. */
export function replaceSecret(name: "envelope"): void {
  const present = readSecret(name);
  const previous = readPrevious(name);
  if (previous !== null && previous !== present) return;
  if (previous === null) fs.linkSync(fileOf(name), previousFile(name));
  // A kill before this leaves both names with one value: this is done again then.
  fs.renameSync(writeFresh(fileOf(name), 0o600), fileOf(name));
}

export function forgetPrevious(name: "envelope"): void {
  fs.rmSync(previousFile(name), { force: true });
}
