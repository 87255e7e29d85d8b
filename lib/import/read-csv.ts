import { createReadStream } from "node:fs";
import { finished } from "node:stream";
import { type CsvError, type Options, parse } from "csv-parse";
import { parse as parseSync } from "csv-parse/sync";
import { AppError } from "@/lib/errors";
import { type DelimiterName, delimiterNames, delimiters } from "./delimiters";
import { chunksOf, MAX_RECORD_BYTES, unpack } from "./read-records";

/** An unquoted empty cell is null, a quoted one the empty text: PostgreSQL's own distinction. */
export type Cell = string | null;

interface CsvRow {
  /** Line of the file at which the row begins, from 1. */
  number: number;
  /** As many as the header has, unless there is a problem. */
  cells: Cell[];
  problem: string | null;
}

export interface CsvFile {
  header: string[];
  delimiter: DelimiterName;
  rows: AsyncGenerator<CsvRow>;
  /** Bytes of the file, as it lies on disk, that were read so far. */
  bytesRead(): number;
  /** Closes a file that is not read to its end. */
  close(): void;
}

/** No event takes as much as that; for each cell, csv-parse copies what it read of the row. */
const MAX_CELLS = 1_000;
const TOO_MANY_CELLS = "TOO_MANY_CELLS";
const UTF8_BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const AGAIN =
  "Rows after it were not read. Repair it and import the file again: nothing is stored twice.";

/**
 * Cells are read as bytes and decoded one by one, so that a cell in another encoding rejects its row only.
 */
const OPTIONS = {
  encoding: "latin1",
  raw: true,
  relax_column_count: true,
  // Skipped by csv-parse, they would pile up in the `raw` of the next row.
  skip_empty_lines: false,
  max_record_size: MAX_RECORD_BYTES,
  record_delimiter: ["\r\n", "\n", "\r"],
  cast: (cell, { quoting, index }) => {
    if (index === MAX_CELLS) throw Object.assign(new Error(), { code: TOO_MANY_CELLS });
    return cell === "" && !quoting ? null : cell;
  },
} satisfies Options;

/** What csv-parse hands over with `raw`, which its types do not tell. */
interface ParsedRow {
  record: Cell[];
  raw: string;
}

/**
 * A CSV file (RFC 4180), plain or `.gz`, UTF-8 with or without byte order mark; the separator is the one of
 * comma, semicolon and tab that the header has most of, unless it is given.
 * @throws AppError invalid_request when there is no header to go by.
 */
export async function openCsv(
  file: string,
  delimiter?: DelimiterName,
  signal?: AbortSignal,
): Promise<CsvFile> {
  const source = createReadStream(file);
  const content = chunksOf(unpack(source, file), file, signal);
  try {
    const start = await readStart(file, content);
    const found = delimiter ?? findDelimiter(start);
    const rows = rowsOf(start, content, delimiters[found]);
    const first = await rows.next();
    const header = first.done ? null : headerOf(file, first.value);
    if (!header) throw unusable(file, "it is empty: a CSV file begins with a row of column names.");
    return {
      header,
      delimiter: found,
      rows: fitting(rows, header.length),
      bytesRead: () => source.bytesRead,
      close: () => source.destroy(),
    };
  } catch (error) {
    source.destroy();
    throw error;
  }
}

const unusable = (file: string, why: string) =>
  new AppError("invalid_request", `${file} cannot be imported: ${why}`);

/** The file's beginning, to its first line end at least, without the byte order mark. */
async function readStart(file: string, content: AsyncGenerator<Buffer>): Promise<Buffer> {
  let start = Buffer.alloc(0);
  while (
    start.length < 4 ||
    (!/[\r\n]/.test(start.toString("latin1")) && start.length < MAX_RECORD_BYTES)
  ) {
    const { value, done } = await content.next();
    if (done) break;
    start = Buffer.concat([start, value]);
  }
  const mark = start.subarray(0, 2).toString("hex");
  if (mark === "fffe" || mark === "feff")
    throw unusable(file, "it is UTF-16: save it as UTF-8 (“CSV UTF-8” in a spreadsheet) first.");
  if (start.subarray(0, 3).equals(UTF8_BOM)) start = start.subarray(3);
  return start;
}

