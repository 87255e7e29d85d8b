import { createReadStream, type ReadStream } from "node:fs";
import { pipeline, type Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { z } from "zod";
import { AppError } from "@/lib/errors";

export const importFormats = ["cloudtrail", "ndjson", "csv"] as const;
export type ImportFormat = (typeof importFormats)[number];
/** Formats whose records stand alone; a row of CSV needs its header. */
export type RecordFormat = Exclude<ImportFormat, "csv">;

/** Longest line or row that is looked into: sixteen times the largest event, whatever its escapes and spaces. */
export const MAX_RECORD_BYTES = 1_048_576;
/** Largest CloudTrail file, unpacked, that is held in memory; AWS writes them far smaller. */
const MAX_CLOUDTRAIL_BYTES = 67_108_864;
/** Its values at most: each takes memory beside its text, however short that is. Records have one in some 30 bytes. */
const MAX_CLOUDTRAIL_VALUES = 6_000_000;
/** Of a file, whatever it holds. */
const MAX_UNPACKED_BYTES = 53_687_091_200;
const LINE_FEED = 0x0a;
const [COMMA, OPEN_BRACKET, OPEN_BRACE] = [0x2c, 0x5b, 0x7b];

/** One record of a file, before anybody looked into it. */
export interface RawRecord {
  /** Line (NDJSON) or position in the file (CloudTrail), from 1. */
  number: number;
  /** The text when it is not JSON; null when it is not even text. */
  value: unknown;
  problem: string | null;
}

export interface RecordFile {
  records: AsyncGenerator<RawRecord>;
  /** Bytes of the file, as it lies on disk, that were read so far. */
  bytesRead(): number;
  /** Closes a file that is not read to its end. */
  close(): void;
}

/** The records of a file, plain or `.gz`. Iterating throws when it cannot be read as the format. */
export function openRecords(file: string, format: RecordFormat, signal?: AbortSignal): RecordFile {
  const source = createReadStream(file);
  const content = chunksOf(unpack(source, file), file, signal);
  return {
    records: format === "cloudtrail" ? cloudTrailRecords(content) : ndjsonRecords(content),
    bytesRead: () => source.bytesRead,
    close: () => source.destroy(),
  };
}

export function unpack(source: ReadStream, file: string): Readable {
  if (!file.endsWith(".gz")) return source;
  // Unlike pipe(), hands the source's error to whoever reads.
  return pipeline(source, createGunzip(), () => undefined);
}

/**
 * @param signal ends it between two chunks with its reason, however long no record comes out of them
 * @throws AppError when the file cannot be read, unpacks to more than any log, or is looked at for too long
 */
export async function* chunksOf(
  content: Readable,
  file: string,
  signal?: AbortSignal,
): AsyncGenerator<Buffer> {
  let bytes = 0;
  try {
    for await (const chunk of content as AsyncIterable<Buffer>) {
      if (signal?.aborted) break;
      bytes += chunk.length;
      if (bytes > MAX_UNPACKED_BYTES) break;
      yield chunk;
    }
  } catch (error) {
    throw new AppError("invalid_request", `${file} cannot be read: ${(error as Error).message}`);
  }
  if (bytes > MAX_UNPACKED_BYTES)
    throw new AppError(
      "too_large",
      `${file} has more than ${MAX_UNPACKED_BYTES / 1_073_741_824} GiB unpacked: split it, and import the parts one after the other.`,
    );
  if (signal?.aborted && (signal.reason as Error).name === "TimeoutError")
    throw new AppError(
      "invalid_request",
      `${file} has no row within the time that a look at it may take: remove the empty lines it begins with.`,
    );
  signal?.throwIfAborted();
}

/** @throws TypeError for bytes that are not UTF-8: replaced, they would be another event. */
function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

const cloudTrailFile = z.object({ Records: z.array(z.unknown()) });

/** What is given, or null as soon as it is more. */
async function bounded(content: AsyncIterable<Buffer>, most: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of content) {
    size += chunk.length;
    if (size > most) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Whether a file, plain or `.gz`, has more bytes than that unpacked. @throws AppError when it cannot be read */
export async function isLarger(file: string, bytes: number): Promise<boolean> {
  const source = createReadStream(file);
  return (await bounded(chunksOf(unpack(source, file), file), bytes)) === null;
}

/** Counts what stands before each value of JSON; in texts, too, so that it errs on the side of more. */
function hasMoreValues(json: Buffer, most: number): boolean {
  let values = 0;
  for (const byte of json) {
    if (byte === COMMA || byte === OPEN_BRACE || byte === OPEN_BRACKET) values += 1;
    if (values > most) return true;
  }
  return false;
}

/**
 * `{"Records": […]}`, as CloudTrail delivers files. A file that is something else is one rejected record of
 * number 0: among many files it must not stop the others.
 */
async function* cloudTrailRecords(content: AsyncIterable<Buffer>): AsyncGenerator<RawRecord> {
  const bytes = await bounded(content, MAX_CLOUDTRAIL_BYTES);
  if (!bytes) {
    const problem = `the file has more than ${MAX_CLOUDTRAIL_BYTES / 1_048_576} MiB unpacked, and a CloudTrail file is read as a whole: split it, or write its records one a line as NDJSON events`;
    yield { number: 0, value: null, problem };
    return;
  }
  if (hasMoreValues(bytes, MAX_CLOUDTRAIL_VALUES)) {
    const problem = `the file has more than ${MAX_CLOUDTRAIL_VALUES} values, and a CloudTrail file is read as a whole: split it, or write its records one a line as NDJSON events`;
    yield { number: 0, value: null, problem };
    return;
  }
  let parsed: ReturnType<typeof cloudTrailFile.safeParse>;
  try {
    parsed = cloudTrailFile.safeParse(JSON.parse(decode(bytes)));
  } catch (error) {
    yield { number: 0, value: null, problem: `the file is not JSON: ${(error as Error).message}` };
    return;
  }
  if (!parsed.success) {
    yield { number: 0, value: null, problem: "the file has no list of Records" };
    return;
  }
  let number = 0;
  for (const value of parsed.data.Records) yield { number: ++number, value, problem: null };
}

/** One JSON document a line; empty lines are passed over. */
async function* ndjsonRecords(content: AsyncIterable<Buffer>): AsyncGenerator<RawRecord> {
  let number = 0;
  for await (const line of linesOf(content)) {
    number += 1;
    const record = parseLine(number, line);
    if (record) yield record;
  }
}

function parseLine(number: number, line: Buffer | null): RawRecord | null {
  if (!line)
    return { number, value: null, problem: `longer than ${MAX_RECORD_BYTES} bytes: not one event` };
  let text: string;
  try {
    text = decode(line).trim();
  } catch {
    return { number, value: null, problem: "not valid UTF-8" };
  }
  if (text === "") return null;
  try {
    return { number, value: JSON.parse(text), problem: null };
  } catch (error) {
    return { number, value: text, problem: `not valid JSON: ${(error as Error).message}` };
  }
}

/** Lines without their line feed; null for one that is too long to hold. */
async function* linesOf(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer | null> {
  let parts: Buffer[] = [];
  let length = 0;
  const add = (part: Buffer) => {
    length += part.length;
    if (length > MAX_RECORD_BYTES) parts = [];
    else if (part.length > 0) parts.push(part);
  };
  const take = () => {
    const line = length > MAX_RECORD_BYTES ? null : Buffer.concat(parts);
    parts = [];
    length = 0;
    return line;
  };
  for await (const chunk of content) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      add(chunk.subarray(start, end));
      yield take();
      start = end + 1;
    }
    add(chunk.subarray(start));
  }
  if (length > 0) yield take();
}
