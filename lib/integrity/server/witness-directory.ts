import fs from "node:fs";
import path from "node:path";
import type { Scope } from "@/lib/auth/scope";
import { parseCheckpoint } from "@/lib/chain/checkpoint";
import { splitNotes } from "@/lib/chain/note";
import { longPool } from "@/lib/db/pool";
import { getEnv } from "@/lib/env";

/**
 * A directory, best on another machine's disk, into which every checkpoint is written once it is stored: one
 * file per log, `<organization>.checkpoints`, signed notes one after another, only ever appended to. It is what
 * `trailseal verify --checkpoints` reads.
 */

/** Of a file's end: what a whole verification compares with, about 50,000 notes; and what one of the newest does. */
const TAIL_BYTES = 16_000_000;
const SHORT_TAIL_BYTES = 64_000;
const NOTES_AT_ONCE = 1_000;
const SIGNATURE = Buffer.from("\n— ");
const LINE_FEED = 10;

export interface Witness {
  /** Size of the newest checkpoint that is there; 0 for none. */
  size: number;
  /** When it was written; null for none. */
  writtenAt: string | null;
}

const directoryOf = () => getEnv().TRAILSEAL_WITNESS_DIR ?? null;
const fileOf = (directory: string, organizationId: string) =>
  path.join(directory, `${organizationId}.checkpoints`);

/** The whole notes at a file's end, and where they end. */
function readTail(
  file: string,
  tailBytes: number,
): { notes: string[]; end: number; writtenAt: string | null } {
  let handle: number;
  try {
    handle = fs.openSync(file, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return { notes: [], end: 0, writtenAt: null };
  }
  try {
    const { size, mtime } = fs.fstatSync(handle);
    const from = Math.max(0, size - tailBytes);
    const bytes = Buffer.alloc(size - from);
    fs.readSync(handle, bytes, 0, bytes.length, from);
    const end = endOfLastNote(bytes);
    const begin = from === 0 ? 0 : bytes.indexOf(LINE_FEED, bytes.indexOf(SIGNATURE) + 1) + 1;
    return {
      notes: splitNotes(bytes.toString("utf8", begin, end)),
      end: from + end,
      writtenAt: mtime.toISOString(),
    };
  } finally {
    fs.closeSync(handle);
  }
}

/** Behind the last whole signature line: a kill may have cut what follows it short. */
function endOfLastNote(bytes: Buffer): number {
  for (let at = bytes.lastIndexOf(SIGNATURE); at >= 0; at = bytes.lastIndexOf(SIGNATURE, at - 1)) {
    const end = bytes.indexOf(LINE_FEED, at + 1);
    if (end >= 0) return end + 1;
    if (at === 0) break;
  }
  return 0;
}

const sizeOf = (note: string | undefined) =>
  note ? parseCheckpoint(note.slice(0, note.lastIndexOf("\n\n") + 1)).size : 0;

/** Null where no directory is set. */
export function readWitness({ organizationId }: Scope): Witness | null {
  const directory = directoryOf();
  if (!directory) return null;
  const { notes, writtenAt } = readTail(fileOf(directory, organizationId), SHORT_TAIL_BYTES);
  return { size: sizeOf(notes.at(-1)), writtenAt };
}

/** The newest notes that were published, for a comparison with what is stored. */
export function readPublished({ organizationId }: Scope, isNewestOnly: boolean): string[] {
  const directory = directoryOf();
  const tailBytes = isNewestOnly ? SHORT_TAIL_BYTES : TAIL_BYTES;
  return directory ? readTail(fileOf(directory, organizationId), tailBytes).notes : [];
}

/**
 * Appends every stored checkpoint that is larger than the newest one there.
 * @returns how many were written
 * @throws Error of the file system: it is tried again, and nothing is passed over.
 */
export async function publishCheckpoints(organizationId: string): Promise<number> {
  const directory = directoryOf();
  if (!directory) return 0;
  const file = fileOf(directory, organizationId);
  const { notes, end } = readTail(file, SHORT_TAIL_BYTES);
  let last = sizeOf(notes.at(-1));
  let written = 0;
  fs.mkdirSync(directory, { recursive: true });
  const handle = fs.openSync(file, "a", 0o644);
  try {
    if (fs.fstatSync(handle).size > end) fs.ftruncateSync(handle, end);
    for (;;) {
      const { rows } = await longPool().query<{ tree_size: number; note: string }>(
        `SELECT c.tree_size, c.note FROM checkpoints c
         JOIN log_heads h ON h.organization_id = c.organization_id AND h.origin = c.origin
         WHERE c.organization_id = $1 AND c.tree_size > $2 ORDER BY c.tree_size LIMIT ${NOTES_AT_ONCE}`,
        [organizationId, last],
      );
      if (rows.length === 0) break;
      fs.writeSync(handle, rows.map(({ note }) => note).join(""));
      fs.fsyncSync(handle);
      written += rows.length;
      last = rows.at(-1)?.tree_size ?? last;
    }
  } finally {
    fs.closeSync(handle);
  }
  return written;
}

/** The newest checkpoint of every log. */
export async function newestCheckpoints(): Promise<Map<string, number>> {
  const { rows } = await longPool().query<{ organization_id: string; size: number }>(
    `SELECT h.organization_id, c.size FROM log_heads h
     CROSS JOIN LATERAL (SELECT max(tree_size) AS size FROM checkpoints c
       WHERE c.organization_id = h.organization_id AND c.origin = h.origin) c
     WHERE c.size IS NOT NULL`,
  );
  return new Map(rows.map((row) => [row.organization_id, row.size]));
}
