import fs from "node:fs/promises";
import path from "node:path";
import type { Command } from "commander";
import { systemInstanceScope } from "@/lib/auth/server/system-scope";
import { bytesOf } from "@/lib/backup/schema";
import {
  exists,
  type FinishedBackup,
  findDamage,
  readBackup,
  syncDirectory,
  writeDurably,
} from "@/lib/backup/server/files";
import { mergeSecrets, openKeys, placeSecrets, readSecrets } from "@/lib/backup/server/keys-file";
import { loadArchive } from "@/lib/backup/server/load-archive";
import { placeBackedUpCluster, placeMemory, refuseDamage } from "@/lib/backup/server/place";
import { type DatabaseUrls, startEmbedded } from "@/lib/db/embedded";
import { closePools } from "@/lib/db/pool";
import { parseEnv } from "@/lib/env";
import { AppError } from "@/lib/errors";
import { verifyInstance } from "@/lib/integrity/server/verify-instance";
import { externalUrls, openDatabase, restoreMarker } from "@/lib/server/instance";
import { showBytes } from "./backup";
import { instanceWords } from "./instance-words";
import { print, snakeCase } from "./output";
import { readPassphrase } from "./passphrase";
import { showProgress } from "./verdict-words";

interface Options {
  from: string;
  dataDir: string;
  keys?: string;
  otherKeys?: boolean;
  withoutKeys?: boolean;
  oldDataDir?: string;
  passphraseFile?: string;
  archive?: boolean;
  json?: boolean;
}

const say = (words: string) => process.stderr.write(`${words}\n`);

export function register(program: Command, root: string): void {
  program
    .command("restore")
    .description("Make a new instance out of a backup, and verify every log of it.")
    .requiredOption("--from <backup>", "the backup's directory")
    .requiredOption("--data-dir <dir>", "the new data directory: empty, or not there yet")
    .option("--keys <file>", "the file with the keys that was made with it")
    .option("--other-keys", "that file was made with another backup of the same instance")
    .option("--without-keys", "with new keys: the README says what each costs")
    .option("--passphrase-file <file>", "else TRAILSEAL_BACKUP_PASSPHRASE, else it is asked for")
    .option(
      "--old-data-dir <dir>",
      "what is left of the lost one: its signer's memory and its secrets count, being newer",
    )
    .option("--archive", "take an archive and nothing else")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
An archive goes into the empty database that DATABASE_URL and DATABASE_OWNER_URL name, or, without them,
into an embedded one. Exit code 0: every log is verified. 1: nothing was restored, or it lacks what was signed.`,
    )
    .action((options: Options) => restore(options, root));
}

async function restore(given: Options, root: string): Promise<void> {
  const dataDir = path.resolve(given.dataDir);
  const options = { ...given, dataDir };
  process.env.TRAILSEAL_DATA_DIR = dataDir;
  const backup = await readBackup(path.resolve(options.from));
  const { manifest } = backup;
  if (options.archive && manifest.kind !== "archive")
    throw new AppError("invalid_request", `${options.from} is no archive.`);
  if (manifest.kind === "physical" && process.env.DATABASE_URL)
    throw new AppError(
      "invalid_request",
      "DATABASE_URL is set, and this backup is one of the embedded server: unset it, or restore an archive.",
    );
  if ((await exists(dataDir)) && (await fs.readdir(dataDir)).length > 0)
    throw new AppError("conflict", `${dataDir} is not empty: restore into a new directory.`);
  const { oldDataDir } = options;
  if (oldDataDir && !(await exists(path.join(oldDataDir, "signer"))))
    throw new AppError("invalid_request", `${oldDataDir} has no signer's memory: leave it out.`);
  const secrets = await secretsOf(options, backup);
  await fs.mkdir(dataDir, { recursive: true });
  const marker = restoreMarker(dataDir);
  await writeDurably(marker, manifest.name);
  try {
    await place(backup, options, secrets, path.join(root, "prisma/migrations"));
    await fs.rm(marker);
    await syncDirectory(dataDir);
  } catch (error) {
    for (const name of await fs.readdir(dataDir))
      await fs.rm(path.join(dataDir, name), { recursive: true, force: true });
    throw error;
  }
  await verify(backup, dataDir, root, options);
}

