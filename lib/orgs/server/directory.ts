import type pg from "pg";
import type { InstanceScope, Scope } from "@/lib/auth/scope";
import { inTransaction, writePool } from "@/lib/db/pool";
import { getPrisma } from "@/lib/db/prisma";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import type { Prisma } from "@/lib/generated/prisma/client";
import { type ListPage, type ListQuery, readListPage } from "@/lib/http/list-page";
import { newId } from "@/lib/ids";
import type { OrganizationChanges } from "../schema";
import { insertOrganization } from "./organizations";

/** Organizations in the shape of the compatible API. */

const withDomains = { domains: { orderBy: { id: "asc" } } } as const;

type Row = Prisma.OrganizationGetPayload<{ include: { domains: true } }>;

export type WireOrganization = ReturnType<typeof toWire>;

function toWire(row: Row) {
  const times = (of: { createdAt: Date; updatedAt: Date }) => ({
    created_at: of.createdAt.toISOString(),
    updated_at: of.updatedAt.toISOString(),
  });
  return {
    object: "organization" as const,
    id: row.id,
    name: row.name,
    allow_profiles_outside_organization: row.allowProfilesOutsideOrganization,
    domains: row.domains.map((domain) => ({
      object: "organization_domain",
      id: domain.id,
      organization_id: row.id,
      domain: domain.domain,
      state: domain.state,
      verification_strategy: "manual",
      ...times(domain),
    })),
    ...(row.stripeCustomerId ? { stripe_customer_id: row.stripeCustomerId } : {}),
    external_id: row.externalId,
    metadata: row.metadata,
    ...times(row),
  };
}

const notFound = (id: string) =>
  new AppError("not_found", `Organization not found: '${id}'.`, { details: { entity_id: id } });

/** Of the organization's own columns, only the external id is unique. */
function explainTaken(error: unknown): never {
  if ((error as { code?: unknown }).code !== "23505") throw error;
  throw new AppError(
    "invalid_request",
    "The external_id is already used by another organization.",
    {
      details: { code: "external_id_already_used" },
      errors: [{ field: "external_id", code: "external_id_already_used" }],
    },
  );
}

/** The organizations a scope reaches. */
const within = ({ organizationId }: Scope | InstanceScope) => ({
  deletedAt: null,
  ...(organizationId === null ? {} : { AND: { id: organizationId } }),
});

async function findOne(
  scope: Scope | InstanceScope,
  where: { id?: string; externalId?: string },
): Promise<WireOrganization> {
  const row = await getPrisma().organization.findFirst({
    where: { ...where, ...within(scope) },
    include: withDomains,
  });
  if (!row) throw notFound(where.id ?? where.externalId ?? "");
  return toWire(row);
}

/** @throws AppError not_found */
export function readOrganization(scope: Scope): Promise<WireOrganization> {
  return findOne(scope, { id: scope.organizationId });
}

/** @throws AppError not_found */
export async function findByExternalId(
  scope: Scope | InstanceScope,
  externalId: string,
): Promise<WireOrganization> {
  if (externalId.includes("\0")) throw notFound(externalId);
  return findOne(scope, { externalId });
}

export interface OrganizationFilter {
  search: string | null;
  /** Any of these; empty: no filter. */
  domains: string[];
}

/** Newest first, unless asked otherwise. */
export async function listPage(
  scope: Scope | InstanceScope,
  query: ListQuery,
  filter: OrganizationFilter,
): Promise<ListPage<WireOrganization>> {
  const prisma = getPrisma();
  const where: Prisma.OrganizationWhereInput = within(scope);
  if (filter.search) {
    where.name = { contains: filter.search.replace(/[\\%_]/g, "\\$&"), mode: "insensitive" };
  }
  if (filter.domains.length > 0) {
    const domains = filter.domains.map((domain) => domain.trim().toLowerCase());
    const owners = await prisma.organizationDomain.findMany({ where: { domain: { in: domains } } });
    where.id = { in: owners.map(({ organizationId }) => organizationId) };
  }
  return readListPage(
    query,
    async ({ from, direction, limit }) => {
      // Also of an organization that was deleted while somebody pages.
      const edge = from && (await prisma.organization.findUnique({ where: { id: from } }));
      if (from && !edge) return [];
      const beyond = direction === "asc" ? "gt" : "lt";
      const keyset = edge && [
        { createdAt: { [beyond]: edge.createdAt } },
        { createdAt: edge.createdAt, id: { [beyond]: edge.id } },
      ];
      return prisma.organization.findMany({
        where: { ...where, ...(keyset ? { OR: keyset } : {}) },
        orderBy: [{ createdAt: direction }, { id: direction }],
        take: limit,
        include: withDomains,
      });
    },
    toWire,
  );
}

/**
 * Creates an organization within a transaction of the caller.
 * @throws AppError conflict when a domain belongs to another, invalid_request when the external id does.
 */
