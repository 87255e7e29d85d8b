import { stat } from "node:fs/promises";
import type { Scope } from "@/lib/auth/scope";
import { readPool } from "@/lib/db/pool";
import { Importer, type ImportItem, importKey } from "@/lib/events/server/ingest";
import { type CandidateOptions, openCandidates, type Reason, reasonText } from "./candidates";
import { isLarger } from "./read-records";
import { type Rejection, RejectsFile } from "./rejects-file";
import { SeenRows } from "./seen-rows";

const BATCH = 500;

export interface ImportSummary {
  read: number;
  stored: number;
  already_there: number;
  /** Rows that have the identity of an earlier row of the same file: not stored, whatever else they say. */
  repeats: number;
  rejected: number;
  /** Rejected records that the file of them had no room for; left out when there are none. */
  rejects_left_out?: number;
  /** Members of what another log gave out that this one writes itself; left out when there are none. */
  ignored?: string[];
}

interface Options extends CandidateOptions {
  files: string[];
  /** Where rejected records go, one JSON document a line; made only when there are any. */
  rejectsFile: string;
  /** What rejected records call their file; left out: as it is called here. */
  fileName?: string;
  /** Events behind this number of the log were stored by an earlier attempt at the same import. */
  startSeq?: number;
  /** Ends the import between two records, or while none comes; what is on its way is stored and counted. */
  signal?: AbortSignal | undefined;
  /** After each batch. */
  onProgress?(summary: ImportSummary, progress: ImportProgress): void;
  onRejected?(rejection: Rejection): void;
}

export interface ImportProgress {
  /** Bytes of the files as they lie on disk. */
  readBytes: number;
  totalBytes: number;
}

async function totalSize(files: string[]): Promise<number> {
  const found = await Promise.all(files.map((file) => stat(file)));
  return found.reduce((sum, { size }) => sum + size, 0);
}

/**
 * Imports files into the scope's organization. Safe to repeat at any time and after a kill: a record that
 * is there already, told by its source id or else its content, is not stored again.
 * @throws AppError invalid_request, before anything is stored, when a CSV file does not fit what is said of it.
 * @throws Error when a file cannot be read; what was stored until then stays and is recognised next time.
 */
export async function runImport(scope: Scope, options: Options): Promise<ImportSummary> {
  const { startSeq = Number.POSITIVE_INFINITY, signal } = options;
  const summary: ImportSummary = { read: 0, stored: 0, already_there: 0, repeats: 0, rejected: 0 };
  await refuseUnfit(scope, options);
  const rejects = new RejectsFile(options.rejectsFile);
  let batch: Row[] = [];
  const ignored = new Set<string>();
  const progress: ImportProgress = { readBytes: 0, totalBytes: await totalSize(options.files) };
  const count = ({ seen }: Row, seq: number, isKnown: boolean) => {
    if (!seen.add(seq)) summary.repeats += 1;
    else if (isKnown && seq <= startSeq) summary.already_there += 1;
    else summary.stored += 1;
  };
  const underWay: Row[][] = [];
  const importer = new Importer(scope, (outcomes) => {
    const rows = underWay.shift() as Row[];
    for (const [at, { seq, duplicate }] of outcomes.entries())
      count(rows[at] as Row, seq, duplicate);
    options.onProgress?.(summary, progress);
  });
  const flush = async () => {
    const known = await ownEvents(scope, batch);
    const fresh = batch.filter((row) => {
      const seq = row.ownId === null ? undefined : known.get(row.ownId);
      if (seq !== undefined) count(row, seq, true);
      return seq === undefined;
    });
    batch = [];
    if (fresh.length === 0) return options.onProgress?.(summary, progress);
    underWay.push(fresh);
    await importer.add(fresh.map(({ item }) => item));
  };
  try {
    for (const file of options.files) {
      const seen = new SeenRows();
      const { rows, bytesRead } = await openCandidates(
        file,
        options,
        scope.organizationId,
        ignored,
      );
      const before = progress.readBytes;
      for await (const { number, record, converted } of rows) {
        signal?.throwIfAborted();
        summary.read += 1;
        if (converted.ok) batch.push({ ...converted, seen });
        else {
          summary.rejected += 1;
          const reasons = reasonTexts(converted.reasons);
          const rejection = { file: options.fileName ?? file, number, reasons, record };
          await rejects.add(rejection);
          if (rejects.leftOut > 0) summary.rejects_left_out = rejects.leftOut;
          options.onRejected?.(rejection);
          // A file of nothing else has a progress, too.
          if (summary.rejected % BATCH === 0) options.onProgress?.(summary, progress);
        }
        progress.readBytes = before + bytesRead();
        if (batch.length >= BATCH) await flush();
      }
      progress.readBytes = before + bytesRead();
    }
    await flush();
    await importer.finish();
    await rejects.close();
  } catch (error) {
    await importer.finish().catch(() => undefined);
    await rejects.discard();
    throw error;
  }
  return ignored.size > 0 ? { ...summary, ignored: [...ignored] } : summary;
}

