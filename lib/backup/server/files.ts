import { createHash, type Hash } from "node:crypto";
import fs from "node:fs/promises";
import path from "node:path";
import { AppError } from "@/lib/errors";
import {
  type ArchiveManifest,
  type BackupFile,
  type Contents,
  type Manifest,
  manifestSchema,
  type PhysicalManifest,
} from "../schema";

/**
 * A backup as a directory. It is made as `<name>.part` and gets its name when it is whole and on the disk: what a
 * killed backup leaves has no manifest and another name, and is never taken for one.
 */

const MANIFEST = "manifest.json";
const MANIFEST_HASH = "manifest.sha256";
const UNFINISHED = ".part";
const PIECE_BYTES = 1_048_576;

const sha256Hex = (bytes: string | Buffer): string =>
  createHash("sha256").update(bytes).digest("hex");

/** A backup in the making. */
export interface Part {
  name: string;
  directory: string;
  /** What was written so far, for the manifest. */
  files: BackupFile[];
}

export interface FinishedBackup {
  directory: string;
  manifest: Manifest;
  /** Of manifest.json: what the keys' file is bound to. */
  manifestSha256: string;
}

/** Writes a backup into a new directory below `parent`. A failure removes what was written. */
export async function writeBackup(
  parent: string,
  write: (part: Part) => Promise<Contents<PhysicalManifest> | Contents<ArchiveManifest>>,
): Promise<FinishedBackup> {
  const startedAt = new Date().toISOString();
  const name = `trailseal-${startedAt.slice(0, 19).replaceAll(":", "-")}Z`;
  const final = path.join(parent, name);
  const part: Part = { name, directory: `${final}${UNFINISHED}`, files: [] };
  await fs.mkdir(parent, { recursive: true });
  if (await exists(final)) throw taken(final);
  await fs.mkdir(part.directory, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "EEXIST" ? taken(part.directory) : error;
  });
  try {
    const contents = await write(part);
    const manifest = manifestSchema.parse({
      format: 1,
      name,
      started_at: startedAt,
      finished_at: new Date().toISOString(),
      ...contents,
      files: part.files,
    });
    const text = `${JSON.stringify(manifest, null, 1)}\n`;
    const manifestSha256 = sha256Hex(text);
    await writeDurably(path.join(part.directory, MANIFEST), text);
    await writeDurably(
      path.join(part.directory, MANIFEST_HASH),
      `${manifestSha256}  ${MANIFEST}\n`,
    );
    await syncDirectories(part.directory);
    await fs.rename(part.directory, final);
    await syncDirectory(parent);
    return { directory: final, manifest, manifestSha256 };
  } catch (error) {
    await fs.rm(part.directory, { recursive: true, force: true });
    throw error;
  }
}

const taken = (directory: string) =>
  new AppError("conflict", `${directory} exists: another backup began in the same second.`);

/** @throws AppError invalid_request where there is no whole manifest */
export async function readBackup(directory: string): Promise<FinishedBackup> {
  const refuse = (why: string) => new AppError("invalid_request", `${directory}: ${why}`);
  const read = (name: string) =>
    fs.readFile(path.join(directory, name), "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
      throw refuse(
        directory.replace(/\/+$/, "").endsWith(UNFINISHED)
          ? "this backup was never finished. Remove it, and use an older one."
          : `there is no ${name}, so this is no backup, or not all of one.`,
      );
    });
  const [text, said] = [await read(MANIFEST), await read(MANIFEST_HASH)];
  const manifestSha256 = sha256Hex(text);
  if (said !== `${manifestSha256}  ${MANIFEST}\n`)
    throw refuse(`${MANIFEST} is damaged: its SHA-256 is not the one in ${MANIFEST_HASH}.`);
  const parsed = manifestSchema.safeParse(JSON.parse(text));
  if (!parsed.success)
    throw refuse(`${MANIFEST} is of no format that this release knows. Restore with a newer one.`);
  return { directory, manifest: parsed.data, manifestSha256 };
}

