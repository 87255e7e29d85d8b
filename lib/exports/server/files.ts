import { open, rm } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { getEnv } from "@/lib/env";
import type { ExportFormat } from "../schema";
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

export const partOf = (file: string) => `${file}.part`;
export const manifestOf = (file: string) => `${file}.manifest`;
/** Parts of a manifest that are made before it: hashes of rows, and of what is left out. */
export const rowsOf = (file: string) => `${file}.rows.part`;
export const leftOf = (file: string) => `${file}.left.part`;

/** Puts what is made where readers find it: the directory, or the bucket. */
export async function publish(file: string): Promise<void> {
  if (!hasBucket()) return;
  await putFile(path.basename(file), file);
  await rm(file);
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

/** The files of an attempt that was published, wherever they are. */
export async function removePublished(attempt: Attempt): Promise<void> {
  await removeFiles(attempt);
  if (!hasBucket()) return;
  const file = fileOf(attempt);
  for (const one of [file, manifestOf(file)]) await removeObject(path.basename(one));
}

/** The local files of the attempts from `first` to the given one, finished or not. */
export async function removeFiles(last: Attempt, first = 1): Promise<void> {
  for (let attempt = first; attempt <= last.attempt; attempt += 1) {
    const file = fileOf({ ...last, attempt });
    const manifest = manifestOf(file);
    const all = [file, partOf(file), manifest, partOf(manifest), rowsOf(file), leftOf(file)];
    for (const one of all) await rm(one, { force: true });
  }
}
