import { randomBytes } from "node:crypto";
import { z } from "zod";
import type { InstanceScope, Scope } from "@/lib/auth/scope";
import { sha256 } from "@/lib/chain/sha256";
import { getPrisma } from "@/lib/db/prisma";
import { AppError } from "@/lib/errors";
import { newId } from "@/lib/ids";

const KEY_BYTES = 32;

export const newApiKeySchema = z.object({
  name: z.string().trim().min(1, "must not be empty").max(200, "is too long"),
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
  input: { name: string },
): Promise<{ id: string; key: string }> {
  const { organizationId } = scope;
  const prisma = getPrisma();
  if (
    organizationId !== null &&
    !(await prisma.organization.findFirst({ where: { id: organizationId, deletedAt: null } }))
  ) {
    throw new AppError("not_found", `Organization not found: '${organizationId}'.`);
  }
  const key = `sk_${randomBytes(KEY_BYTES).toString("base64url")}`;
  const id = newId("apiKey");
  const keyHash = new Uint8Array(sha256(key));
  await prisma.apiKey.create({
    data: { id, name: input.name, organizationId, keyHash, last4: key.slice(-4) },
  });
  return { id, key };
}

/** Keys of the scope's organization, or with an instance scope all keys; newest first. */
export async function listApiKeys(scope: Scope | InstanceScope): Promise<ApiKey[]> {
  const where = scope.organizationId === null ? {} : { organizationId: scope.organizationId };
  const rows = await getPrisma().apiKey.findMany({
    where,
    orderBy: { id: "desc" },
    omit: { keyHash: true },
  });
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    organizationId: row.organizationId,
    last4: row.last4,
    createdAt: row.createdAt.toISOString(),
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
    revokedAt: row.revokedAt?.toISOString() ?? null,
    ignoredFields: Number(row.ignoredFields),
  }));
}

/**
 * The key stops working at once.
 * @throws AppError not_found for a key of another organization alike.
 */
export async function revokeApiKey(scope: Scope | InstanceScope, id: string): Promise<void> {
  const where =
    scope.organizationId === null ? { id } : { id, organizationId: scope.organizationId };
  const { count } = await getPrisma().apiKey.updateMany({
    where: { ...where, revokedAt: null },
    data: { revokedAt: new Date() },
  });
  if (count === 0)
    throw new AppError("not_found", "There is no such key, or it is revoked already.");
}

/** Counts unknown event fields against the key that sent them. */
export async function countIgnoredFields(keyId: string, fields: number): Promise<void> {
  await getPrisma().apiKey.update({
    where: { id: keyId },
    data: { ignoredFields: { increment: fields } },
  });
}
