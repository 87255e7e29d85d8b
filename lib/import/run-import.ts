import { open, rename, rm, stat } from "node:fs/promises";
import type { Scope } from "@/lib/auth/scope";
import { readPool } from "@/lib/db/pool";
import { Importer, type ImportItem } from "@/lib/events/server/ingest";
import { type CandidateOptions, openCandidates, type Reason, reasonText } from "./candidates";

const BATCH = 500;

export interface ImportSummary {
  read: number;
  stored: number;
  already_there: number;
  rejected: number;
  /** Members of what another log gave out that this one writes itself; left out when there are none. */
  ignored?: string[];
}

interface Rejection {
  file: string;
  number: number;
  reasons: string[];
  record: unknown;
}

interface Options extends CandidateOptions {
  files: string[];
  /** Where rejected records go, one JSON document a line; made only when there are any. */
  rejectsFile: string;
  /** After each batch. */
  onProgress?(summary: ImportSummary, progress: ImportProgress): void;
}

export interface ImportProgress {
  /** Bytes of the files as they lie on disk. */
  readBytes: number;
  totalBytes: number;
}

/** Rejected records, written beside their final place and moved there whole. */
class RejectsFile {
  private readonly draft: string;
  private handle: Awaited<ReturnType<typeof open>> | null = null;

  constructor(private readonly file: string) {
    this.draft = `${file}.${process.pid}.part`;
  }

  async add(rejection: Rejection): Promise<void> {
    this.handle ??= await open(this.draft, "w", 0o600);
    await this.handle.write(`${JSON.stringify(rejection)}\n`);
  }

  async close(): Promise<void> {
    if (!this.handle) return;
    await this.handle.close();
    await rename(this.draft, this.file);
  }

  async discard(): Promise<void> {
    await this.handle?.close();
    await rm(this.draft, { force: true });
  }
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
  const summary: ImportSummary = { read: 0, stored: 0, already_there: 0, rejected: 0 };
  await refuseUnfit(scope, options);
  const rejects = new RejectsFile(options.rejectsFile);
  let batch: { item: ImportItem; ownId: string | null }[] = [];
  const ignored = new Set<string>();
  const progress: ImportProgress = { readBytes: 0, totalBytes: await totalSize(options.files) };
  const importer = new Importer(scope, (outcomes) => {
    const duplicates = outcomes.filter(({ duplicate }) => duplicate).length;
    summary.already_there += duplicates;
    summary.stored += outcomes.length - duplicates;
    options.onProgress?.(summary, progress);
  });
  const flush = async () => {
    const known = await ownEvents(scope, batch);
    const fresh = batch.filter(({ ownId }) => ownId === null || !known.has(ownId));
    summary.already_there += batch.length - fresh.length;
    batch = [];
    if (fresh.length > 0) await importer.add(fresh.map(({ item }) => item));
  };
  try {
    for (const file of options.files) {
      const { rows, bytesRead } = await openCandidates(
        file,
        options,
        scope.organizationId,
        ignored,
      );
      const before = progress.readBytes;
      for await (const { number, record, converted } of rows) {
        summary.read += 1;
        if (converted.ok) batch.push(converted);
        else {
          summary.rejected += 1;
          const reasons = converted.reasons.map(reasonText);
          await rejects.add({ file, number, reasons, record });
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
    await rejects.discard();
    throw error;
  }
  return ignored.size > 0 ? { ...summary, ignored: [...ignored] } : summary;
}

/** Of several CSV files the last one's columns are looked at before the first one's rows are stored. */
async function refuseUnfit({ organizationId }: Scope, options: Options): Promise<void> {
  if (options.format !== "csv" || options.files.length === 1) return;
  for (const file of options.files)
    (await openCandidates(file, options, organizationId, new Set())).close();
}

/** Which of the events that came from this very log are still in it. */
async function ownEvents(
  { organizationId }: Scope,
  batch: { ownId: string | null }[],
): Promise<Set<string>> {
  const ids = batch.flatMap(({ ownId }) => ownId ?? []);
  if (ids.length === 0) return new Set();
  const { rows } = await readPool().query<{ id: string }>(
    "SELECT id FROM events WHERE organization_id = $1 AND id = ANY($2)",
    [organizationId, ids],
  );
  return new Set(rows.map(({ id }) => id));
}

export interface PreviewRow {
  number: number;
  /** What would be stored; null when the row is rejected. */
  event: ImportItem["event"] | null;
  reasons: Reason[];
}

export const PREVIEW_ROWS = 20;

/**
 * The first 20 records of a file as an import would take them. Stores nothing.
 * @throws AppError invalid_request when the file as a whole cannot be imported this way.
 */
export async function previewImport(
  { organizationId }: Scope,
  file: string,
  options: CandidateOptions,
): Promise<PreviewRow[]> {
  const { rows, close } = await openCandidates(file, options, organizationId, new Set());
  const preview: PreviewRow[] = [];
  try {
    for await (const { number, converted } of rows) {
      preview.push(
        converted.ok
          ? { number, event: converted.item.event, reasons: [] }
          : { number, event: null, reasons: converted.reasons },
      );
      if (preview.length === PREVIEW_ROWS) break;
    }
  } finally {
    close();
  }
  return preview;
}
