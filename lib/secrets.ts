import { randomBytes } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { getEnv } from "./env";

/**
 * - session: signs session cookies; links are signed with a key derived from it. Lost: everybody signs in again.
 * - envelope: wraps stream credentials. Lost: every stream's secret has to be entered again.
 * - signing: Ed25519 seed of the log's signatures. Lost: a new key has to be announced to verifiers.
 * - widgets: signs tokens of embedded widgets. Lost: they ask for new ones.
 * - database-owner, database-app: logins of the embedded server. Lost: its data cannot be opened.
 */
export type SecretName =
  | "session"
  | "widgets"
  | "envelope"
  | "signing"
  | "database-owner"
  | "database-app";

/**
 * Reads a secret of this instance, making it on first use: 32 random bytes as 64 hex digits, in a file
 * of mode 0600 (the signing seed's: 0400) under the data directory.
 */
export function readSecret(
  name: SecretName,
  dataDir: string = getEnv().TRAILSEAL_DATA_DIR,
): string {
  const directory = path.join(dataDir, "secrets");
  const file = path.join(directory, name);
  fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  // Written whole under another name and linked into place, so that two first starts agree on one value
  // and a kill leaves no empty secret.
  if (!fs.existsSync(file)) {
    const fresh = `${file}.${process.pid}.new`;
    // The key that everything is proven with is not even written by its owner.
    const mode = name === "signing" ? 0o400 : 0o600;
    fs.writeFileSync(fresh, randomBytes(32).toString("hex"), { mode });
    try {
      fs.linkSync(fresh, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    } finally {
      fs.unlinkSync(fresh);
    }
  }
  const secret = fs.readFileSync(file, "utf8").trim();
  if (!/^[0-9a-f]{64}$/.test(secret)) {
    throw new Error(
      `${file} is not a secret of 64 hex digits. Restore it from a backup; the README says what losing it costs.`,
    );
  }
  return secret;
}
