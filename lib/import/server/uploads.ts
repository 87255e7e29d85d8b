import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { getEnv } from "@/lib/env";
import { AppError } from "@/lib/errors";
import { hasBucket, openObject, putFile, removeObject } from "@/lib/exports/server/bucket";
import { hasRoom } from "../free-room";

/** Where uploaded files and rejected records lie, each readable by the server's own user alone. */
function importDirectory(): string {
  const { TRAILSEAL_IMPORT_DIR: directory, TRAILSEAL_DATA_DIR: data } = getEnv();
  return directory ? path.resolve(directory) : path.join(data, "imports");
}

export interface Upload {
  id: string;
  /** gzip. */
  packed: boolean;
}

const uploadName = ({ id, packed }: Upload) => `${id}.upload${packed ? ".gz" : ""}`;
const rejectsName = (id: string, attempt: number) => `${id}.${attempt}.rejects`;
const inDirectory = (name: string) => path.join(importDirectory(), name);
const partOf = (file: string) => `${file}.part`;

export const rejectsFile = (id: string, attempt: number) => inDirectory(rejectsName(id, attempt));

const inUnits = (bytes: number) =>
  bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;

const tooLarge = (maxBytes: number) =>
  new AppError(
    "too_large",
    `The file is larger than ${inUnits(maxBytes)}, the most that this server takes. Pack it with gzip, split it, import it with the command line, or have TRAILSEAL_IMPORT_MAX_BYTES raised.`,
  );

const noRoom = () =>
  new AppError(
    "unavailable",
    "There is not enough room on the server's disk for this file. Have some freed, or pack the file with gzip.",
  );

const isFull = (error: unknown) =>
  ["ENOSPC", "EDQUOT"].includes(String((error as { code?: unknown }).code));

/** Uploads that this process takes at once, of an organization and in all. */
const AT_ONCE = { organization: 3, process: 12 };
const underWay: string[] = [];

/** Counts an upload in. @returns counts it out again. @throws AppError rate_limited when too many are under way */
export function enterUploads(organizationId: string): () => void {
  const own = underWay.filter((id) => id === organizationId).length;
  if (own >= AT_ONCE.organization || underWay.length >= AT_ONCE.process)
    throw new AppError(
      "rate_limited",
      "Other files are being uploaded just now: wait for one to arrive, then try again.",
      { retryAfterS: 60 },
    );
  underWay.push(organizationId);
  return () => {
    underWay.splice(underWay.indexOf(organizationId), 1);
  };
}

/** How much comes in before the disk is looked at again: other files grow meanwhile. */
const LOOK_BYTES = 67_108_864;

/**
 * Streams a file to the disk, and to the bucket where there is one.
 * @param declaredBytes null: only its end tells
 * @returns what came: bytes, their SHA-256, and whether they are gzip.
 * @throws AppError too_large, unavailable without room on the disk; whatever `content` failed with
 */
export async function receive(
  id: string,
  content: Readable,
  declaredBytes: number | null,
): Promise<Upload & { bytes: number; sha256: Buffer }> {
  const { TRAILSEAL_IMPORT_MAX_BYTES: maxBytes } = getEnv();
  if ((declaredBytes ?? 0) > maxBytes) throw tooLarge(maxBytes);
  await mkdir(importDirectory(), { recursive: true, mode: 0o700 });
  if (!(await hasRoom(importDirectory(), declaredBytes ?? 0))) throw noRoom();
  const part = partOf(inDirectory(uploadName({ id, packed: false })));
  let file = part;
  const hash = createHash("sha256");
  let bytes = 0;
  let lookAt = LOOK_BYTES;
  let start = Buffer.alloc(0);
  try {
    await pipeline(
      content,
      async function* (chunks: AsyncIterable<Buffer>) {
        for await (const chunk of chunks) {
          bytes += chunk.length;
          if (bytes > maxBytes) throw tooLarge(maxBytes);
          if (bytes >= lookAt) {
            lookAt = bytes + LOOK_BYTES;
            if (!(await hasRoom(importDirectory(), 0))) throw noRoom();
          }
          if (start.length < 2) start = Buffer.concat([start, chunk.subarray(0, 2)]);
          hash.update(chunk);
          yield chunk;
        }
      },
      createWriteStream(part, { flags: "wx", mode: 0o600, flush: true }),
    );
    if (declaredBytes !== null && bytes !== declaredBytes)
      throw new AppError("invalid_request", "The upload ended before the file did. Try again.");
    const upload = { id, packed: start[0] === 0x1f && start[1] === 0x8b };
    file = inDirectory(uploadName(upload));
    await rename(part, file);
    if (hasBucket()) await putFile(uploadName(upload), file);
    return { ...upload, bytes, sha256: hash.digest() };
  } catch (error) {
    for (const left of [part, file]) await rm(left, { force: true });
    throw isFull(error) ? noRoom() : error;
  }
}

const isMissing = (error: unknown) => (error as { code?: unknown }).code === "ENOENT";

/**
 * The uploaded file on this host; from the bucket where it came in by another one.
 * @throws AppError not_found when it is nowhere to be had
 */
export async function localUpload(upload: Upload): Promise<string> {
  const file = inDirectory(uploadName(upload));
  try {
    await stat(file);
    return file;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const object = hasBucket() ? await openObject(uploadName(upload)) : null;
  if (!object)
    throw new AppError(
      "not_found",
      "The uploaded file is not on this server any more: upload it again.",
    );
  await mkdir(importDirectory(), { recursive: true, mode: 0o700 });
  const part = `${partOf(file)}.${process.pid}`;
  try {
    await pipeline(object, createWriteStream(part, { mode: 0o600 }));
    await rename(part, file);
  } finally {
    await rm(part, { force: true });
  }
  return file;
}

async function remove(name: string): Promise<void> {
  for (const file of [inDirectory(name), partOf(inDirectory(name))])
    await rm(file, { force: true });
  if (hasBucket()) await removeObject(name);
}

export const removeUpload = (upload: Upload) => remove(uploadName(upload));
export const removeRejects = (id: string, attempt: number) => remove(rejectsName(id, attempt));

/** Puts rejected records where every host finds them. @returns whether there are any */
export async function publishRejects(id: string, attempt: number): Promise<boolean> {
  const file = rejectsFile(id, attempt);
  try {
    await stat(file);
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
  if (hasBucket()) {
    await putFile(rejectsName(id, attempt), file);
    await rm(file);
  }
  return true;
}

/** @returns null where they are not, or not on this host */
export async function openRejectsFile(id: string, attempt: number): Promise<Readable | null> {
  try {
    return (await open(rejectsFile(id, attempt))).createReadStream();
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return hasBucket() ? openObject(rejectsName(id, attempt)) : null;
}

/** Files in this host's directory that nobody has written to for so long, by the import they belong to. */
export async function filesOlderThan(
  ms: number,
): Promise<{ name: string; id: string; attempt: number | null }[]> {
  let names: string[];
  try {
    names = await readdir(importDirectory());
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  const old: { name: string; id: string; attempt: number | null }[] = [];
  for (const name of names) {
    const match = /^(import_[0-9A-Z]{26})\.(?:(\d+)\.rejects|upload)/.exec(name);
    const found = match && (await stat(inDirectory(name)).catch(() => null));
    if (!match || !found || Date.now() - found.mtimeMs < ms) continue;
    old.push({ name, id: match[1] as string, attempt: match[2] ? Number(match[2]) : null });
  }
  return old;
}

export const removeLocal = (name: string) => rm(inDirectory(name), { force: true });
