import { createReadStream } from "node:fs";
import path from "node:path";
import { AppError } from "@/lib/errors";
import { parseInput } from "@/lib/http/parse-input";
import { findGuard, isExportedCsv } from "./exported-csv";
import { mappingSchema } from "./mapping";
import { proposeMapping } from "./propose-mapping";
import { openCsv } from "./read-csv";
import { chunksOf, type ImportFormat, unpack } from "./read-records";
import type { ImportSource, Recognition } from "./schema";

/** What a file is, told from its content alone. */

const START_BYTES = 65_536;
const SAMPLED_ROWS = 50;
/** Of our own CSV; the import itself looks through the rest. */
const GUARD_ROWS = 20_000;
const SAMPLES = 3;
const SAMPLE_LENGTH = 80;

/** @param start the file's first bytes, unpacked */
export function formatOf(start: string): ImportFormat {
  const text = start.replace(/^\uFEFF/, "").trimStart();
  if (/^\{\s*"Records"\s*:/.test(text)) return "cloudtrail";
  return /^[{[]/.test(text) ? "ndjson" : "csv";
}

/** @throws AppError invalid_request for a file that is no gzip although it begins as one */
async function startOf(file: string, signal: AbortSignal | undefined): Promise<string> {
  const source = createReadStream(file);
  let start = Buffer.alloc(0);
  try {
    for await (const chunk of chunksOf(unpack(source, file), file, signal)) {
      start = Buffer.concat([start, chunk]);
      if (start.length >= START_BYTES) break;
    }
  } finally {
    source.destroy();
  }
  return start.toString("utf8");
}

/**
 * @param fileName as people call it: a mapping that is proposed begins with it
 * @param told what somebody who knows better says; left out: it is found
 * @param signal ends the look at a file; after a time limit it is a problem of the file
 */
export async function recognise(
  file: string,
  fileName: string,
  told?: Recognition,
  signal?: AbortSignal,
): Promise<ImportSource> {
  const source: ImportSource = {
    ...{ format: told?.format ?? "csv", delimiter: told?.delimiter ?? null, problem: null },
    ...{ isOwn: false, guardLine: null, isWhole: true, columns: [], proposal: null },
  };
  try {
    if (!told) source.format = formatOf(await startOf(file, signal));
    return source.format === "csv"
      ? { ...source, ...(await csvSource(file, fileName, told, signal)) }
      : source;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { ...source, problem: error.message };
  }
}

async function csvSource(
  file: string,
  fileName: string,
  told: Recognition | undefined,
  signal: AbortSignal | undefined,
): Promise<Partial<ImportSource>> {
  const csv = await openCsv(file, told?.delimiter ?? undefined, signal);
  const { header, delimiter } = csv;
  try {
    if (isExportedCsv(header)) {
      let left = GUARD_ROWS;
      async function* first() {
        for await (const row of csv.rows) {
          if (left === 0) return;
          left -= 1;
          yield row;
        }
      }
      const guardLine = await findGuard({ ...csv, rows: first() });
      return { delimiter, isOwn: true, guardLine, isWhole: left > 0 };
    }
    const rows: (string | null)[][] = [];
    let looked = 0;
    for await (const { cells, problem } of csv.rows) {
      if (!problem) rows.push(cells);
      looked += 1;
      if (looked === SAMPLED_ROWS) break;
    }
    const columns = header.map((name, at) => ({
      name,
      samples: samplesOf(rows.map((cells) => cells[at] ?? "")),
    }));
    const name = path.parse(fileName.replace(/\.gz$/i, "")).name;
    const { mapping, notes } = proposeMapping(header, rows[0] ?? [], name);
    // A column that no mapping could name is said now.
    return { delimiter, columns, proposal: { mapping: parseInput(mappingSchema, mapping), notes } };
  } finally {
    csv.close();
  }
}

function samplesOf(cells: string[]): string[] {
  const found = [...new Set(cells.filter((cell) => cell.trim() !== ""))].slice(0, SAMPLES);
  return found.map((text) => {
    const cell = text.replaceAll("\0", "\uFFFD");
    return cell.length > SAMPLE_LENGTH ? `${cell.slice(0, SAMPLE_LENGTH).toWellFormed()}…` : cell;
  });
}
