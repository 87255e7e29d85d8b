import { readFileSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { checkPassphrase } from "@/lib/backup/server/keys-file";
import { parseEnv } from "@/lib/env";
import { AppError } from "@/lib/errors";

const silent = new Writable({ write: (_chunk, _encoding, done) => done() });

async function ask(question: string): Promise<string> {
  process.stderr.write(question);
  const prompt = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await prompt.question("");
  } finally {
    prompt.close();
    process.stderr.write("\n");
  }
}

/**
 * A passphrase, which is never an argument: those stand in lists of processes and histories of shells. From the
 * file, else TRAILSEAL_BACKUP_PASSPHRASE, else whoever sits at the terminal.
 * @param isNew it is asked for twice
 */
export async function readPassphrase(file: string | undefined, isNew: boolean): Promise<string> {
  const given = file
    ? readFileSync(file, "utf8").replace(/\r?\n$/, "")
    : parseEnv(process.env).TRAILSEAL_BACKUP_PASSPHRASE;
  if (given !== undefined) return checkPassphrase(given);
  if (!process.stdin.isTTY)
    throw new AppError(
      "invalid_request",
      "The keys need a passphrase: give --passphrase-file <file>, or set TRAILSEAL_BACKUP_PASSPHRASE.",
    );
  const passphrase = checkPassphrase(await ask("Passphrase of the keys: "));
  if (isNew && (await ask("The same again: ")) !== passphrase)
    throw new AppError("invalid_request", "They are not the same.");
  return passphrase;
}
