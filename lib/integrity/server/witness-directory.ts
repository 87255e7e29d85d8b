import fs from "node:fs";
import path from "node:path";
import { claimedCheckpoint } from "@/lib/chain/checkpoint";
import { splitNotes } from "@/lib/chain/note";
import { getEnv } from "@/lib/env";
import { storedNotes, type Witness } from "./witness";

/**
 * A directory, best on another machine's disk: one file per log, `<organization>.checkpoints`, signed notes one
 * after another, only ever appended to; its end is the cursor. It is what `trailseal verify --checkpoints` reads.
 */

/** Of a file's end: what a whole verification compares with, about 50,000 notes; and what one of the newest does. */
const TAIL_BYTES = 16_000_000;
const SHORT_TAIL_BYTES = 64_000;
const NOTES_AT_ONCE = 1_000;
const SIGNATURE = Buffer.from("\n— ");
const LINE_FEED = 10;

/** Null where none is set up. */
export function directoryWitness(): Witness | null {
  const directory = getEnv().TRAILSEAL_WITNESS_DIR;
  if (!directory) return null;
  const fileOf = (log: string) => path.join(directory, `${log}.checkpoints`);
  return {
    kind: "directory",
    async publish({ organizationId, origin }) {
      const file = fileOf(organizationId);
      const { notes, end } = readTail(file, SHORT_TAIL_BYTES);
      const newest = notes.at(-1);
      // Of an earlier epoch: this one's begin after it.
      let last = newest?.startsWith(`${origin}\n`) ? claimedCheckpoint(newest).size : 0;
      fs.mkdirSync(directory, { recursive: true });
      const handle = fs.openSync(file, "a", 0o644);
      try {
        if (fs.fstatSync(handle).size > end) fs.ftruncateSync(handle, end);
        for (;;) {
          const fresh = await storedNotes(
            { organizationId, origin },
            { from: last, limit: NOTES_AT_ONCE },
          );
          if (fresh.length === 0) return last;
          fs.writeSync(handle, fresh.map(({ note }) => note).join(""));
          fs.fsyncSync(handle);
          last = fresh.at(-1)?.size ?? last;
        }
      } finally {
        fs.closeSync(handle);
      }
    },
    async read(organizationId, _origins, isNewestOnly) {
      const bytes = isNewestOnly ? SHORT_TAIL_BYTES : TAIL_BYTES;
      return { notes: readTail(fileOf(organizationId), bytes).notes, gaps: [] };
    },
  };
}

/** The whole notes at a file's end, and where they end. */
function readTail(file: string, tailBytes: number): { notes: string[]; end: number } {
  let handle: number;
  try {
    handle = fs.openSync(file, "r");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    return { notes: [], end: 0 };
  }
  try {
    const { size } = fs.fstatSync(handle);
    const from = Math.max(0, size - tailBytes);
    const bytes = Buffer.alloc(size - from);
    fs.readSync(handle, bytes, 0, bytes.length, from);
    const end = endOfLastNote(bytes);
    const begin = from === 0 ? 0 : bytes.indexOf(LINE_FEED, bytes.indexOf(SIGNATURE) + 1) + 1;
    return { notes: splitNotes(bytes.toString("utf8", begin, end)), end: from + end };
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
