import { sha256 } from "@/lib/chain/sha256";
import { unlessAway } from "@/lib/db/explain";
import { readPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { type ApiKeyAccessKey, permissionOf } from "../access";
import type { InstanceScope, Scope } from "../scope";

export interface AuthenticatedKey {
  id: string;
  /** The only organization it may act for; null: all of them. */
  organizationId: string | null;
  /**
   * Scope of the organization that a request names.
   * @throws AppError not_found for one that is unknown, deleted, or another than the key is bound to.
   */
  scopeFor(organizationId: string): Promise<Scope>;
  /**
   * Scope of the instance, for what belongs to no organization.
   * @throws AppError forbidden for a key that is bound to one.
   */
  instanceScope(): InstanceScope;
}

interface KeyRow {
  id: string;
  organization_id: string | null;
}

async function findKey(keyHash: Buffer): Promise<KeyRow | null> {
  // last_used_at moves once a minute: a write per request would be waste.
  const { rows } = await readPool().query<KeyRow & { stale: boolean }>(
    `SELECT id, organization_id, (last_used_at IS NULL OR last_used_at < now() - interval '1 minute') AS stale
     FROM api_keys WHERE key_hash = $1 AND revoked_at IS NULL`,
    [keyHash],
  );
  const key = rows[0] ?? null;
  if (key?.stale)
    await readPool().query("UPDATE api_keys SET last_used_at = now() WHERE id = $1", [key.id]);
  return key;
}

async function isOrganization(id: string): Promise<boolean> {
  // PostgreSQL takes no U+0000: such an id is unknown, not a failure.
  if (id.includes("\u0000")) return false;
  const found = await unlessAway(() =>
    readPool().query("SELECT 1 FROM organizations WHERE id = $1 AND deleted_at IS NULL", [id]),
  );
  return found.rowCount === 1;
}

/**
 * The key of `Authorization: Bearer sk_…`. Keys are random and stored as SHA-256, so that the look-up by
 * hash gives nothing away by its timing.
 * @throws AppError unauthorized when it is missing, unknown or revoked; unavailable.
 */
export async function authenticateApiKey(
  request: Request,
  accessKey: ApiKeyAccessKey,
): Promise<AuthenticatedKey> {
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "");
  if (!bearer?.[1]) throw new AppError("unauthorized", "Unauthorized");
  const key = await unlessAway(() => findKey(sha256(bearer[1] as string)));
  if (!key) throw new AppError("unauthorized", "Unauthorized");
  const principal = { kind: "api_key", id: key.id };
  const permissions = new Set([permissionOf(accessKey)]);
  return {
    id: key.id,
    organizationId: key.organization_id,
    instanceScope() {
      if (key.organization_id !== null)
        throw new AppError(
          "forbidden",
          "A key of one organization cannot do this: use one of the instance.",
        );
      return { principal, permissions, organizationId: null } as unknown as InstanceScope;
    },
    async scopeFor(organizationId) {
      const bound = key.organization_id === null || key.organization_id === organizationId;
      if (!bound || !(await isOrganization(organizationId))) {
        throw new AppError("not_found", `Organization not found: '${organizationId}'.`, {
          details: { entity_id: organizationId },
        });
      }
      return { principal, permissions, organizationId } as unknown as Scope;
    },
  };
}
