import { AppError } from "@/lib/errors";
import { parseImportedEvent } from "@/lib/events/schema";
import type { ImportItem } from "@/lib/events/server/ingest";
import { mapCloudTrailRecord } from "./cloudtrail";
import type { DelimiterName } from "./delimiters";
import { findGuard, fromExportedRow, isExportedCsv } from "./exported-csv";
import {
  columnsByField,
  type Mapping,
  MappingProblem,
  missingColumns,
  overwrittenColumns,
  rowMapper,
} from "./mapping";
import { type CsvFile, openCsv } from "./read-csv";
import { type ImportFormat, openRecords, type RawRecord } from "./read-records";

/** Records of a file as events that could be stored, or why not. */

export interface Reason {
  /** The column of a CSV file it is about. */
  column: string | null;
  /** What is wrong and what to do, as a sentence without its column. */
  cause: string;
}

/** An event to be stored; `ownId` is the id it has in this very log, if it came from there. */
type Converted =
  | { ok: true; item: ImportItem; ownId: string | null }
  | { ok: false; reasons: Reason[] };

interface Candidate {
  /** Line, or position in a CloudTrail file, from 1. */
  number: number;
  record: unknown;
  converted: Converted;
}

export interface Candidates {
  rows: AsyncGenerator<Candidate>;
  bytesRead(): number;
  close(): void;
}

export interface CandidateOptions {
  format: ImportFormat;
  /** CSV: found, when left out. */
  delimiter?: DelimiterName | undefined;
  /** CSV of another system; left out: our own. */
  mapping?: Mapping | undefined;
  /** Our own CSV with apostrophes before formulas: refused when left out. */
  guard?: "strip" | "keep" | undefined;
  /** What findGuard says of the file, where somebody asked it before. */
  guardLine?: number | null | undefined;
  /** Ends the reading of a file, also while no record comes out of it. */
  signal?: AbortSignal | undefined;
}

/** What a log writes beside an event; another log writes its own. */
const RECORDED_MEMBERS = ["seq", "recorded_at", "chain_hash", "previous_hash"];

/**
 * @param ignored takes the names of members that were passed over
 * @throws AppError invalid_request when the file as a whole cannot be imported this way.
 */
export async function openCandidates(
  file: string,
  options: CandidateOptions,
  organizationId: string,
  ignored: Set<string>,
): Promise<Candidates> {
  const { format } = options;
  if (format === "csv") return openCsvCandidates(file, options, organizationId, ignored);
  const { records, bytesRead, close } = openRecords(file, format, options.signal);
  const convert = (raw: RawRecord): Converted => {
    if (raw.problem) return refuse(raw.problem);
    return format === "ndjson"
      ? fromNdjson(raw.value, organizationId, ignored)
      : attempt(() => {
          const { event, sourceId } = mapCloudTrailRecord(raw.value);
          return accept(event, { format, sourceId });
        });
  };
  async function* rows(): AsyncGenerator<Candidate> {
    for await (const raw of records)
      yield { number: raw.number, record: raw.value, converted: convert(raw) };
  }
  return { rows: rows(), bytesRead, close };
}

async function openCsvCandidates(
  file: string,
  options: CandidateOptions,
  organizationId: string,
  ignored: Set<string>,
): Promise<Candidates> {
  const { delimiter, mapping, signal } = options;
  const csv = await openCsv(file, delimiter, signal);
  try {
    const convert = mapping
      ? mappedConverter(file, mapping, csv.header)
      : await exportedConverter(file, csv, { ...options, organizationId, ignored });
    return { rows: csvCandidates(csv, convert), bytesRead: csv.bytesRead, close: csv.close };
  } catch (error) {
    csv.close();
    throw error;
  }
}

type RowConverter = (cells: (string | null)[]) => Converted;

async function* csvCandidates(csv: CsvFile, convert: RowConverter): AsyncGenerator<Candidate> {
  for await (const { number, cells, problem } of csv.rows) {
    const record = problem
      ? cells
      : Object.fromEntries(csv.header.map((name, at) => [name, cells[at] ?? null]));
    yield { number, record, converted: problem ? refuse(problem) : convert(cells) };
  }
}

async function exportedConverter(
  file: string,
  { header }: CsvFile,
  options: Omit<CandidateOptions, "format"> & { organizationId: string; ignored: Set<string> },
): Promise<RowConverter> {
  const { guard, organizationId, ignored } = options;
  if (!isExportedCsv(header))
    throw new AppError(
      "invalid_request",
      `${file} is not an export of Trailseal: name a mapping for its columns (${header.join(", ")}).`,
    );
  const line = guard === "keep" ? null : await guardLineOf(file, options);
  if (guard === undefined) {
    if (line !== null)
      throw new AppError(
        "invalid_request",
        `${file} was made for spreadsheets: the row at line ${line} has an apostrophe before a formula sign, which the event may not have had. Export it again with raw=1, or say that the apostrophes are taken off (--accept-guarded), or kept (--keep-apostrophes) if they are the events' own.`,
      );
  }
  for (const name of ["organization_id", "seq", "recorded_at", "chain_hash"]) ignored.add(name);
  const organization = header.indexOf("organization_id");
  return (cells) =>
    attempt(() => {
      // A file without one was made raw: its apostrophes are the events' own.
      const event = fromExportedRow(header, cells, guard === "strip" && line !== null);
      const id = typeof event.id === "string" && event.id !== "" ? event.id : null;
      // The same event exported as NDJSON is the same record.
      const key = { format: "ndjson", sourceId: id };
      return accept(event, key, cells[organization] === organizationId ? id : null);
    });
}

