import { open, rename, rm, stat } from "node:fs/promises";
import type { Scope } from "@/lib/auth/scope";
import { type NewEvent, parseImportedEvent } from "@/lib/events/schema";
import { Importer, type ImportItem } from "@/lib/events/server/ingest";
import { mapCloudTrailRecord } from "./cloudtrail";
import { type ImportFormat, openRecords, type RawRecord } from "./read-records";

const BATCH = 500;

export interface ImportSummary {
  read: number;
  stored: number;
  already_there: number;
  rejected: number;
}

interface Rejection {
  file: string;
  number: number;
  reasons: string[];
  record: unknown;
}

interface Options {
  format: ImportFormat;
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

type Converted = { ok: true; item: ImportItem } | { ok: false; reasons: string[] };

function accept(event: unknown, format: ImportFormat, sourceId: string | null): Converted {
  const parsed = parseImportedEvent(event);
  if (!parsed.ok) {
    return {
      ok: false,
      reasons: parsed.errors.map(({ field, code }) =>
        code === "required" ? `${field} is required` : code,
      ),
    };
  }
  return { ok: true, item: { event: parsed.value satisfies NewEvent, format, sourceId } };
}

/** NDJSON lines are events, bare or in the API's `{organization_id, event}` envelope. */
function fromNdjson(value: unknown, organizationId: string): Converted {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return { ok: false, reasons: ["not a JSON object"] };
  const line = value as Record<string, unknown>;
  const event = "event" in line && !("action" in line) ? line.event : line;
  const named = line.organization_id ?? (event as Record<string, unknown> | null)?.organization_id;
  // Another system's name for the organization is not ours: only an id of this kind can contradict.
  if (typeof named === "string" && named.startsWith("org_") && named !== organizationId) {
    return { ok: false, reasons: [`belongs to organization ${named}, not ${organizationId}`] };
  }
  const id = (event as Record<string, unknown> | null)?.id;
  return accept(event, "ndjson", typeof id === "string" && id !== "" ? id : null);
}

function convert(raw: RawRecord, format: ImportFormat, organizationId: string): Converted {
  if (raw.problem) return { ok: false, reasons: [raw.problem] };
  if (format === "ndjson") return fromNdjson(raw.value, organizationId);
  try {
    const { event, sourceId } = mapCloudTrailRecord(raw.value);
    return accept(event, "cloudtrail", sourceId);
  } catch (error) {
    return { ok: false, reasons: [(error as Error).message] };
  }
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
 * @throws Error when a file cannot be read; what was stored until then stays and is recognised next time.
 */
export async function runImport(scope: Scope, options: Options): Promise<ImportSummary> {
  const summary: ImportSummary = { read: 0, stored: 0, already_there: 0, rejected: 0 };
  const rejects = new RejectsFile(options.rejectsFile);
  let batch: ImportItem[] = [];
  const progress: ImportProgress = { readBytes: 0, totalBytes: await totalSize(options.files) };
  const importer = new Importer(scope, (outcomes) => {
    const duplicates = outcomes.filter(({ duplicate }) => duplicate).length;
    summary.already_there += duplicates;
    summary.stored += outcomes.length - duplicates;
    options.onProgress?.(summary, progress);
  });
  const flush = async () => {
    if (batch.length > 0) await importer.add(batch);
    batch = [];
  };
  try {
    for (const file of options.files) {
      const { records, bytesRead } = openRecords(file, options.format);
      const before = progress.readBytes;
      for await (const raw of records) {
        summary.read += 1;
        const converted = convert(raw, options.format, scope.organizationId);
        if (converted.ok) batch.push(converted.item);
        else {
          summary.rejected += 1;
          await rejects.add({
            file,
            number: raw.number,
            reasons: converted.reasons,
            record: raw.value,
          });
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
  return summary;
}
