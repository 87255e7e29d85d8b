import fs from "node:fs/promises";
import path from "node:path";
import { placeCluster } from "@/lib/db/cluster";
import { AppError } from "@/lib/errors";
import type { BackupFile, PhysicalManifest } from "../schema";
import { copyFile, differenceOf, exists, type FinishedBackup } from "./files";
import { MEMORY_FOLDERS } from "./memory";

/** @throws AppError conflict, with the sentences */
export function refuseDamage({ directory }: FinishedBackup, damage: readonly string[]): void {
  if (damage.length === 0) return;
  throw new AppError(
    "conflict",
    [`${directory} is damaged. Use another backup.`, ...damage].join("\n  "),
  );
}

/** Puts the cluster of a backup into a data directory that has none; every file is checked as it is copied. */
export async function placeBackedUpCluster(
  backup: FinishedBackup,
  { directories, files }: PhysicalManifest,
  dataDir: string,
  options: { isOwnerNew: boolean },
  onProgress: (bytes: number) => void = () => undefined,
): Promise<void> {
  const fill = async (target: string) => {
    const placeOf = (name: string) => path.join(target, path.relative("pg", name));
    const inside = directories.filter((name) => name === "pg" || name.startsWith("pg/"));
    for (const name of inside) await fs.mkdir(placeOf(name), { recursive: true, mode: 0o700 });
    const own = files.filter((file) => file.path.startsWith("pg/"));
    refuseDamage(backup, await copyChecked(backup, own, placeOf, onProgress));
  };
  await placeCluster(dataDir, fill, options);
}

/**
 * Puts what signer and verifier remember into a data directory that has none.
 * @param survivor a data directory whose memory counts instead, where it has one
 */
export async function placeMemory(
  backup: FinishedBackup,
  dataDir: string,
  survivor: string | null,
): Promise<void> {
  for (const folder of survivor ? MEMORY_FOLDERS : []) {
    const from = path.join(survivor as string, folder);
    if (await exists(from)) await fs.cp(from, path.join(dataDir, folder), { recursive: true });
  }
  const own: BackupFile[] = [];
  for (const file of backup.manifest.files)
    if (
      MEMORY_FOLDERS.includes(path.dirname(file.path)) &&
      !(await exists(path.join(dataDir, file.path)))
    )
      own.push(file);
  refuseDamage(backup, await copyChecked(backup, own, (name) => path.join(dataDir, name)));
}

async function copyChecked(
  { directory }: FinishedBackup,
  files: BackupFile[],
  placeOf: (name: string) => string,
  onProgress: (bytes: number) => void = () => undefined,
): Promise<string[]> {
  const damage: string[] = [];
  let done = 0;
  for (const file of files) {
    const from = path.join(directory, file.path);
    if (await exists(from)) {
      const problem = differenceOf(file, await copyFile(from, placeOf(file.path)));
      if (problem) damage.push(problem);
    } else damage.push(`${file.path}: it is missing.`);
    done += file.bytes;
    onProgress(done);
  }
  return damage;
}