async function guardLineOf(
  file: string,
  { delimiter, guardLine, signal }: Omit<CandidateOptions, "format">,
): Promise<number | null> {
  if (guardLine !== undefined) return guardLine;
  const csv = await openCsv(file, delimiter, signal);
  try {
    return await findGuard(csv);
  } finally {
    csv.close();
  }
}

function mappedConverter(file: string, mapping: Mapping, header: string[]): RowConverter {
  const missing = missingColumns(mapping, header);
  if (missing.length > 0)
    throw new AppError(
      "invalid_request",
      `${file} has no column ${missing.map((name) => `“${name}”`).join(", ")}, which the mapping names. It has: ${header.join(", ")}.`,
    );
  const [overwritten] = overwrittenColumns(mapping, header);
  if (overwritten !== undefined)
    throw new AppError(
      "invalid_request",
      `metadata.${overwritten} is mapped, and the column “${overwritten}” of ${file}, which is used nowhere else, is kept in metadata under the same name: one would overwrite the other. Map that column too, give the mapped key another name, or set other_columns to ignore.`,
    );
  const map = rowMapper(mapping, header);
  const columns = columnsByField(mapping);
  const format = `csv:${mapping.source}`;
  return (cells) =>
    attempt(() => {
      const { event, sourceId } = map(cells);
      const converted = accept(event, { format, sourceId });
      if (converted.ok) return converted;
      // A target that was left out has moved those behind it.
      const isMoved = (event.targets as unknown[]).length < mapping.targets.length;
      const reasons = converted.reasons.map((reason) =>
        isMoved && reason.cause.startsWith("targets.") ? reason : explain(reason, columns),
      );
      return { ok: false, reasons };
    });
}

/** Says of a field's problem which columns the field is made of. */
function explain({ cause }: Reason, columns: Map<string, string[]>): Reason {
  const field = cause.split(" ")[0] ?? "";
  const column = columns.get(field)?.join(", ") || null;
  const advice = / is required$/.test(cause)
    ? `${cause}: fill the cell, or map ${field} to another column or a constant`
    : cause;
  return { column, cause: advice };
}

const refuse = (cause: string): Converted => ({ ok: false, reasons: [{ column: null, cause }] });

function attempt(convert: () => Converted): Converted {
  try {
    return convert();
  } catch (error) {
    const column = error instanceof MappingProblem ? error.column : null;
    return { ok: false, reasons: [{ column, cause: (error as Error).message }] };
  }
}

function accept(
  event: unknown,
  key: Pick<ImportItem, "format" | "sourceId">,
  ownId: string | null = null,
): Converted {
  const parsed = parseImportedEvent(event);
  if (parsed.ok) return { ok: true, item: { event: parsed.value, ...key }, ownId };
  const reasons = parsed.errors.map(({ field, code }) => ({
    column: null,
    cause: code === "required" ? `${field} is required` : code,
  }));
  return { ok: false, reasons };
}

/** NDJSON lines are events, bare, in the API's `{organization_id, event}` envelope, or as a log gives them. */
function fromNdjson(value: unknown, organizationId: string, ignored: Set<string>): Converted {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return refuse("not a JSON object");
  const line = value as Record<string, unknown>;
  const isEnvelope = "event" in line && !("action" in line);
  const recorded = RECORDED_MEMBERS.filter((name) => Object.hasOwn(line, name));
  // What a log gave out may go to another one; an event that is only on its way may not.
  const isExported = recorded.length > 1;
  for (const name of isEnvelope || isExported ? recorded : []) ignored.add(name);
  const event = (isEnvelope ? line.event : isExported ? without(line, recorded) : line) as Record<
    string,
    unknown
  > | null;
  const named = line.organization_id ?? event?.organization_id;
  // Another system's name for the organization is not ours: only an id of this kind can contradict.
  const isForeign =
    typeof named === "string" && named.startsWith("org_") && named !== organizationId;
  if (isForeign && !isExported)
    return refuse(`belongs to organization ${named}, not ${organizationId}`);
  if (isForeign) ignored.add("organization_id");
  const id = typeof event?.id === "string" && event.id !== "" ? event.id : null;
  return accept(event, { format: "ndjson", sourceId: id }, named === organizationId ? id : null);
}

const without = (line: Record<string, unknown>, names: string[]) =>
  Object.fromEntries(Object.entries(line).filter(([name]) => !names.includes(name)));

export const reasonText = ({ column, cause }: Reason) =>
  column === null ? cause : `column ${column}: ${cause}`;
