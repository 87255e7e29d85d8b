import { randomBytes } from "node:crypto";
import type pg from "pg";
import { z } from "zod";
import { type KeyPermission, keyPermissionNames } from "@/lib/auth/permissions";
import type { InstanceScope, Scope } from "@/lib/auth/scope";
import { namingScope } from "@/lib/auth/server/issue-scope";
import { sha256 } from "@/lib/chain/sha256";
import { inTransaction, writePool } from "@/lib/db/pool";
import { getPrisma } from "@/lib/db/prisma";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { newId } from "@/lib/ids";

const KEY_BYTES = 32;

export const newApiKeySchema = z.object({
  name: z.string().trim().min(1, "must not be empty").max(200, "is too long"),
  permissions: z
    .array(z.enum(keyPermissionNames, `must be among ${keyPermissionNames.join(", ")}`))
    .min(1, "must name at least one")
    .default(["events:write"]),
});

export const rotationSchema = z.object({
  id: z.string().max(64),
  /** Hours for which the old key goes on working. */
  overlapHours: z.coerce.number().int().min(0).max(720).default(24),
});

export interface ApiKey {
  id: string;
  name: string;
  /** null: may write to every organization of the instance. */
  organizationId: string | null;
  last4: string;
  createdAt: string;
  lastUsedAt: string | null;
  revokedAt: string | null;
  permissions: string[];
  /** The end of a rotated key. */
  expiresAt: string | null;
  /** SDKs that used it, by User-Agent, the last seen first. */
  clients: { client: string; lastSeenAt: string }[];
  /** Events received with it in the last 24 whole hours and the one under way, as far as they are counted. */
  eventsLastDay: number;
  /** Unknown event fields that requests with this key carried. */
  ignoredFields: number;
}

/**
 * Creates a key for the scope's organization, or with an instance scope for all of them.
 * @returns the key itself, which is not kept: only its SHA-256 is.
 * @throws AppError not_found
 */
export async function createApiKey(
  scope: Scope | InstanceScope,
  input: { name: string; permissions?: KeyPermission[] },
): Promise<{ id: string; key: string }> {
  const { organizationId } = scope;
  const { name, permissions = ["events:write"] } = input;
  return inTransaction(writePool(), async (client) => {
    const fields = { id: newId("apiKey"), name, permissions, organizationId };
    // First: it knows whether there is such an organization.
    await tell(client, scope, "created", fields);
    return insertKey(client, fields);
  });
}

interface KeyFields {
  id: string;
  name: string;
  permissions: string[];
  organizationId: string | null;
}