/** Reads every file of a backup. @returns sentences on those that are not what was written; none: all are */
export async function findDamage(
  { directory, manifest }: FinishedBackup,
  onProgress: (bytes: number) => void = () => undefined,
): Promise<string[]> {
  const damage: string[] = [];
  let done = 0;
  for (const file of manifest.files) {
    try {
      const found = await hashFile(path.join(directory, file.path));
      const problem = differenceOf(file, found);
      if (problem) damage.push(problem);
    } catch (error) {
      damage.push(`${file.path}: it cannot be read (${(error as Error).message}).`);
    }
    done += file.bytes;
    onProgress(done);
  }
  return damage;
}

export interface ListedBackup {
  name: string;
  /** Null: one that was never finished, or whose manifest is damaged. */
  manifest: Manifest | null;
}

/** What lies in a directory of backups, the oldest first. */
export async function listBackups(parent: string): Promise<ListedBackup[]> {
  const names = (await fs.readdir(parent)).filter((name) => name.startsWith("trailseal-")).sort();
  return Promise.all(
    names.map(async (name) => {
      const backup = await readBackup(path.join(parent, name)).catch((error) => {
        if (!(error instanceof AppError)) throw error;
        return null;
      });
      return { name, manifest: backup?.manifest ?? null };
    }),
  );
}

type Content = Pick<BackupFile, "bytes" | "sha256">;

/** Null: the content is what the manifest says. */
export function differenceOf(file: BackupFile, found: Content): string | null {
  if (found.bytes !== file.bytes)
    return `${file.path}: it has ${found.bytes} bytes instead of ${file.bytes}.`;
  return found.sha256 === file.sha256 ? null : `${file.path}: its content was changed.`;
}

/** Reads a file piece by piece to its end, however it grows meanwhile. */
async function readPieces(
  file: string,
  take: (piece: Buffer) => Promise<void> | void,
): Promise<Content> {
  const handle = await fs.open(file, "r");
  try {
    const hash: Hash = createHash("sha256");
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    for (let bytes = 0; ; ) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return { bytes, sha256: hash.digest("hex") };
      const piece = buffer.subarray(0, bytesRead);
      hash.update(piece);
      await take(piece);
      bytes += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

const hashFile = (file: string): Promise<Content> => readPieces(file, () => undefined);

/** Copies a file, which is on the disk when this returns. @returns what was copied */
export async function copyFile(from: string, to: string, mode = 0o600): Promise<Content> {
  await fs.mkdir(path.dirname(to), { recursive: true, mode: 0o700 });
  const target = await fs.open(to, "wx", mode);
  try {
    const content = await readPieces(from, async (piece) => {
      await target.writeFile(piece);
    });
    await target.sync();
    return content;
  } finally {
    await target.close();
  }
}

/** Writes a file of the backup. */
export async function addText(part: Part, name: string, text: string): Promise<void> {
  await writeDurably(path.join(part.directory, name), text);
  part.files.push({ path: name, bytes: Buffer.byteLength(text), sha256: sha256Hex(text) });
}

/** Copies a file into the backup. */
export async function addFile(part: Part, from: string, name: string): Promise<void> {
  const content = await copyFile(from, path.join(part.directory, name));
  part.files.push({ path: name, ...content });
}

export async function writeDurably(file: string, text: string, mode = 0o600): Promise<void> {
  await fs.mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const handle = await fs.open(file, "wx", mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function syncDirectory(directory: string): Promise<void> {
  const handle = await fs.open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncDirectories(directory: string): Promise<void> {
  for (const entry of await fs.readdir(directory, { withFileTypes: true }))
    if (entry.isDirectory()) await syncDirectories(path.join(directory, entry.name));
  await syncDirectory(directory);
}

export const exists = (file: string): Promise<boolean> =>
  fs.access(file).then(
    () => true,
    () => false,
  );
