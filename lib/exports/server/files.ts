import { rm } from "node:fs/promises";
import path from "node:path";
import { getEnv } from "@/lib/env";

/** Where files of exports lie, each readable by the server's own user alone. */
export function exportDirectory(): string {
  const { TRAILSEAL_EXPORT_DIR: directory, TRAILSEAL_DATA_DIR: data } = getEnv();
  return directory ? path.resolve(directory) : path.join(data, "exports");
}

/** Each attempt has a file of its own: one that was given up cannot overwrite its successor's. */
export function fileOf(id: string, attempt: number): string {
  return path.join(exportDirectory(), `${id}.${attempt}.csv`);
}

export const partOf = (file: string) => `${file}.part`;

/** The files of the attempts from `first` to `last`, finished or not. */
export async function removeFiles(id: string, first: number, last: number): Promise<void> {
  for (let attempt = first; attempt <= last; attempt += 1) {
    await rm(fileOf(id, attempt), { force: true });
    await rm(partOf(fileOf(id, attempt)), { force: true });
  }
}