export async function createWithDetails(
  client: pg.PoolClient,
  scope: InstanceScope,
  changes: OrganizationChanges,
): Promise<WireOrganization> {
  const { id } = await insertOrganization(client, scope, { name: changes.name ?? "" });
  await client
    .query(
      `UPDATE organizations SET external_id = $2, metadata = $3, stripe_customer_id = $4,
         allow_profiles_outside_organization = $5 WHERE id = $1`,
      [
        id,
        changes.externalId ?? null,
        changes.metadata ?? {},
        changes.stripeCustomerId ?? null,
        changes.allowProfilesOutsideOrganization ?? false,
      ],
    )
    .catch(explainTaken);
  await setDomains(client, id, changes.domains ?? {});
  return readWithin(client, id);
}

/**
 * Changes what the request speaks of.
 * @throws AppError as createWithDetails, and not_found.
 */
export async function updateDetails(
  scope: Scope,
  changes: OrganizationChanges,
): Promise<WireOrganization> {
  const id = scope.organizationId;
  const columns = Object.entries({
    name: changes.name,
    external_id: changes.externalId,
    metadata: changes.metadata,
    stripe_customer_id: changes.stripeCustomerId,
    allow_profiles_outside_organization: changes.allowProfilesOutsideOrganization,
  }).filter(([, value]) => value !== undefined);
  const sets = columns.map(([column], position) => `, ${column} = $${position + 2}`);
  return inTransaction(writePool(), async (client) => {
    const updated = await client
      .query(
        `UPDATE organizations SET updated_at = now()${sets.join("")} WHERE id = $1 AND deleted_at IS NULL`,
        [id, ...columns.map(([, value]) => value)],
      )
      .catch(explainTaken);
    if (updated.rowCount === 0) throw notFound(id);
    if (changes.domains) await setDomains(client, id, changes.domains);
    const changed = [...columns.map(([column]) => column), ...(changes.domains ? ["domains"] : [])];
    await appendControlEvent(client, scope, {
      action: "trailseal.organization_changed",
      metadata: {
        changed: changed.join(" "),
        ...(changes.name === undefined ? {} : { name: changes.name }),
        ...(changes.domains ? { domains: Object.keys(changes.domains).sort().join(" ") } : {}),
      },
    });
    return readWithin(client, id);
  });
}

async function setDomains(
  client: pg.PoolClient,
  id: string,
  states: Record<string, string>,
): Promise<void> {
  const domains = Object.keys(states).sort();
  await client.query(
    "DELETE FROM organization_domains WHERE organization_id = $1 AND domain <> ALL($2::text[])",
    [id, domains],
  );
  for (const domain of domains) {
    const { rowCount } = await client.query(
      `INSERT INTO organization_domains (domain, id, organization_id, state) VALUES ($1, $2, $3, $4)
       ON CONFLICT (domain) DO UPDATE SET state = EXCLUDED.state, updated_at = now()
       WHERE organization_domains.organization_id = EXCLUDED.organization_id`,
      [domain, newId("domain"), id, states[domain]],
    );
    if (rowCount === 0) {
      throw new AppError(
        "conflict",
        `The domain ${domain} is already used by another organization.`,
      );
    }
  }
}

/** What the transaction sees and nobody else does yet. */
async function readWithin(client: pg.PoolClient, id: string): Promise<WireOrganization> {
  const { rows } = await client.query<Omit<Row, "domains">>(
    `SELECT id, name, external_id AS "externalId", metadata, stripe_customer_id AS "stripeCustomerId",
       allow_profiles_outside_organization AS "allowProfilesOutsideOrganization",
       created_at AS "createdAt", updated_at AS "updatedAt" FROM organizations WHERE id = $1`,
    [id],
  );
  const domains = await client.query<Row["domains"][number]>(
    `SELECT id, domain, state, created_at AS "createdAt", updated_at AS "updatedAt"
     FROM organization_domains WHERE organization_id = $1 ORDER BY id`,
    [id],
  );
  return toWire({ ...(rows[0] as Row), domains: domains.rows });
}

/**
 * Hides an organization: it answers 404 from now on, its id stays taken, its log stays provable. Its
 * external id and domains are free again.
 * @throws AppError not_found
 */
export async function deleteOrganization(scope: Scope): Promise<void> {
  const { organizationId } = scope;
  await inTransaction(writePool(), async (client) => {
    const { rowCount } = await client.query(
      "UPDATE organizations SET deleted_at = now() WHERE id = $1 AND deleted_at IS NULL",
      [organizationId],
    );
    if (rowCount === 0) throw notFound(organizationId);
    const action = "trailseal.organization_deleted";
    await appendControlEvent(client, scope, { action, isDeletedToo: true });
    await client.query("DELETE FROM organization_domains WHERE organization_id = $1", [
      organizationId,
    ]);
    await client.query("DELETE FROM identity_domains WHERE organization_id = $1", [organizationId]);
  });
}
