import { open } from "node:fs/promises";
import type { Readable } from "node:stream";
import type pg from "pg";
import type { InstanceScope, Scope } from "@/lib/auth/scope";
import { readPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { newId } from "@/lib/ids";
import type { Export, ExportSearch } from "../schema";
import { fileOf } from "./files";

/** An organization's exports that wait or are being made. */
const MAX_PENDING = 20;

interface Row {
  id: string;
  state: "queued" | "running" | "ready" | "failed" | "cancelled" | "expired";
  search: ExportSearch;
  events: number;
  bytes: number;
  sha256: Buffer | null;
  error: string | null;
  created_by: string;
  created_at: Date;
  updated_at: Date;
  expires_at: Date | null;
  attempt: number;
  is_over: boolean;
}

const COLUMNS = `id, state, search, events, bytes, sha256, error, created_by, created_at, updated_at, expires_at,
  attempt, coalesce(expires_at <= now(), false) AS is_over`;

const STATES = {
  queued: "pending",
  running: "pending",
  ready: "ready",
  failed: "error",
  cancelled: "error",
  expired: "expired",
} as const;

function toExport(row: Row): Export {
  return {
    id: row.id,
    // The file is deleted within the hour; it counts as gone from the minute.
    state: row.state === "ready" && row.is_over ? "expired" : STATES[row.state],
    search: row.search,
    events: row.events,
    bytes: row.bytes,
    sha256: row.sha256?.toString("hex") ?? null,
    error: row.error,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
  };
}

/**
 * Queues an export for the worker, within a transaction of the caller.
 * @throws AppError rate_limited while too many wait
 */
export async function createExport(
  client: pg.PoolClient,
  { organizationId, principal }: Scope,
  search: ExportSearch,
): Promise<Export> {
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
  const createdBy = "id" in principal ? principal.id : principal.kind;
  const { rows } = await client.query<Row>(
    `INSERT INTO exports (organization_id, id, format, search, created_by)
     VALUES ($1, $2, 'csv', $3, $4) RETURNING ${COLUMNS}`,
    [organizationId, newId("export"), JSON.stringify(search), createdBy],
  );
  return toExport(rows[0] as Row);
}

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

/** Newest first. */
export async function listExports({ organizationId }: Scope, limit: number): Promise<Export[]> {
  const { rows } = await readPool().query<Row>(
    `SELECT ${COLUMNS} FROM exports WHERE organization_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2`,
    [organizationId, limit],
  );
  return rows.map(toExport);
}

/**
 * The file of an export that is ready; whoever opens it reads it to the end or destroys it.
 * @throws AppError not_found, also when the file is not ready, gone, or on another host
 */
export async function openExport(
  scope: Scope,
  id: string,
): Promise<{ file: Readable; bytes: number }> {
  const row = await readRow(scope, id);
  const { state } = toExport(row);
  if (state !== "ready")
    throw new AppError("not_found", `The export has no file: its state is ${state}.`);
  try {
    const handle = await open(fileOf(id, row.attempt));
    return { file: handle.createReadStream(), bytes: row.bytes };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ENOENT") throw cause;
    throw new AppError("not_found", "The file of this export is not on this server.", { cause });
  }
}
