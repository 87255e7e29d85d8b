import { existsSync } from "node:fs";
import path from "node:path";
import type { Command } from "commander";
import { systemInstanceScope } from "@/lib/auth/server/system-scope";
import { bytesOf, type Manifest } from "@/lib/backup/schema";
import { writeTables } from "@/lib/backup/server/archive";
import {
  type FinishedBackup,
  findDamage,
  listBackups,
  readBackup,
  writeBackup,
} from "@/lib/backup/server/files";
import { mergeSecrets, readSecrets, sealKeys } from "@/lib/backup/server/keys-file";
import { readLastBackup, recordBackup } from "@/lib/backup/server/last-backup";
import { addMemory } from "@/lib/backup/server/memory";
import { copyCluster } from "@/lib/backup/server/physical";
import { getEnv } from "@/lib/env";
import { AppError } from "@/lib/errors";
import { print, printTable } from "./output";
import { readPassphrase } from "./passphrase";

interface Options {
  to?: string;
  archive?: boolean;
  keys?: string;
  withoutKeys?: boolean;
  passphraseFile?: string;
  check?: string;
  last?: boolean;
  json?: boolean;
}

const count = (value: number) => value.toLocaleString("en-US");

function size(bytes: number): string {
  return bytes < 1_000_000 ? `${count(bytes)} bytes` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

/** Without the lists. */
const toJson = ({ format: _, files, ...manifest }: Manifest) => ({
  ...manifest,
  directories: undefined,
  tables: undefined,
  sequences: undefined,
  files: files.length,
  bytes: bytesOf({ files }),
});

export function register(program: Command): void {
  const command = program
    .command("backup")
    .description(
      "Copy the whole instance while it serves: everything that was acknowledged before the backup ends is in it.",
    )
    .option("--to <dir>", "where a directory with the backup is made")
    .option("--archive", "rows instead of the embedded server's files: any PostgreSQL, any version")
    .option("--keys <dir>", "where a file with this instance's keys is made, under a passphrase")
    .option("--without-keys", "leave them out: they are backed up otherwise")
    .option("--passphrase-file <file>", "else TRAILSEAL_BACKUP_PASSPHRASE, else it is asked for")
    .option("--check <backup>", "instead: read a backup, and say whether it is what was written")
    .option("--last", "instead: when the last one was made")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Keep the keys' file apart from the backup: who has both and the passphrase can sign as this instance.
Exit code 0: made, or as it was written. 1: it was not made, or is damaged.`,
    )
    .action((options: Options) => {
      if (options.check) return checkBackup(options.check, options);
      if (options.last) return showLast(options);
      if (options.to) return backUp(options.to, options);
      return command.error("error: say where: --to <dir>; or --check <backup>, --last");
    });
  command
    .command("list")
    .description("The backups in a directory, the oldest first.")
    .argument("<dir>")
    // `--json` is the command's above it.
    .action((directory: string, _options, list: Command) =>
      showList(directory, list.optsWithGlobals()),
    );
}

async function backUp(to: string, { archive, keys, withoutKeys, ...options }: Options) {
  if (!keys && !withoutKeys)
    throw new AppError(
      "invalid_request",
      "Say where the keys go: --keys <dir>, apart from the backup. Or that they are backed up otherwise: --without-keys.",
    );
  if (keys && !existsSync(keys))
    throw new AppError("invalid_request", `${keys} does not exist: make it, for this user alone.`);
  const passphrase = keys ? await readPassphrase(options.passphraseFile, true) : null;
  const started = Date.now();
  const before = await readSecrets(getEnv().TRAILSEAL_DATA_DIR);
  const backup = await writeBackup(path.resolve(to), (part) => {
    const dataDir = getEnv().TRAILSEAL_DATA_DIR;
    const ownerUrl = process.env.DATABASE_OWNER_URL as string;
    const memory = () => addMemory(dataDir, part);
    return archive
      ? writeTables(ownerUrl, part, memory)
      : copyCluster(ownerUrl, path.join(dataDir, "pg"), part, memory);
  });
  const file = keys ? await writeKeys(keys, backup, passphrase as string, before) : null;
  await recordBackup(systemInstanceScope("cli"), backup.manifest, Boolean(keys));
  const { events, files, covers_until: until } = backup.manifest;
  const seconds = ((Date.now() - started) / 1_000).toFixed(1);
  print(
    options.json,
    { ...toJson(backup.manifest), directory: backup.directory, keys: file },
    [
      `Backed up to ${backup.directory}: ${count(events)} events and all else that was acknowledged before ${until}; ${count(files.length)} files, ${size(bytesOf(backup.manifest))}, in ${seconds} s.`,
      file
        ? `Its keys are in ${file}: keep them apart, and the passphrase apart from both.`
        : "Its keys are not in it.",
      ...(files.some((one) => one.path.startsWith("signer/"))
        ? []
        : ["No signer's memory was here to go with it: where another host signs, back up there."]),
    ].join("\n"),
  );
}

/**
 * After the signer's memory: every seed that it names is there. Before the rows: so is what they were sealed with.
 * @throws AppError saying that the backup itself is there
 */
async function writeKeys(
  directory: string,
  backup: FinishedBackup,
  passphrase: string,
  before: Record<string, string>,
): Promise<string> {
  const secrets = mergeSecrets(before, await readSecrets(getEnv().TRAILSEAL_DATA_DIR));
  try {
    return await sealKeys(path.resolve(directory), backup, secrets, passphrase);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AppError(
      "unavailable",
      `The backup is in ${backup.directory}, but its keys could not be written: ${why}. Back up again.`,
      { cause },
    );
  }
}

export function showBytes(total: number): (done: number) => void {
  return (done) => {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${size(done)} of ${size(total)}`);
  };
}

async function checkBackup(directory: string, { json }: Options): Promise<void> {
  const backup = await readBackup(directory);
  const total = bytesOf(backup.manifest);
  const damage = await findDamage(backup, showBytes(total));
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  if (damage.length > 0) process.exitCode = 1;
  print(
    json,
    { ok: damage.length === 0, damage, ...toJson(backup.manifest) },
    damage.length > 0
      ? [`${directory} is damaged:`, ...damage].join("\n  ")
      : `${directory} agrees with its manifest: ${count(backup.manifest.files.length)} files, ${size(total)}, covering what was acknowledged before ${backup.manifest.covers_until}.`,
  );
}

async function showLast({ json }: Options): Promise<void> {
  const last = await readLastBackup(systemInstanceScope("cli"));
  const hours = last && (Date.now() - new Date(last.finished_at).getTime()) / 3_600_000;
  print(
    json,
    last,
    last
      ? `${last.name} (${last.kind}${last.with_keys ? "" : ", without keys"}) ended ${last.finished_at}, ${hours?.toFixed(1)} hours ago: ${count(last.events)} events, ${size(last.bytes)}.`
      : "No backup was made of this database.",
  );
  if (!last) process.exitCode = 1;
}

async function showList(directory: string, { json }: { json?: boolean }): Promise<void> {
  const listed = await listBackups(directory);
  if (json) {
    const rows = listed.map(({ name, manifest }) => (manifest ? toJson(manifest) : { name }));
    return print(true, rows, "");
  }
  printTable(
    listed.map(({ name, manifest }) => ({
      name,
      kind: manifest?.kind ?? "unfinished or damaged",
      "covers until": manifest?.covers_until ?? "",
      events: manifest ? count(manifest.events) : "",
      size: manifest ? size(bytesOf(manifest)) : "",
    })),
  );
}
