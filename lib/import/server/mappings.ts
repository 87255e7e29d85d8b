import type pg from "pg";
import { z } from "zod";
import type { Scope } from "@/lib/auth/scope";
import { canonicalize } from "@/lib/chain/canonical";
import { inTransaction, writePool } from "@/lib/db/pool";
import { getPrisma } from "@/lib/db/prisma";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { parseInput, storableText } from "@/lib/http/parse-input";
import { type Mapping, mappingSchema } from "../mapping";

/** Mappings that an organization keeps by name; each change is an event of its own log. */

export const MAX_MAPPINGS = 200;

export const mappingNameSchema = z
  .string()
  .trim()
  .pipe(storableText(80).min(1, "must not be empty"));

export interface SavedMapping {
  name: string;
  mapping: Mapping;
  /** ISO 8601, milliseconds, Z. */
  updatedAt: string;
}

/** All of an organization's mappings, at most 200, by name. */
export async function listMappings({ organizationId }: Scope): Promise<SavedMapping[]> {
  const rows = await getPrisma().importMapping.findMany({
    where: { organizationId },
    orderBy: { name: "asc" },
    take: MAX_MAPPINGS,
  });
  return rows.map(({ name, mapping, updatedAt }) => ({
    name,
    mapping: parseInput(mappingSchema, mapping),
    updatedAt: updatedAt.toISOString(),
  }));
}

/** @throws AppError not_found when there is none of this name. */
export async function getMapping({ organizationId }: Scope, name: string): Promise<Mapping> {
  const row = await getPrisma().importMapping.findUnique({
    where: { organizationId_name: { organizationId, name } },
  });
  if (!row) throw noMapping(name);
  return parseInput(mappingSchema, row.mapping);
}

/** Under which name just this mapping is kept; null: under none. */
export async function nameOfMapping(scope: Scope, mapping: Mapping): Promise<string | null> {
  // Members that are left out and members without a value are the same.
  const wanted = canonicalize(JSON.parse(JSON.stringify(mapping)));
  const saved = await listMappings(scope);
  return saved.find((one) => canonicalize(one.mapping) === wanted)?.name ?? null;
}

/**
 * Keeps a mapping under a name, in place of what was there.
 * @throws AppError conflict when there are too many.
 */
export async function saveMapping(scope: Scope, name: string, mapping: Mapping): Promise<void> {
  const { organizationId, principal } = scope;
  const by = "id" in principal ? principal.id : principal.kind;
  await changing(scope, "saved", name, async (client) => {
    const { rows } = await client.query<{ others: number }>(
      "SELECT count(*)::int AS others FROM import_mappings WHERE organization_id = $1 AND name <> $2",
      [organizationId, name],
    );
    if ((rows[0]?.others ?? 0) >= MAX_MAPPINGS)
      throw new AppError(
        "conflict",
        `There are ${MAX_MAPPINGS} mappings, which is the most there can be. Delete one first.`,
      );
    await client.query(
      `INSERT INTO import_mappings (organization_id, name, mapping, created_by) VALUES ($1, $2, $3, $4)
       ON CONFLICT (organization_id, name) DO UPDATE SET mapping = excluded.mapping, updated_at = now()`,
      [organizationId, name, JSON.stringify(mapping), by],
    );
  });
}

/** @throws AppError not_found when there is none of this name. */
export async function deleteMapping(scope: Scope, name: string): Promise<void> {
  await changing(scope, "deleted", name, async (client) => {
    const { rowCount } = await client.query(
      "DELETE FROM import_mappings WHERE organization_id = $1 AND name = $2",
      [scope.organizationId, name],
    );
    if (rowCount === 0) throw noMapping(name);
  });
}

const noMapping = (name: string) =>
  new AppError("not_found", `There is no saved mapping “${name}” in this organization.`);

async function changing(
  scope: Scope,
  what: "saved" | "deleted",
  name: string,
  work: (client: pg.PoolClient) => Promise<void>,
): Promise<void> {
  await inTransaction(writePool(), async (client) => {
    // One at a time, so that the limit holds.
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [
      `import mappings ${scope.organizationId}`,
    ]);
    await work(client);
    await appendControlEvent(client, scope, {
      action: `trailseal.import_mapping_${what}`,
      targets: [{ type: "import_mapping", id: name }],
      metadata: {},
    });
  });
}
