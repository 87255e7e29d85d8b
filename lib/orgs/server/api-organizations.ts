import type { PoolClient } from "pg";
import type { z } from "zod";
import type { InstanceScope, Scope } from "@/lib/auth/scope";
import { sha256 } from "@/lib/chain/sha256";
import { inTransaction, readPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import type { ListStep } from "@/lib/http/list-page";
import { newUlid } from "@/lib/ids";
import type {
  Domain,
  newOrganizationBody,
  OrganizationDetails,
  organizationChanges,
} from "../schema";
import { insertOrganization, newOrganizationId } from "./organizations";

/** Organizations as the compatible API keeps them (contract §10). */

interface Row {
  id: string;
  name: string;
  external_id: string | null;
  metadata: Record<string, string>;
  domains: Domain[];
  retention_days: number | null;
  created_at: Date;
  updated_at: Date;
}

const COLUMNS = "id, name, external_id, metadata, domains, retention_days, created_at, updated_at";

const toDetails = (row: Row): OrganizationDetails => ({
  id: row.id,
  name: row.name,
  externalId: row.external_id,
  metadata: row.metadata,
  domains: row.domains,
  retentionDays: row.retention_days,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

/** Two requests must not take the same external id, domain or key at once. */
const LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('organizations', 0))";

async function find(
  condition: string,
  values: unknown[],
  db: Pick<PoolClient, "query"> = readPool(),
): Promise<OrganizationDetails | null> {
  const { rows } = await db.query<Row>(
    `SELECT ${COLUMNS} FROM organizations WHERE deleted_at IS NULL AND ${condition} LIMIT 1`,
    values,
  );
  return rows[0] ? toDetails(rows[0]) : null;
}

const notFound = (id: string) =>
  new AppError("not_found", `Organization not found: '${id}'.`, { details: { entity_id: id } });

/** @throws AppError not_found */
export async function readOrganization({ organizationId }: Scope): Promise<OrganizationDetails> {
  const found = await find("id = $1", [organizationId]);
  if (!found) throw notFound(organizationId);
  return found;
}

/** @throws AppError not_found */
export async function findByExternalId(
  _scope: InstanceScope,
  externalId: string,
): Promise<OrganizationDetails> {
  const found = await find("external_id = $1", [externalId]);
  if (!found) throw notFound(externalId);
  return found;
}

/** Newest first or last, by id. @param domains any of these; @param search part of the name */
export async function listApiOrganizations(
  _scope: InstanceScope,
  { domains, search }: { domains: string[]; search: string },
  { from, direction, limit }: ListStep,
): Promise<OrganizationDetails[]> {
  const [than, order] = direction === "asc" ? [">", "ASC"] : ["<", "DESC"];
  const { rows } = await readPool().query<Row>(
    `SELECT ${COLUMNS} FROM organizations o WHERE deleted_at IS NULL
       AND ($1::text IS NULL OR id ${than} $1)
       AND (cardinality($2::text[]) = 0 OR EXISTS (
         SELECT 1 FROM jsonb_array_elements(o.domains) AS d(value) WHERE d.value ->> 'domain' = ANY($2)))
       AND position(lower($3) IN lower(name)) > 0
     ORDER BY id ${order} LIMIT $4`,
    [from, domains, search, limit],
  );
  return rows.map(toDetails);
}

type Changes = z.infer<typeof organizationChanges>;

const domainsOf = ({ domain_data: data, domains }: Changes): Domain[] | null => {
  if (!data && !domains) return null;
  const all = [
    ...(data ?? []),
    ...(domains ?? []).map((domain) => ({ domain, state: "pending" as const })),
  ];
  return [...new Map(all.map((one) => [one.domain, one])).values()].map(({ domain, state }) => ({
    object: "organization_domain",
    id: `org_domain_${newUlid()}`,
    domain,
    state,
  }));
};

const withoutNull = (metadata: Record<string, string | null>) =>
  Object.fromEntries(
    Object.entries(metadata).filter((entry): entry is [string, string] => entry[1] !== null),
  );

/** @throws AppError invalid_request (external id), conflict (domain) when another organization has it */
async function refuseTaken(
  client: PoolClient,
  own: string,
  externalId: string | null,
  domains: Domain[],
): Promise<void> {
  const other = externalId
    ? await find("external_id = $1 AND id <> $2", [externalId, own], client)
    : null;
  if (other)
    throw new AppError("invalid_request", `The external_id '${externalId}' is used already.`, {
      details: { code: "external_id_already_used" },
    });
  const names = domains.map(({ domain }) => domain);
  const holder = await find(
    "id <> $2 AND EXISTS (SELECT 1 FROM jsonb_array_elements(domains) AS d(value) WHERE d.value ->> 'domain' = ANY($1))",
    [names, own],
    client,
  );
  if (holder)
    throw new AppError("conflict", "Another organization has one of these domains already.", {
      details: { code: "duplicate_organization_domain" },
    });
}

/**
 * Creates an organization. A repeated Idempotency-Key gives the organization it made.
 * @throws AppError invalid_request when the key came with another body, or the external id is taken; conflict
 */
export async function createApiOrganization(
  _scope: InstanceScope,
  body: z.infer<typeof newOrganizationBody>,
  idempotencyKey: string | null,
): Promise<OrganizationDetails> {
  const requestKey = idempotencyKey ? sha256(idempotencyKey) : null;
  const requestBody = sha256(JSON.stringify(body));
  const { id, origin } = await newOrganizationId();
  return inTransaction(readPool(), async (client) => {
    await client.query(LOCK);
    const { rows } = await client.query<Row & { same: boolean }>(
      `SELECT ${COLUMNS}, request_body = $2 AS same FROM organizations
       WHERE request_key = $1 AND deleted_at IS NULL AND created_at > now() - interval '24 hours'`,
      [requestKey, requestBody],
    );
    if (rows[0]?.same) return toDetails(rows[0]);
    if (rows[0])
      throw new AppError(
        "invalid_request",
        `Another idempotency key (${idempotencyKey}) with different request parameters was found. Please use a different idempotency key.`,
      );
    const externalId = body.external_id ?? null;
    const domains = domainsOf(body) ?? [];
    await refuseTaken(client, id, externalId, domains);
    const metadata = withoutNull(body.metadata ?? {});
    const details = { externalId, metadata, domains, requestKey, requestBody };
    await insertOrganization(client, { id, name: body.name, origin }, details);
    return (await find("id = $1", [id], client)) as OrganizationDetails;
  });
}

/**
 * Changes what the body names; a metadata key that is null is removed.
 * @throws AppError not_found, invalid_request, conflict
 */
export async function updateApiOrganization(
  scope: Scope,
  body: Changes,
): Promise<OrganizationDetails> {
  return inTransaction(readPool(), async (client) => {
    await client.query(LOCK);
    const now = await find("id = $1", [scope.organizationId], client);
    if (!now) throw notFound(scope.organizationId);
    const externalId = body.external_id === undefined ? now.externalId : body.external_id;
    const domains = domainsOf(body) ?? now.domains;
    await refuseTaken(client, scope.organizationId, externalId, domains);
    const { rows } = await client.query<Row>(
      `UPDATE organizations SET name = $2, external_id = $3, metadata = $4, domains = $5, updated_at = now()
       WHERE id = $1 RETURNING ${COLUMNS}`,
      [
        scope.organizationId,
        body.name ?? now.name,
        externalId,
        JSON.stringify(withoutNull({ ...now.metadata, ...body.metadata })),
        JSON.stringify(domains),
      ],
    );
    return toDetails(rows[0] as Row);
  });
}

/** Hidden from then on, its id reserved; its events stay (integrity spec §2). */
export async function deleteOrganization({ organizationId }: Scope): Promise<void> {
  await readPool().query(
    "UPDATE organizations SET deleted_at = now(), updated_at = now() WHERE id = $1 AND deleted_at IS NULL",
    [organizationId],
  );
}

/** How long events shall be kept; nothing is deleted by saying so. */
export async function setRetention({ organizationId }: Scope, days: number): Promise<void> {
  await readPool().query(
    "UPDATE organizations SET retention_days = $2, updated_at = now() WHERE id = $1",
    [organizationId, days],
  );
}