const MAX_REASONS = 50;
const MAX_REASON = 1_000;

/** As a file of rejected records takes them: a reason may quote the record, and a record have thousands. */
function reasonTexts(reasons: Reason[]): string[] {
  const texts = reasons.slice(0, MAX_REASONS).map((reason) => {
    const text = reasonText(reason);
    return text.length > MAX_REASON ? `${text.slice(0, MAX_REASON).toWellFormed()}…` : text;
  });
  const more = reasons.length - texts.length;
  return more > 0 ? [...texts, `and ${more} further reasons`] : texts;
}

/** An event on its way, with what the rows of its file led to. */
interface Row {
  item: ImportItem;
  ownId: string | null;
  seen: SeenRows;
}

/** Of several CSV files the last one's columns are looked at before the first one's rows are stored. */
async function refuseUnfit({ organizationId }: Scope, options: Options): Promise<void> {
  if (options.format !== "csv" || options.files.length === 1) return;
  for (const file of options.files)
    (await openCandidates(file, options, organizationId, new Set())).close();
}

/** Which of the events that came from this very log are still in it, and where. */
async function ownEvents({ organizationId }: Scope, batch: Row[]): Promise<Map<string, number>> {
  const ids = batch.flatMap(({ ownId }) => ownId ?? []);
  if (ids.length === 0) return new Map();
  const { rows } = await readPool().query<{ id: string; seq: number }>(
    "SELECT id, seq FROM events WHERE organization_id = $1 AND id = ANY($2)",
    [organizationId, ids],
  );
  return new Map(rows.map(({ id, seq }) => [id, seq]));
}

export interface PreviewRow {
  number: number;
  /** What would be stored; null when the row is rejected. */
  event: ImportItem["event"] | null;
  reasons: Reason[];
  /** Line of an earlier row with the same identity, which leaves no room for this one; else null. */
  repeats: number | null;
}

export interface Preview {
  rows: PreviewRow[];
  /** What was looked at beyond the rows shown. */
  looked: { read: number; rejected: number; repeats: number };
  /** A CloudTrail file, which is read as a whole, only when it is imported. */
  isTooLarge: boolean;
}

export const PREVIEW_ROWS = 20;
/** Largest CloudTrail file, unpacked, that is read for a preview: parsed, it takes many times as much memory. */
const PREVIEW_CLOUDTRAIL_BYTES = 8_388_608;
/** Further rows are looked at for what only shows among many: identities that repeat. */
const PREVIEW_LOOK = 2_000;

/**
 * The first 20 records of a file as an import would take them, and what the first 2,000 hold. Stores nothing.
 * @throws AppError invalid_request when the file as a whole cannot be imported this way.
 */
export async function previewImport(
  { organizationId }: Scope,
  file: string,
  options: CandidateOptions,
): Promise<Preview> {
  const preview: PreviewRow[] = [];
  const looked = { read: 0, rejected: 0, repeats: 0 };
  if (options.format === "cloudtrail" && (await isLarger(file, PREVIEW_CLOUDTRAIL_BYTES)))
    return { rows: preview, looked, isTooLarge: true };
  const { rows, close } = await openCandidates(file, options, organizationId, new Set());
  const lines = new Map<string, number>();
  try {
    for await (const { number, converted } of rows) {
      const row: PreviewRow = { number, event: null, reasons: [], repeats: null };
      looked.read += 1;
      if (converted.ok) {
        const { format, sourceId, event } = converted.item;
        const key = importKey(format, sourceId, event).toString("base64");
        Object.assign(row, { event, repeats: lines.get(key) ?? null });
        if (row.repeats === null) lines.set(key, number);
        else looked.repeats += 1;
      } else {
        row.reasons = converted.reasons;
        looked.rejected += 1;
      }
      if (preview.length < PREVIEW_ROWS) preview.push(row);
      if (looked.read === PREVIEW_LOOK) break;
    }
  } finally {
    close();
  }
  return { rows: preview, looked, isTooLarge: false };
}
