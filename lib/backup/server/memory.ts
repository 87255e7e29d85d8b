import fs from "node:fs/promises";
import path from "node:path";
import { addFile, type Part } from "./files";

/**
 * What signer and verifier remember, outside the database: small files, each replaced whole. A backup holds them as
 * they were when its database was no older, so that a restore of both is no rollback.
 */

export const MEMORY_FOLDERS = ["signer", "verifier"];

async function filesOf(directory: string): Promise<string[]> {
  const entries = await fs.readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return entries.filter((name) => name.endsWith(".json")).sort();
}

export async function addMemory(dataDir: string, part: Part): Promise<void> {
  for (const folder of MEMORY_FOLDERS)
    for (const name of await filesOf(path.join(dataDir, folder)))
      await addFile(part, path.join(dataDir, folder, name), `${folder}/${name}`);
}
