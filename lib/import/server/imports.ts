import type { Readable } from "node:stream";
import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { type CandidateOptions, openCandidates } from "../candidates";
import { recognise } from "../recognise";
import { type Preview, previewImport } from "../run-import";
import {
  type Import,
  type ImportOutcome,
  type ImportSetup,
  type ImportSource,
  type ImportState,
  NOTHING,
  outcomeSchema,
  type Recognition,
  sourceSchema,
} from "../schema";
import { nameOfMapping } from "./mappings";
import { localUpload, openRejectsFile, removeRejects, removeUpload, type Upload } from "./uploads";

/** How long rejected records are kept. */
export const REJECTS_KEPT = "7 days";

/** How long a request may look at a file: what unpacks without end is no matter for it. */
const LOOK_MS = 20_000;

export interface Row extends Upload {
  state: ImportState;
  file_name: string;
  bytes: number;
  sha256: Buffer;
  source: unknown;
  setup: unknown;
  start_seq: number | null;
  read_bytes: number;
  summary: unknown;
  cancel_requested: boolean;
  error: string | null;
  attempt: number;
  tries: number;
  rejects_attempt: number | null;
  created_by: string;
  created_at: Date;
  started_at: Date | null;
  updated_at: Date;
  expires_at: Date | null;
}

export const COLUMNS = `id, state, file_name, bytes, sha256, packed, source, setup, start_seq, read_bytes, summary,
  cancel_requested, error, attempt, tries, rejects_attempt, created_by, created_at, started_at, updated_at, expires_at`;

export const outcomeOf = ({ summary }: Row): ImportOutcome =>
  summary === null ? NOTHING : outcomeSchema.parse(summary);

export function toImport(row: Row): Import {
  return {
    id: row.id,
    state: row.state,
    fileName: row.file_name,
    bytes: row.bytes,
    sha256: row.sha256.toString("hex"),
    source: sourceSchema.parse(row.source),
    readBytes: row.read_bytes,
    outcome: outcomeOf(row),
    isCancelling: row.cancel_requested && row.state === "running",
    hasRejects: row.rejects_attempt !== null,
    error: row.error,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    updatedAt: row.updated_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
  };
}

const isId = (id: string) => /^import_[0-9A-Z]{26}$/.test(id);
const notFound = (id: string) => new AppError("not_found", `There is no import '${id}'.`);

async function readRow({ organizationId }: Scope, id: string): Promise<Row> {
  const { rows } = await readPool().query<Row>(
    `SELECT ${COLUMNS} FROM imports WHERE organization_id = $1 AND id = $2`,
    [organizationId, isId(id) ? id : ""],
  );
  if (!rows[0]) throw notFound(id);
  return rows[0];
}

/** @throws AppError not_found */
export async function getImport(scope: Scope, id: string): Promise<Import> {
  return toImport(await readRow(scope, id));
}

/** A list is read each second: what only setting one up takes stays out. */
const LISTED_COLUMNS = COLUMNS.replace(
  " source,",
  ` source || '{"columns": [], "proposal": null}' AS source,`,
);

/**
 * Newest first; ids sort by arrival. Their sources are without columns and proposal.
 * @param before the id that the page begins behind; null: at the newest
 */
export async function listImports(
  { organizationId }: Scope,
  before: string | null,
  limit: number,
): Promise<Import[]> {
  const { rows } = await readPool().query<Row>(
    `SELECT ${LISTED_COLUMNS} FROM imports WHERE organization_id = $1 AND ($2::text IS NULL OR id < $2)
     ORDER BY id DESC LIMIT $3`,
    [organizationId, before, limit],
  );
  return rows.map(toImport);
}

/** Messages name the file as people call it, not where it lies. */
export async function calling<T>(
  upload: Upload,
  fileName: string,
  work: (file: string) => Promise<T>,
): Promise<T> {
  const file = await localUpload(upload);
  try {
    return await work(file);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const message = error.message.replaceAll(file, () => fileName);
    throw new AppError(error.code, message, { errors: error.errors, cause: error });
  }
}

export async function recogniseFile(
  upload: Upload,
  fileName: string,
  told?: Recognition,
): Promise<ImportSource> {
  const file = await localUpload(upload);
  const source = await recognise(file, fileName, told, AbortSignal.timeout(LOOK_MS));
  return { ...source, problem: source.problem?.replaceAll(file, () => fileName) ?? null };
}