interface Secrets {
  files: Record<string, string>;
  /** Made with this very backup: the database's own password is among them. */
  isOwn: boolean;
}

async function secretsOf(
  { keys, otherKeys, withoutKeys, oldDataDir, passphraseFile }: Options,
  { manifest, manifestSha256 }: FinishedBackup,
): Promise<Secrets> {
  const hasOld = oldDataDir && (await exists(path.join(oldDataDir, "secrets")));
  const old = hasOld ? await readSecrets(oldDataDir) : null;
  if (!keys && !old && !withoutKeys)
    throw new AppError(
      "invalid_request",
      "Give the keys, --keys <file>, or what is left of the old directory, --old-data-dir <dir>. Without them, --without-keys: streams' credentials are entered again, and verifiers are told a new key.",
    );
  const opened = keys ? await openKeys(keys, await readPassphrase(passphraseFile, false)) : null;
  const isOwn = opened?.backup === manifest.name;
  if (isOwn && opened.manifest_sha256 !== manifestSha256)
    throw new AppError(
      "conflict",
      `${manifest.name} is not what it was when ${keys} was made with it: somebody replaced it. Use another backup, and find out who.`,
    );
  if (opened && !isOwn && !otherKeys)
    throw new AppError(
      "invalid_request",
      `${keys} was made with ${opened.backup}, not with ${manifest.name}: it cannot tell whether somebody replaced that. Where you know that nobody did, add --other-keys.`,
    );
  return { files: mergeSecrets(opened?.secrets ?? {}, old ?? {}), isOwn: isOwn && !old };
}

async function place(
  backup: FinishedBackup,
  { dataDir, oldDataDir }: Options,
  secrets: Secrets,
  migrations: string,
): Promise<void> {
  const { manifest } = backup;
  const progress = showBytes(bytesOf(manifest));
  await placeSecrets(dataDir, secrets.files);
  if (manifest.kind === "physical") {
    await placeMemory(backup, dataDir, oldDataDir ?? null);
    const isOwnerNew = !secrets.isOwn;
    await placeBackedUpCluster(backup, manifest, dataDir, { isOwnerNew }, progress);
    if (process.stderr.isTTY) say("");
    return;
  }
  refuseDamage(backup, await findDamage(backup, progress));
  if (process.stderr.isTTY) say("");
  await placeMemory(backup, dataDir, oldDataDir ?? null);
  const load = (urls: DatabaseUrls) =>
    loadArchive(urls, backup.directory, manifest, migrations, (table) => say(`Loading ${table}`));
  const external = externalUrls(parseEnv(process.env));
  if (external) return load(external);
  const embedded = await startEmbedded(dataDir);
  try {
    await load(embedded);
  } finally {
    await embedded.stop();
  }
}

async function verify(
  { manifest }: FinishedBackup,
  dataDir: string,
  root: string,
  { json }: Options,
): Promise<void> {
  const opened = await openDatabase(parseEnv(process.env), "cli", root);
  if (!("close" in opened)) throw new Error(`A server runs on ${dataDir} already.`);
  try {
    const restored = await verifyInstance(systemInstanceScope("cli"), (progress) => {
      if (process.stderr.isTTY) showProgress(progress);
    });
    if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
    if (!restored.ok) process.exitCode = 1;
    print(
      json,
      snakeCase({ backup: manifest.name, dataDir, ...restored }),
      [
        `Restored ${manifest.name} into ${dataDir}. What was revoked or erased after ${manifest.covers_until} is back: revoke and erase it again.`,
        ...instanceWords(restored, manifest.name),
      ].join("\n"),
    );
  } finally {
    await closePools();
    await opened.close();
  }
}
