import type { Readable } from "node:stream";
import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { creatorOf } from "@/lib/exports/server/exports";
import { storableText } from "@/lib/http/parse-input";
import { newId } from "@/lib/ids";
import type { Import, ImportSource } from "../schema";
import { COLUMNS, type Row, recogniseFile, toImport } from "./imports";
import { enterUploads, receive, removeUpload } from "./uploads";

/** An organization's uploads that are set up, wait or are imported. */
const MAX_PENDING = 10;
/** How long an upload waits for somebody to import it. */
const ABANDONED = "1 day";

const fileNameSchema = storableText(255).min(1);

/**
 * Takes a file in, to be set up.
 * @throws AppError rate_limited while too many wait; as `receive`
 */
export async function receiveUpload(
  scope: Scope,
  fileName: string,
  content: Readable,
  declaredBytes: number | null,
): Promise<Import> {
  const { organizationId } = scope;
  if (!fileNameSchema.safeParse(fileName).success)
    throw new AppError("invalid_request", "The file's name must have 1 to 255 characters.");
  await refuseBeyondPending(readPool(), organizationId);
  const leave = enterUploads(organizationId);
  try {
    const upload = await receive(newId("import"), content, declaredBytes);
    try {
      if (upload.bytes === 0)
        throw new AppError("invalid_request", "The file is empty: there is nothing to import.");
      const source = await recogniseFile(upload, fileName);
      return toImport(await insertUpload(scope, fileName, upload, source));
    } catch (error) {
      await removeUpload(upload);
      throw error;
    }
  } finally {
    leave();
  }
}

/** @throws AppError rate_limited when too many wait meanwhile */
function insertUpload(
  scope: Scope,
  fileName: string,
  upload: Awaited<ReturnType<typeof receive>>,
  source: ImportSource,
): Promise<Row> {
  const { organizationId } = scope;
  return inTransaction(writePool(), async (client) => {
    await client.query(
      "SELECT pg_advisory_xact_lock(hashtextextended('imports ' || $1::text, 0))",
      [organizationId],
    );
    await refuseBeyondPending(client, organizationId);
    const { rows } = await client.query<Row>(
      `INSERT INTO imports (organization_id, id, file_name, bytes, sha256, packed, source, created_by, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now() + interval '${ABANDONED}') RETURNING ${COLUMNS}`,
      [
        ...[organizationId, upload.id, fileName, upload.bytes, upload.sha256, upload.packed],
        ...[JSON.stringify(source), creatorOf(scope)],
      ],
    );
    return rows[0] as Row;
  });
}

async function refuseBeyondPending(
  client: Pick<pg.PoolClient, "query">,
  organizationId: string,
): Promise<void> {
  const pending = await client.query(
    "SELECT 1 FROM imports WHERE organization_id = $1 AND state IN ('uploaded', 'queued', 'running') LIMIT $2",
    [organizationId, MAX_PENDING],
  );
  if (pending.rowCount === MAX_PENDING)
    throw new AppError(
      "rate_limited",
      `${MAX_PENDING} files of this organization wait already: import or discard one first.`,
      { retryAfterS: 60 },
    );
}
