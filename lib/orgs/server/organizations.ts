import type pg from "pg";
import { homeOf } from "@/lib/auth/people";
import type { InstanceScope, Scope } from "@/lib/auth/scope";
import type { SessionUser } from "@/lib/auth/server/sessions";
import { genesisHash } from "@/lib/chain/event-hash";
import { inTransaction, readPool } from "@/lib/db/pool";
import { getPrisma } from "@/lib/db/prisma";
import { getEnv } from "@/lib/env";
import { AppError } from "@/lib/errors";
import { newId, newUlid } from "@/lib/ids";
import type { NewOrganization } from "../schema";

const PREFIX_SETTING = "log_prefix";

export interface Organization {
  id: string;
  name: string;
  createdAt: string;
}

/**
 * First part of every origin: from the settings of the process, else minted once for the instance. On the
 * caller's connection: one that waits for a second could wait for itself.
 */
async function logPrefix(client: pg.PoolClient): Promise<string> {
  const { TRAILSEAL_LOG_PREFIX: configured } = getEnv();
  if (configured) return configured;
  const value = `trailseal.local/${newUlid()}`;
  await client.query(
    "INSERT INTO settings (key, value) VALUES ($1, to_jsonb($2::text)) ON CONFLICT (key) DO NOTHING",
    [PREFIX_SETTING, value],
  );
  const { rows } = await client.query<{ value: string }>(
    "SELECT value FROM settings WHERE key = $1",
    [PREFIX_SETTING],
  );
  return rows[0]?.value ?? value;
}

/**
 * Creates an organization with its empty log; the log's origin never changes afterwards.
 * @throws AppError conflict when the id is taken, also by a deleted organization.
 */
export async function createOrganization(
  scope: InstanceScope,
  organization: NewOrganization,
): Promise<{ id: string }> {
  return inTransaction(readPool(), (client) => insertOrganization(client, scope, organization));
}

/** The same within a transaction of the caller. */
export async function insertOrganization(
  client: pg.PoolClient,
  _scope: InstanceScope,
  organization: NewOrganization,
): Promise<{ id: string }> {
  const id = organization.id ?? newId("organization");
  const origin = `${await logPrefix(client)}/${id}`;
  const made = await client.query(
    "INSERT INTO organizations (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
    [id, organization.name],
  );
  if (made.rowCount === 0)
    throw new AppError("conflict", `There is already an organization ${id}.`);
  await client.query(
    "INSERT INTO log_heads (organization_id, origin, head_hash) VALUES ($1, $2, $3)",
    [id, origin, genesisHash(origin)],
  );
  return { id };
}

const toOrganization = (row: { id: string; name: string; createdAt: Date }): Organization => ({
  id: row.id,
  name: row.name,
  createdAt: row.createdAt.toISOString(),
});

/** Every organization, by name. */
export async function listOrganizations(_scope: InstanceScope): Promise<Organization[]> {
  const rows = await getPrisma().organization.findMany({
    where: { deletedAt: null },
    orderBy: [{ name: "asc" }, { id: "asc" }],
  });
  return rows.map(toOrganization);
}

/** The organizations a user reaches, by name, each with where they begin: its events, else the overview. */
export async function listOrganizationsOf(
  user: SessionUser,
): Promise<(Organization & { home: string })[]> {
  const prisma = getPrisma();
  const memberships = user.instanceAdmin
    ? null
    : await prisma.membership.findMany({ where: { userId: user.id, removedAt: null } });
  const rows = await prisma.organization.findMany({
    where: {
      deletedAt: null,
      ...(memberships ? { id: { in: memberships.map((row) => row.organizationId) } } : {}),
    },
    orderBy: [{ name: "asc" }, { id: "asc" }],
  });
  const roleIn = new Map(memberships?.map(({ organizationId, role }) => [organizationId, role]));
  return rows.map((row) => ({
    ...toOrganization(row),
    home: homeOf(row.id, roleIn.get(row.id) ?? null),
  }));
}

/** @throws AppError not_found */
export async function getOrganization(scope: Scope): Promise<Organization> {
  const row = await getPrisma().organization.findFirst({
    where: { id: scope.organizationId, deletedAt: null },
  });
  if (!row) throw new AppError("not_found", `Organization not found: '${scope.organizationId}'.`);
  return toOrganization(row);
}