/** @throws AppError not_found, conflict for one that was started already */
async function readUploaded(scope: Scope, id: string): Promise<Row> {
  const row = await readRow(scope, id);
  if (row.state !== "uploaded") throw new AppError("conflict", "This import was started already.");
  return row;
}

/** Takes the file for what somebody says it is. @throws AppError as readUploaded */
export async function recogniseAgain(scope: Scope, id: string, told: Recognition): Promise<Import> {
  const upload = await readUploaded(scope, id);
  const source = await recogniseFile(upload, upload.file_name, told);
  await writePool().query(
    "UPDATE imports SET source = $3, updated_at = now() WHERE organization_id = $1 AND id = $2 AND state = 'uploaded'",
    [scope.organizationId, id, JSON.stringify(source)],
  );
  return getImport(scope, id);
}

/**
 * What the reader of the file is told.
 * @param isQuick looks at apostrophes no further than was looked before
 * @throws AppError invalid_request where something is left to be decided
 */
export function candidateOptions(
  source: ImportSource,
  setup: ImportSetup,
  isQuick: boolean,
): CandidateOptions {
  if (source.problem !== null) throw new AppError("invalid_request", source.problem);
  const { format, isOwn, guardLine, isWhole } = source;
  if (format !== "csv") return { format };
  const delimiter = source.delimiter ?? undefined;
  if (!isOwn && !setup.mapping)
    throw new AppError("invalid_request", "Say how its columns become events first.");
  if (!isOwn) return { format, delimiter, mapping: setup.mapping ?? undefined };
  if (guardLine !== null && setup.guard === null)
    throw new AppError(
      "invalid_request",
      `The row at line ${guardLine} has an apostrophe before a formula sign, which the event may not have had: say whether apostrophes are taken off or kept.`,
    );
  if (isWhole || isQuick) return { format, delimiter, guard: setup.guard ?? "keep", guardLine };
  return { format, delimiter, guard: setup.guard ?? undefined };
}

/** Ends when the last one does that was begun: a CloudTrail file is held in memory as a whole. */
let previewed: Promise<unknown> = Promise.resolve();

/** The first rows as the import would take them. @throws AppError as readUploaded; invalid_request for the whole file */
export async function previewUpload(
  scope: Scope,
  id: string,
  setup: ImportSetup,
): Promise<Preview> {
  const row = await readUploaded(scope, id);
  const options = candidateOptions(sourceSchema.parse(row.source), setup, true);
  const look = () => calling(row, row.file_name, (file) => previewImport(scope, file, options));
  if (options.format !== "cloudtrail") return look();
  const mine = previewed.then(look);
  previewed = mine.catch(() => undefined);
  return mine;
}

/**
 * Queues an import for the worker; the log says so in the same transaction.
 * @throws AppError as previewUpload
 */
export async function startImport(scope: Scope, id: string, setup: ImportSetup): Promise<Import> {
  const { organizationId } = scope;
  const found = await readUploaded(scope, id);
  const source = sourceSchema.parse(found.source);
  const options = candidateOptions(source, setup, true);
  // What does not fit is said now, not by the worker.
  await calling(found, found.file_name, async (file) =>
    (
      await openCandidates(
        file,
        { ...options, signal: AbortSignal.timeout(LOOK_MS) },
        organizationId,
        new Set(),
      )
    ).close(),
  );
  const mappingName = setup.mapping && (await nameOfMapping(scope, setup.mapping));
  const row = await inTransaction(writePool(), async (client) => {
    const started = await client.query<Row>(
      `UPDATE imports SET state = 'queued', setup = $3, started_at = now(), updated_at = now(), expires_at = NULL
       WHERE organization_id = $1 AND id = $2 AND state = 'uploaded' AND source = $4 AND expires_at > now() RETURNING ${COLUMNS}`,
      [organizationId, id, JSON.stringify(setup), JSON.stringify(found.source)],
    );
    if (!started.rows[0])
      throw new AppError(
        "conflict",
        "This import was changed meanwhile, or its file is no longer kept. Reload the page.",
      );
    await appendControlEvent(client, scope, {
      action: "trailseal.import_started",
      targets: [targetOf(started.rows[0])],
      metadata: {
        ...fileFacts(started.rows[0]),
        ...(setup.mapping
          ? { source: setup.mapping.source, mapping: mappingName ?? "not saved" }
          : {}),
        ...(options.guard === "strip" ? { apostrophes: "taken off" } : {}),
      },
    });
    return started.rows[0];
  });
  return toImport(row);
}

