import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { createGunzip } from "node:zlib";
import { z } from "zod";

export const importFormats = ["cloudtrail", "ndjson"] as const;
export type ImportFormat = (typeof importFormats)[number];

/** One record of a file, before anybody looked into it. */
export interface RawRecord {
  /** Line (NDJSON) or position in the file (CloudTrail), from 1. */
  number: number;
  /** The text when it is not JSON. */
  value: unknown;
  problem: string | null;
}

function open(file: string): NodeJS.ReadableStream {
  const stream = createReadStream(file);
  return file.endsWith(".gz") ? stream.pipe(createGunzip()) : stream;
}

const cloudTrailFile = z.object({ Records: z.array(z.unknown()) });

/** `{"Records": […]}`, as CloudTrail delivers files. @throws Error when the file is not one. */
async function* cloudTrailRecords(file: string): AsyncGenerator<RawRecord> {
  let content: unknown;
  try {
    content = JSON.parse(await text(open(file)));
  } catch (error) {
    throw new Error(`${file} is not JSON: ${(error as Error).message}`);
  }
  const parsed = cloudTrailFile.safeParse(content);
  if (!parsed.success)
    throw new Error(`${file} is not a CloudTrail log file: it has no list of Records`);
  let number = 0;
  for (const value of parsed.data.Records) yield { number: ++number, value, problem: null };
}

/** One JSON document a line; empty lines are passed over. */
async function* ndjsonRecords(file: string): AsyncGenerator<RawRecord> {
  const lines = createInterface({ input: open(file), crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  for await (const line of lines) {
    number += 1;
    const trimmed = number === 1 ? line.replace(/^\uFEFF/, "").trim() : line.trim();
    if (trimmed === "") continue;
    let record: RawRecord;
    try {
      record = { number, value: JSON.parse(trimmed), problem: null };
    } catch (error) {
      record = { number, value: trimmed, problem: `not valid JSON: ${(error as Error).message}` };
    }
    yield record;
  }
}

/** The records of a file, plain or `.gz`. @throws Error when the file cannot be read as the format. */
export function readRecords(file: string, format: ImportFormat): AsyncGenerator<RawRecord> {
  return format === "cloudtrail" ? cloudTrailRecords(file) : ndjsonRecords(file);
}
