import type { Readable } from "node:stream";
import type pg from "pg";
import type { InstanceScope, Scope } from "@/lib/auth/scope";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { newId } from "@/lib/ids";
import {
  type Export,
  type ExportFormat,
  type ExportState,
  exportOptionsSchema,
  exportSearchSchema,
  type NewExport,
} from "../schema";
import type { Safe } from "./claim";
import { expire } from "./export-jobs";
import { fileOf, manifestOf, openPublished, removeFiles } from "./files";

/** An organization's exports that wait or are being made. */
const MAX_PENDING = 20;

interface Row {
  id: string;
  state: ExportState;
  format: ExportFormat;
  search: unknown;
  options: unknown;
  events: number;
  bytes: number;
  total: number | null;
  first_seq: number | null;
  end_seq: number | null;
  safe: Safe | null;
  sha256: Buffer | null;
  manifest_bytes: number | null;
  manifest_error: string | null;
  error: string | null;
  created_by: string;
  created_at: Date;
  started_at: Date | null;
  updated_at: Date;
  expires_at: Date | null;
  links_epoch: number;
  attempt: number;
  is_over: boolean;
}

const COLUMNS = `id, state, format, search, options, events, bytes, total, first_seq, end_seq, safe, sha256,
  manifest_bytes, manifest_error, error, created_by, created_at, started_at, updated_at, expires_at, links_epoch,
  attempt, coalesce(expires_at <= now(), false) AS is_over`;

function toExport(row: Row): Export {
  return {
    id: row.id,
    // The file is deleted within the hour; it counts as gone from the minute.
    state: row.state === "ready" && row.is_over ? "expired" : row.state,
    format: row.format,
    search: exportSearchSchema.parse(row.search),
    options: exportOptionsSchema.parse(row.options),
    events: row.events,
    bytes: row.bytes,
    total: row.total,
    reached: row.safe ? new Date(row.safe.position.occurredAtMs).toISOString() : null,
    firstSeq: row.first_seq,
    endSeq: row.end_seq,
    sha256: row.sha256?.toString("hex") ?? null,
    hasManifest: row.manifest_bytes !== null,
    manifestError: row.manifest_error,
    error: row.error,
    linksEpoch: row.links_epoch,
    canResume: row.state === "failed" && row.safe !== null,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    updatedAt: row.updated_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
  };
}

/** Whoever asks is told by the name that people know. */
export const creatorOf = ({ principal }: Scope) =>
  principal.kind === "user" ? principal.email : "id" in principal ? principal.id : principal.kind;

/**
 * Queues an export for the worker and tells of it, within a transaction of the caller.
 * @throws AppError rate_limited while too many wait
 */
export async function createExport(
  client: pg.PoolClient,
  scope: Scope,
  wanted: NewExport,
): Promise<Export> {
  const row = await queueExport(client, scope, wanted);
  await tell(client, scope, "requested", row);
  return toExport(row);
}

/** What createExport does but for the event: tests hold what a file has against what was stored. */
export async function queueExport(
  client: pg.PoolClient,
  scope: Scope,
  { format, search, options }: NewExport,
): Promise<Row> {
  const { organizationId } = scope;
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('exports ' || $1::text, 0))", [
    organizationId,
  ]);
  const pending = await client.query(
    "SELECT 1 FROM exports WHERE organization_id = $1 AND state IN ('queued', 'running') LIMIT $2",
    [organizationId, MAX_PENDING],
  );
  if (pending.rowCount === MAX_PENDING)
    throw new AppError(
      "rate_limited",
      `${MAX_PENDING} exports of this organization wait already.`,
      { retryAfterS: 10 },
    );
  const { rows } = await client.query<Row>(
    `INSERT INTO exports (organization_id, id, format, search, options, created_by)
     VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${COLUMNS}`,
    [
      ...[organizationId, newId("export"), format],
      ...[JSON.stringify(search), JSON.stringify(options), creatorOf(scope)],
    ],
  );
  return rows[0] as Row;
}

/** What happens to an export is an event of the log that it is made of, sealed with it. */
async function tell(
  client: pg.PoolClient,
  scope: Scope,
  what: "requested" | "cancelled" | "resumed" | "links_revoked" | "deleted" | "downloaded",
  { id, format, search }: Row,
): Promise<void> {
  const words = Object.entries(exportSearchSchema.parse(search)).flatMap(([name, value]) =>
    value === null || value.length === 0 ? [] : [[name, String(value)]],
  );
  await appendControlEvent(client, scope, {
    action: `trailseal.export_${what}`,
    targets: [{ type: "audit_log_export", id }],
    metadata: { format, ...Object.fromEntries(words) },
  });
}

export const requestExport = (scope: Scope, request: NewExport): Promise<Export> =>
  inTransaction(writePool(), (client) => createExport(client, scope, request));

const notFound = (id: string) =>
  new AppError("not_found", `Audit log export not found: '${id}'.`, { details: { entity_id: id } });

const isId = (id: string) => /^audit_log_export_[0-9A-Z]{26}$/.test(id);

/** Whose export it is: the compatible API names exports by their id alone. @throws AppError not_found */
export async function findOrganizationOf(_scope: InstanceScope, id: string): Promise<string> {
  const { rows } = await readPool().query<{ organization_id: string }>(
    "SELECT organization_id FROM exports WHERE id = $1",
    [isId(id) ? id : ""],
  );
  if (!rows[0]) throw notFound(id);
  return rows[0].organization_id;
}