const targetOf = ({ id, file_name: name }: Row) => ({ type: "import", id, name });

const fileFacts = ({ file_name, sha256, bytes, source }: Row) => ({
  file: file_name,
  sha256: sha256.toString("hex"),
  bytes: String(bytes),
  format: sourceSchema.parse(source).format,
});

/** In the transaction that ends an import: the log says how. */
export async function sealEnd(client: pg.PoolClient, scope: Scope, row: Row): Promise<void> {
  const { read, stored, already_there, repeats, rejected } = outcomeOf(row);
  const counts = { read, stored, already_there, repeats, rejected };
  await appendControlEvent(client, scope, {
    action: "trailseal.import_finished",
    targets: [targetOf(row)],
    metadata: {
      ...fileFacts(row),
      outcome: row.state,
      ...Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, String(count)])),
      ...(row.error ? { cause: row.error } : {}),
    },
    isDeletedToo: true,
  });
}

/**
 * Stops one that waits at once, and one under way with its next record: what it stored stays.
 * @throws AppError not_found, conflict when it is over or was not started
 */
export async function cancelImport(scope: Scope, id: string): Promise<Import> {
  const key = [scope.organizationId, isId(id) ? id : ""];
  const row = await inTransaction(writePool(), async (client) => {
    const waiting = await client.query<Row>(
      `UPDATE imports SET state = 'cancelled', lease_until = NULL, error = NULL, updated_at = now()
       WHERE organization_id = $1 AND id = $2 AND state = 'queued' RETURNING ${COLUMNS}`,
      key,
    );
    if (waiting.rows[0]) {
      await sealEnd(client, scope, waiting.rows[0]);
      return waiting.rows[0];
    }
    const running = await client.query<Row>(
      `UPDATE imports SET cancel_requested = true WHERE organization_id = $1 AND id = $2 AND state = 'running'
       RETURNING ${COLUMNS}`,
      key,
    );
    return running.rows[0];
  });
  if (row) {
    if (row.state === "cancelled") await removeUpload(row);
    return toImport(row);
  }
  const { state } = await readRow(scope, id);
  throw new AppError("conflict", `The import is ${state} by now.`);
}

/** Forgets one that is not under way, with all its files; events that it stored stay. @throws AppError not_found, conflict */
export async function deleteImport(scope: Scope, id: string): Promise<void> {
  const row = await readRow(scope, id);
  await inTransaction(writePool(), async (client) => {
    const { rowCount } = await client.query(
      `DELETE FROM imports WHERE organization_id = $1 AND id = $2 AND state NOT IN ('queued', 'running')`,
      [scope.organizationId, row.id],
    );
    if (rowCount === 0)
      throw new AppError("conflict", "The import is under way: cancel it, then delete it.");
    await appendControlEvent(client, scope, {
      action: "trailseal.import_deleted",
      targets: [targetOf(row)],
      metadata: fileFacts(row),
    });
  });
  // What a stop in between leaves, the sweep removes: it belongs to no import any more.
  await removeFilesOf(row);
}

export async function removeFilesOf(row: Upload & Pick<Row, "rejects_attempt">): Promise<void> {
  await removeUpload(row);
  if (row.rejects_attempt !== null) await removeRejects(row.id, row.rejects_attempt);
}

/** Rejected records, one JSON document a line. @throws AppError not_found */
export async function openRejects(
  scope: Scope,
  id: string,
): Promise<{ content: Readable; fileName: string }> {
  const row = await readRow(scope, id);
  const content =
    row.rejects_attempt === null ? null : await openRejectsFile(row.id, row.rejects_attempt);
  if (!content)
    throw new AppError("not_found", "This import has no rejected rows that could be downloaded.");
  return { content, fileName: `${row.id}.rejects.ndjson` };
}
