import { randomBytes } from "node:crypto";
import { z } from "zod";
import { type KeyPermission, keyPermissionNames } from "@/lib/auth/permissions";
import type { InstanceScope, Scope } from "@/lib/auth/scope";
import { sha256 } from "@/lib/chain/sha256";
import { getPrisma } from "@/lib/db/prisma";
import { AppError } from "@/lib/errors";
import type { Prisma } from "@/lib/generated/prisma/client";
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
  const prisma = getPrisma();
  if (
    organizationId !== null &&
    !(await prisma.organization.findFirst({ where: { id: organizationId, deletedAt: null } }))
  ) {
    throw new AppError("not_found", `Organization not found: '${organizationId}'.`);
  }
  return insertKey(prisma, { permissions: ["events:write"], ...input, organizationId });
}

async function insertKey(
  prisma: Prisma.TransactionClient,
  fields: { name: string; permissions: string[]; organizationId: string | null },
): Promise<{ id: string; key: string }> {
  const key = `sk_${randomBytes(KEY_BYTES).toString("base64url")}`;
  const id = newId("apiKey");
  const keyHash = new Uint8Array(sha256(key));
  await prisma.apiKey.create({ data: { ...fields, id, keyHash, last4: key.slice(-4) } });
  return { id, key };
}

/** The keys that a scope may touch. */
const within = ({ organizationId }: Scope | InstanceScope) =>
  organizationId === null ? {} : { organizationId };

const isAlive = () => ({
  revokedAt: null,
  OR: [{ expiresAt: null }, { expiresAt: { gt: new Date() } }],
});

const noSuchKey = () =>
  new AppError("not_found", "There is no such key, or it does not work any more.");

/**
 * Makes a key with the same name and permissions; the old one goes on working for a while, so that
 * applications can change over.
 * @throws AppError not_found
 */
export async function rotateApiKey(
  scope: Scope | InstanceScope,
  { id, overlapHours }: z.infer<typeof rotationSchema>,
): Promise<{ id: string; key: string; expiresAt: string }> {
  return getPrisma().$transaction(async (prisma) => {
    const old = await prisma.apiKey.findFirst({ where: { id, ...within(scope), ...isAlive() } });
    if (!old) throw noSuchKey();
    const { name, permissions, organizationId } = old;
    const made = await insertKey(prisma, { name, permissions, organizationId });
    const wanted = Date.now() + overlapHours * 3_600_000;
    // A second rotation does not prolong what the first one ended.
    const expiresAt = new Date(Math.min(wanted, old.expiresAt?.getTime() ?? wanted));
    await prisma.apiKey.update({ where: { id }, data: { expiresAt, replacedBy: made.id } });
    return { ...made, expiresAt: expiresAt.toISOString() };
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
  const { count } = await getPrisma().apiKey.updateMany({
    where: { id, ...within(scope), revokedAt: null },
    data: { revokedAt: new Date() },
  });
  if (count === 0) throw noSuchKey();
}

/** Counts unknown event fields against the key that sent them. */
export async function countIgnoredFields(keyId: string, fields: number): Promise<void> {
  await getPrisma().apiKey.update({
    where: { id: keyId },
    data: { ignoredFields: { increment: fields } },
  });
}
