import { open, readdir, rm } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { getEnv } from "@/lib/env";
import { type ExportFormat, exportFormats } from "../schema";
import { hasBucket, openObject, putFile, removeObject } from "./bucket";

/** Where files of exports lie, each readable by the server's own user alone. */
export function exportDirectory(): string {
  const { TRAILSEAL_EXPORT_DIR: directory, TRAILSEAL_DATA_DIR: data } = getEnv();
  return directory ? path.resolve(directory) : path.join(data, "exports");
}

/** One attempt at an export: each has files of its own, so one that was given up cannot overwrite its successor's. */
export interface Attempt {
  id: string;
  format: ExportFormat;
  attempt: number;
}

export function fileOf({ id, format, attempt }: Attempt): string {
  return path.join(exportDirectory(), `${id}.${attempt}.${format}`);
}

/** The attempt that a name in the directory belongs to; null: the file is not ours. */
export function attemptOf(name: string): Attempt | null {
  const [id, attempt, format] = name.split(".");
  if (!id || !/^\d+$/.test(attempt ?? "")) return null;
  const known = exportFormats.find((one) => one === format);
  return known ? { id, attempt: Number(attempt), format: known } : null;
}

export const partOf = (file: string) => `${file}.part`;
export const manifestOf = (file: string) => `${file}.manifest`;
/** Parts of a manifest that are made before it: hashes of rows, and of what is left out. */
export const rowsOf = (file: string) => `${file}.rows.part`;
export const leftOf = (file: string) => `${file}.left.part`;

/** Puts a copy of what is made where readers of every host find it. */
export async function publish(file: string): Promise<void> {
  if (hasBucket()) await putFile(path.basename(file), file);
}

/** Lets the local copy of what was published go. */
export async function forgetLocal(file: string): Promise<void> {
  if (hasBucket()) await rm(file, { force: true });
}

/** @returns null where it is not, or not on this host */
export async function openPublished(file: string): Promise<Readable | null> {
  try {
    // Before there was a bucket, files were made here.
    return (await open(file)).createReadStream();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  return hasBucket() ? openObject(path.basename(file)) : null;
}

/** Everything of the attempts from `first` to the given one that this host or the bucket has, finished or not. */
export async function removeFiles(last: Attempt, first = 1): Promise<void> {
  for (let attempt = first; attempt <= last.attempt; attempt += 1) {
    const file = fileOf({ ...last, attempt });
    const manifest = manifestOf(file);
    const all = [file, partOf(file), manifest, partOf(manifest), rowsOf(file), leftOf(file)];
    for (const one of all) await rm(one, { force: true });
    if (!hasBucket()) continue;
    for (const one of [file, manifest]) await removeObject(path.basename(one));
  }
}

/** Names of the files in this host's directory. */
export async function localFiles(): Promise<string[]> {
  try {
    return await readdir(exportDirectory());
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

export const removeLocal = (name: string) =>
  rm(path.join(exportDirectory(), name), { force: true });