async function insertKey(
  client: pg.PoolClient,
  { id, name, permissions, organizationId }: KeyFields,
): Promise<{ id: string; key: string }> {
  const key = `sk_${randomBytes(KEY_BYTES).toString("base64url")}`;
  await client.query(
    `INSERT INTO api_keys (id, name, organization_id, key_hash, last4, permissions)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [id, name, organizationId, sha256(key), key.slice(-4), permissions],
  );
  return { id, key };
}

/**
 * What happened to a key, in the log of its organization; of one of the instance, in that of the organization whose
 * page it was done on.
 */
async function tell(
  client: pg.PoolClient,
  scope: Scope | InstanceScope,
  what: "created" | "rotated" | "revoked",
  key: KeyFields,
  more: Record<string, string> = {},
): Promise<void> {
  const toldIn =
    key.organizationId === null
      ? scope.organizationId === null && scope.toldIn
      : namingScope(scope.principal, key.organizationId);
  if (!toldIn) return;
  await appendControlEvent(client, toldIn, {
    action: `trailseal.api_key_${what}`,
    targets: [{ type: "api_key", id: key.id, name: key.name }],
    metadata: {
      permissions: key.permissions.join(" "),
      reach: key.organizationId === null ? "every organization" : "this organization",
      ...more,
    },
    isDeletedToo: what === "revoked",
  });
}

/** The keys that a scope may touch. */
const within = ({ organizationId }: Scope | InstanceScope) =>
  organizationId === null ? {} : { organizationId };

const noSuchKey = () =>
  new AppError("not_found", "There is no such key, or it does not work any more.");

/** Changes a key that works, under its lock. @throws AppError not_found for a key of another organization alike */
async function changing<T>(
  scope: Scope | InstanceScope,
  id: string,
  { isExpiredToo = false }: { isExpiredToo?: boolean },
  change: (client: pg.PoolClient, old: KeyFields & { expiresAt: Date | null }) => Promise<T>,
): Promise<T> {
  return inTransaction(writePool(), async (client) => {
    const { rows } = await client.query(
      `SELECT id, name, permissions, organization_id AS "organizationId", expires_at AS "expiresAt" FROM api_keys
       WHERE id = $1 AND ($2::text IS NULL OR organization_id = $2) AND revoked_at IS NULL
         AND ($3 OR expires_at IS NULL OR expires_at > now()) FOR UPDATE`,
      [id, scope.organizationId, isExpiredToo],
    );
    if (!rows[0]) throw noSuchKey();
    return change(client, rows[0]);
  });
}

/**
 * Makes a key with the same name and permissions; the old one goes on working for a while, so that
 * applications can change over.
 * @throws AppError not_found
 */
export async function rotateApiKey(
  scope: Scope | InstanceScope,
  { id, overlapHours }: z.infer<typeof rotationSchema>,
): Promise<{ id: string; key: string; expiresAt: string }> {
  return changing(scope, id, {}, async (client, old) => {
    const made = await insertKey(client, { ...old, id: newId("apiKey") });
    const wanted = Date.now() + overlapHours * 3_600_000;
    // A second rotation does not prolong what the first one ended.
    const ends = new Date(Math.min(wanted, old.expiresAt?.getTime() ?? wanted));
    await client.query("UPDATE api_keys SET expires_at = $2, replaced_by = $3 WHERE id = $1", [
      id,
      ends,
      made.id,
    ]);
    const expiresAt = ends.toISOString();
    await tell(client, scope, "rotated", old, { replaced_by: made.id, expires_at: expiresAt });
    return { ...made, expiresAt };
  });
}

/** Keys of the scope's organization, or with an instance scope all keys; newest first. */
export async function listApiKeys(scope: Scope | InstanceScope): Promise<ApiKey[]> {
  const rows = await getPrisma().apiKey.findMany({
    where: within(scope),
    orderBy: { id: "desc" },
    omit: { keyHash: true },
    include: { clients: { orderBy: { lastSeenAt: "desc" } } },
  });
  const counts = await getPrisma().rollupKeyHourly.groupBy({
    by: "apiKeyId",
    where: { ...within(scope), hour: { gt: new Date(Date.now() - 25 * 3_600_000) } },
    _sum: { events: true },
  });
  const eventsOf = new Map(counts.map(({ apiKeyId, _sum }) => [apiKeyId, Number(_sum.events)]));
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    organizationId: row.organizationId,
    last4: row.last4,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
    permissions: row.permissions,
    expiresAt: row.expiresAt?.toISOString() ?? null,
    clients: row.clients.map(({ client, lastSeenAt }) => ({
      client,
      lastSeenAt: lastSeenAt.toISOString(),
    })),
    eventsLastDay: eventsOf.get(row.id) ?? 0,
    ignoredFields: Number(row.ignoredFields),
  }));
}

/**
 * The key stops working at once.
 * @throws AppError not_found for a key of another organization alike.
 */
export async function revokeApiKey(scope: Scope | InstanceScope, id: string): Promise<void> {
  await changing(scope, id, { isExpiredToo: true }, async (client, old) => {
    await client.query("UPDATE api_keys SET revoked_at = now() WHERE id = $1", [id]);
    await tell(client, scope, "revoked", old);
  });
}

/** Counts unknown event fields against the key that sent them. */
export async function countIgnoredFields(keyId: string, fields: number): Promise<void> {
  await getPrisma().apiKey.update({
    where: { id: keyId },
    data: { ignoredFields: { increment: fields } },
  });
}
