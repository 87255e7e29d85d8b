import { rm } from "node:fs/promises";
import path from "node:path";
import { getEnv } from "@/lib/env";
import type { ExportFormat } from "../schema";

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

/** The files of the attempts from `first` to the given one, finished or not. */
export async function removeFiles(last: Attempt, first = 1): Promise<void> {
  for (let attempt = first; attempt <= last.attempt; attempt += 1) {
    const file = fileOf({ ...last, attempt });
    const manifest = manifestOf(file);
    const all = [file, partOf(file), manifest, partOf(manifest), rowsOf(file), leftOf(file)];
    for (const one of all) await rm(one, { force: true });
  }
}
