import type pg from "pg";
import type { InstanceScope } from "@/lib/auth/scope";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import type { ListStep } from "@/lib/http/list-page";
import { newId } from "@/lib/ids";
import type { ActionSchema, NewActionSchema } from "../schema";

interface StoredSchema extends Omit<ActionSchema, "createdAt"> {
  created_at: Date;
}

const COLUMNS = "id, action, version, targets, actor, metadata, created_at";

const toSchema = ({ created_at: createdAt, ...row }: StoredSchema): ActionSchema => ({
  ...row,
  createdAt: createdAt.toISOString(),
});

/** Adds the next version of an action's schema; versions never change. The log of whose page it comes from tells of it. */
export function createActionSchema(
  scope: InstanceScope,
  action: string,
  schema: NewActionSchema,
): Promise<ActionSchema> {
  return inTransaction(writePool(), (client) => insertActionSchema(client, scope, action, schema));
}

/** The same within a transaction of the caller. */
export async function insertActionSchema(
  client: pg.PoolClient,
  { principal, toldIn }: InstanceScope,
  action: string,
  { targets, actor = null, metadata = null }: NewActionSchema,
): Promise<ActionSchema> {
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('action_schemas', 0))");
  const { rows } = await client.query<StoredSchema>(
    `INSERT INTO action_schemas (action, version, id, targets, actor, metadata, created_by)
     SELECT $1, coalesce(max(version), 0) + 1, $2, $3, $4, $5, $6 FROM action_schemas WHERE action = $1
     RETURNING ${COLUMNS}`,
    [
      action,
      newId("schema"),
      JSON.stringify(targets),
      actor && JSON.stringify(actor),
      metadata && JSON.stringify(metadata),
      principal.kind === "cli" ? "cli" : "id" in principal ? principal.id : null,
    ],
  );
  const made = toSchema(rows[0] as StoredSchema);
  if (toldIn)
    await appendControlEvent(client, toldIn, {
      action: "trailseal.schema_created",
      targets: [{ type: "action_schema", id: made.id, name: action }],
      metadata: { version: String(made.version) },
    });
  return made;
}

/** Rows strictly beyond the step's cursor, by an id that sorts by time. */
function beyond({ direction }: ListStep, id: string, cursor: string): string {
  const [than, order] = direction === "asc" ? [">", "ASC"] : ["<", "DESC"];
  return `(${cursor}::text IS NULL OR ${id} ${than} ${cursor}) ORDER BY ${id} ${order}`;
}

/** Versions of one action's schema. @throws AppError not_found for an action without any */
export async function listActionSchemas(
  _scope: InstanceScope,
  action: string,
  step: ListStep,
): Promise<ActionSchema[]> {
  const { rows } = await readPool().query<StoredSchema>(
    `SELECT ${COLUMNS} FROM action_schemas WHERE action = $1 AND ${beyond(step, "id", "$2")} LIMIT $3`,
    [action, step.from, step.limit],
  );
  if (rows.length === 0 && !(await findVersion(action))) {
    throw new AppError("not_found", `Audit log action not found: '${action}'.`, {
      details: { entity_id: action },
    });
  }
  return rows.map(toSchema);
}

export interface RegisteredAction {
  /** Opaque: a cursor only. */
  id: string;
  name: string;
  createdAt: string;
  schema: ActionSchema;
}

/** Actions with a schema, by when they got their first one, each with its newest version. */
export async function listActions(
  _scope: InstanceScope,
  step: ListStep,
): Promise<RegisteredAction[]> {
  const { rows } = await readPool().query<StoredSchema & { first_id: string; first_at: Date }>(
    `SELECT ${COLUMNS}, first_id, first_at FROM (
       SELECT *, replace(min(id) OVER (PARTITION BY action), 'als_', 'ala_') COLLATE "C" AS first_id,
         min(created_at) OVER (PARTITION BY action) AS first_at,
         row_number() OVER (PARTITION BY action ORDER BY version DESC) AS age
       FROM action_schemas) newest
     WHERE age = 1 AND ${beyond(step, "first_id", "$1")} LIMIT $2`,
    [step.from, step.limit],
  );
  return rows.map(({ first_id, first_at, ...row }) => ({
    id: first_id,
    name: row.action,
    createdAt: first_at.toISOString(),
    schema: toSchema({
      id: row.id,
      action: row.action,
      version: row.version,
      targets: row.targets,
      actor: row.actor,
      metadata: row.metadata,
      created_at: row.created_at,
    }),
  }));
}

/** The given version of an action's schema, or whichever is newest; null where there is none. */
export async function findVersion(action: string, version?: number): Promise<ActionSchema | null> {
  const { rows } = await readPool().query<StoredSchema>(
    `SELECT ${COLUMNS} FROM action_schemas WHERE action = $1 AND ($2::integer IS NULL OR version = $2)
     ORDER BY version DESC LIMIT 1`,
    [action, version ?? null],
  );
  return rows[0] ? toSchema(rows[0]) : null;
}