async function readRow({ organizationId }: Scope, id: string): Promise<Row> {
  const { rows } = await readPool().query<Row>(
    `SELECT ${COLUMNS} FROM exports WHERE organization_id = $1 AND id = $2`,
    [organizationId, isId(id) ? id : ""],
  );
  if (!rows[0]) throw notFound(id);
  return rows[0];
}

/** @throws AppError not_found */
export async function getExport(scope: Scope, id: string): Promise<Export> {
  return toExport(await readRow(scope, id));
}

/** Newest first. @param before the id that the page begins behind; null: at the newest */
export async function listExports(
  { organizationId }: Scope,
  before: string | null,
  limit: number,
): Promise<Export[]> {
  const { rows } = await readPool().query<Row>(
    `SELECT ${COLUMNS} FROM exports
     WHERE organization_id = $1 AND ($2::text IS NULL OR (created_at, id) <
       (SELECT created_at, id FROM exports WHERE organization_id = $1 AND id = $2))
     ORDER BY created_at DESC, id DESC LIMIT $3`,
    [organizationId, before, limit],
  );
  return rows.map(toExport);
}

interface Change {
  what: Parameters<typeof tell>[2];
  from: readonly ExportState[];
  to: string;
}

/** Changes an export that is in one of the states. @throws AppError not_found, conflict when it is in another */
async function change(scope: Scope, id: string, { what, from, to }: Change): Promise<Row> {
  const row = await inTransaction(writePool(), async (client) => {
    const { rows } = await client.query<Row>(
      `UPDATE exports SET ${to}, updated_at = now()
       WHERE organization_id = $1 AND id = $2 AND state = ANY($3) RETURNING ${COLUMNS}`,
      [scope.organizationId, isId(id) ? id : "", from],
    );
    if (rows[0]) await tell(client, scope, what, rows[0]);
    return rows[0];
  });
  if (row) return row;
  const { state } = await getExport(scope, id);
  throw new AppError("conflict", `The export is ${state} by now.`);
}

/** Stops one that waits or is being made; nothing of it is kept. */
export async function cancelExport(scope: Scope, id: string): Promise<Export> {
  const row = await change(scope, id, {
    what: "cancelled",
    from: ["queued", "running"],
    // Whoever makes it loses it with its next piece, and removes what it wrote; the expiry what that forgets.
    to: "state = 'cancelled', safe = NULL, lease_until = NULL, error = NULL, expires_at = now()",
  });
  await removeFiles(row);
  return toExport(row);
}

/** Lets one that failed go on behind what is safe of it. */
export async function resumeExport(scope: Scope, id: string): Promise<Export> {
  return toExport(
    await change(scope, id, {
      what: "resumed",
      from: ["failed"],
      to: "state = 'queued', tries = 0, lease_until = NULL, expires_at = NULL",
    }),
  );
}

/** Links to its files that were given out open nothing any more; new ones do. */
export async function revokeLinks(scope: Scope, id: string): Promise<Export> {
  const to = "links_epoch = links_epoch + 1";
  return toExport(await change(scope, id, { what: "links_revoked", from: ["ready"], to }));
}

/** Deletes its files before their time; what it was stays in the list. */
export async function deleteExport(scope: Scope, id: string): Promise<Export> {
  // It counts as gone from now on; what cannot be removed just now, the expiry removes.
  const row = await change(scope, id, {
    what: "deleted",
    from: ["ready", "failed"],
    to: "expires_at = now(), safe = NULL",
  });
  await expire({ ...row, organization_id: scope.organizationId });
  return getExport(scope, id);
}

/**
 * The file of an export that is ready, or its manifest; whoever opens it reads it to the end or destroys it.
 * @param linkEpoch what the link was signed for that is followed, if one is
 * @throws AppError not_found, also when the file is not ready, gone, or on another host; forbidden for a link that
 * was revoked
 */
export async function openExport(
  scope: Scope,
  id: string,
  { isManifest = false, linkEpoch }: { isManifest?: boolean; linkEpoch?: number } = {},
): Promise<{ file: Readable; bytes: number; format: ExportFormat }> {
  const row = await readRow(scope, id);
  if (linkEpoch !== undefined && linkEpoch !== row.links_epoch)
    throw new AppError("forbidden", "This link was revoked: ask for a new one.");
  const { state } = toExport(row);
  if (state !== "ready")
    throw new AppError("not_found", `The export has no file: its state is ${state}.`);
  const bytes = isManifest ? row.manifest_bytes : row.bytes;
  if (bytes === null)
    throw new AppError(
      "not_found",
      `The export has no manifest: ${row.manifest_error ?? "it is older than them"}.`,
    );
  const name = fileOf(row);
  const file = await openPublished(isManifest ? manifestOf(name) : name);
  if (!file) throw new AppError("not_found", "The file of this export is not on this server.");
  return { file, bytes, format: row.format };
}

/** Before its file leaves. @throws AppError not_found */
export async function sealDownload(scope: Scope, id: string): Promise<void> {
  const row = await readRow(scope, id);
  await inTransaction(writePool(), (client) => tell(client, scope, "downloaded", row));
}
