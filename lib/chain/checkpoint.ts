import { decodeBase64, encodeBase64 } from "./base64";
import { type NoteKey, openNote } from "./note";
import { assertHash } from "./sha256";

/** The state of a log at one size (C2SP tlog-checkpoint), always three lines. */
export interface Checkpoint {
  origin: string;
  size: number;
  root: Buffer;
}

/** The text that a checkpoint's note signs. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  if (origin === "" || origin.includes("\n")) throw new RangeError("an origin is one line");
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`${size} is not a tree size`);
  assertHash(root, "a checkpoint's root");
  return `${origin}\n${size}\n${encodeBase64(root)}\n`;
}

/** @throws RangeError unless the text is exactly what formatCheckpoint writes. */
export function parseCheckpoint(text: string): Checkpoint {
  const match = /^([^\n]+)\n(0|[1-9]\d*)\n([^\n]+)\n$/.exec(text);
  if (!match) throw new RangeError("a checkpoint has three lines: origin, size, root");
  const checkpoint = {
    origin: match[1] as string,
    size: Number(match[2]),
    root: decodeBase64(match[3] as string),
  };
  formatCheckpoint(checkpoint);
  return checkpoint;
}

/** What a note says, its signatures unseen. @throws RangeError as parseCheckpoint */
export function claimedCheckpoint(note: string): Checkpoint {
  return parseCheckpoint(note.slice(0, note.lastIndexOf("\n\n") + 1));
}

/**
 * Whether a log's `later` origin is `origin` or that of a later epoch: `<first origin>/e<number>`, from 2 on.
 */
export function isSameOrLaterEpoch(later: string, origin: string): boolean {
  if (later === origin || /^\/e([2-9]|[1-9]\d+)$/.test(tailOf(later, origin))) return true;
  const [, first, number] = /^(.+)\/e(\d+)$/.exec(origin) ?? [];
  const tail = first ? /^\/e(\d+)$/.exec(tailOf(later, first)) : null;
  return tail !== null && Number(tail[1]) > Number(number);
}

const tailOf = (text: string, start: string) =>
  text.startsWith(start) ? text.slice(start.length) : "";

/**
 * A checkpoint of the log `origin` under a trusted key of that very name.
 *
 * @throws NoteError, RangeError when the note is not one, or is another log's.
 */
export function openCheckpoint(
  note: string,
  origin: string,
  trusted: readonly NoteKey[],
): Checkpoint {
  const named = trusted.filter(({ name }) => name === origin);
  const checkpoint = parseCheckpoint(openNote(note, named).text);
  if (checkpoint.origin !== origin) throw new RangeError("the checkpoint is another log's");
  return checkpoint;
}