function findDelimiter(start: Buffer): DelimiterName {
  const count = (separator: string) => {
    try {
      const [header] = parseSync(start, {
        delimiter: separator,
        to: 1,
        encoding: "latin1",
        relax_quotes: true,
        relax_column_count: true,
        skip_empty_lines: true,
      });
      return header?.length ?? 0;
    } catch {
      return 0;
    }
  };
  const counts = delimiterNames.map((name) => ({ name, columns: count(delimiters[name]) }));
  return counts.reduce((best, each) => (each.columns > best.columns ? each : best)).name;
}

function headerOf(file: string, { cells, problem }: CsvRow): string[] {
  if (problem) throw unusable(file, `its row of column names cannot be read: ${problem}`);
  const names = cells.map((cell) => (cell ?? "").trim());
  if (names.some((name) => name.includes("\0")))
    throw unusable(file, "a NUL byte is in its first row: it is no text.");
  const nameless = names.indexOf("");
  if (nameless !== -1) throw unusable(file, `column ${nameless + 1} has no name in the first row.`);
  const known = new Set<string>();
  const twice = names.find((name) => known.size === known.add(name).size);
  if (twice !== undefined)
    throw unusable(file, `two columns are named “${twice}”: give each a name of its own.`);
  return names;
}

/**
 * Rows are taken from the parser as it finds them, not from its stream: that would drop those it still holds
 * when one behind them is malformed.
 */
async function* rowsOf(
  start: Buffer,
  content: AsyncGenerator<Buffer>,
  separator: string,
): AsyncGenerator<CsvRow> {
  let number = 1;
  let found: CsvRow[] = [];
  const keep = ({ record, raw }: ParsedRow) => {
    const isEmptyLine = record.length === 1 && record[0] === null;
    if (!isEmptyLine) found.push(decodeRow(number, record));
    number += lineEnds(raw);
    return null;
  };
  const parser = parse({
    ...OPTIONS,
    delimiter: separator,
    on_record: keep as unknown as NonNullable<Options["on_record"]>,
  });
  parser.on("error", () => undefined);
  parser.resume();
  const take = () => {
    const rows = found;
    found = [];
    return rows;
  };
  const feed = (chunk: Buffer | null) =>
    new Promise<Error | null>((resolve) => {
      const done = (error?: Error | null) => resolve(error ?? null);
      if (chunk) return parser.write(chunk, done);
      finished(parser, done);
      return parser.end();
    });
  async function* chunks(): AsyncGenerator<Buffer | null> {
    yield start;
    yield* content;
    yield null;
  }
  for await (const chunk of chunks()) {
    const error = await feed(chunk);
    yield* take();
    if (!error) continue;
    const problem = syntaxProblem(error as CsvError);
    if (!problem) throw error;
    yield { number, cells: [], problem };
    return;
  }
}

const lineEnds = (text: string) => text.match(/\r\n|\n|\r/g)?.length ?? 0;

function syntaxProblem({
  code,
}: {
  code: CsvError["code"] | typeof TOO_MANY_CELLS;
}): string | null {
  switch (code) {
    case "CSV_QUOTE_NOT_CLOSED":
      return `a quote (") that opens in this row is never closed. ${AGAIN}`;
    case "CSV_INVALID_CLOSING_QUOTE":
      return `text follows a closing quote ("); a quote inside a cell has to be doubled (""). ${AGAIN}`;
    case "INVALID_OPENING_QUOTE":
      return `a quote (") stands inside a cell that is not quoted: quote the cell and double the quote. ${AGAIN}`;
    case TOO_MANY_CELLS:
      return `the row has more than ${MAX_CELLS} cells: look for another separator or a missing line end, or leave out columns that no event needs. ${AGAIN}`;
    case "CSV_MAX_RECORD_SIZE":
      return `the row is longer than ${MAX_RECORD_BYTES} bytes: not one event, or a quote (") is never closed. ${AGAIN}`;
    default:
      return null;
  }
}

function decodeRow(number: number, bytes: Cell[]): CsvRow {
  try {
    const decode = (cell: string) =>
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
        Buffer.from(cell, "latin1"),
      );
    return { number, cells: bytes.map((cell) => cell && decode(cell)), problem: null };
  } catch {
    const problem = "not valid UTF-8: save the file as UTF-8 and import it again";
    return { number, cells: bytes, problem };
  }
}

async function* fitting(rows: AsyncGenerator<CsvRow>, columns: number): AsyncGenerator<CsvRow> {
  for await (const row of rows) {
    const { cells } = row;
    const problem =
      row.problem ??
      (cells.length === columns
        ? null
        : `${cells.length} cells where the first row names ${columns} columns: look for a missing quote or separator`);
    yield { ...row, problem };
  }
}
