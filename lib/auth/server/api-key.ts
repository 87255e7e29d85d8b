import { sha256 } from "@/lib/chain/sha256";
import { unlessAway } from "@/lib/db/explain";
import { readPool } from "@/lib/db/pool";
import { getEnv } from "@/lib/env";
import { AppError } from "@/lib/errors";
import { rateLimiter } from "@/lib/http/rate-limit";
import { currentRequest } from "@/lib/http/request-context";
import { type ApiKeyAccessKey, permissionOf } from "../access";
import { grantedBy } from "../permissions";
import type { InstanceScope, Scope } from "../scope";
import { networkOf } from "./throttle";

/** Forms of User-Agent kept per key: what anybody may write must not fill the table. */
const MAX_CLIENTS = 50;
const CLIENT_SEEN_AGAIN_MS = 600_000;

export interface AuthenticatedKey {
  id: string;
  /** null: the key works for every organization of the instance. */
  organizationId: string | null;
  /**
   * Scope of the organization that a request names.
   * @throws AppError not_found for one that is unknown, deleted, or another than the key is bound to.
   */
  scopeFor(organizationId: string): Promise<Scope>;
  /**
   * Scope of the instance.
   * @throws AppError forbidden for a key that is bound to an organization.
   */
  instanceScope(): InstanceScope;
  /** Everything that the key reaches. */
  widestScope(): Scope | InstanceScope;
}

interface KeyRow {
  id: string;
  organization_id: string | null;
  permissions: string[];
}

async function findKey(keyHash: Buffer): Promise<KeyRow | null> {
  // last_used_at moves once a minute: a write per request would be waste.
  const { rows } = await readPool().query<KeyRow & { stale: boolean }>(
    `SELECT id, organization_id, permissions,
       (last_used_at IS NULL OR last_used_at < now() - interval '1 minute') AS stale
     FROM api_keys WHERE key_hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
    [keyHash],
  );
  const key = rows[0] ?? null;
  if (key?.stale)
    await readPool().query("UPDATE api_keys SET last_used_at = now() WHERE id = $1", [key.id]);
  return key;
}

/** Keys of one network that are looked up within a minute and are wrong, or not looked up yet. */
export const WRONG_KEYS_PER_MINUTE = 600;
const MOST_KNOWN = 10_000;
/** Hashes of keys that this process has found: they are looked up whatever is guessed beside them. */
const known = new Set<string>();

/**
 * Nobody finds a key of 256 bits by guessing; who tries keeps the database busy with it.
 * @throws AppError unauthorized; rate_limited for a key that was not seen yet, from a network of many wrong ones.
 */
async function findUnlessGuessed(keyHash: Buffer): Promise<KeyRow> {
  const name = keyHash.toString("base64");
  const wrong = rateLimiter("wrong keys", WRONG_KEYS_PER_MINUTE);
  const network = networkOf(currentRequest()?.clientAddress ?? "unknown");
  const isKnown = known.has(name);
  // Before it is looked up: guesses sent side by side count like guesses sent one after the other.
  const retryAfterS = isKnown ? 0 : wrong.take(network);
  if (retryAfterS > 0)
    throw new AppError("rate_limited", "Too many unknown API keys.", { retryAfterS });
  const key = await unlessAway(() => findKey(keyHash));
  if (!key) {
    // Revoked since: it is looked up no more than any other wrong one.
    known.delete(name);
    throw new AppError("unauthorized", "Unauthorized");
  }
  if (!isKnown) wrong.giveBack(network);
  if (known.size >= MOST_KNOWN) known.clear();
  known.add(name);
  return key;
}

/** When this process last noted a client of a key. */
const noted = new Map<string, number>();

/** Keeps which SDKs use a key: a newcomer at once, one that is known every ten minutes. */
async function noteClient(keyId: string, userAgent: string | null): Promise<void> {
  const client = (userAgent ?? "").replace(/[^\x20-\x7e]/g, "?").slice(0, 200) || "unnamed";
  const entry = `${keyId} ${client}`;
  const now = performance.now();
  if (now - (noted.get(entry) ?? Number.NEGATIVE_INFINITY) < CLIENT_SEEN_AGAIN_MS) return;
  if (noted.size > 10_000) noted.clear();
  noted.set(entry, now);
  await readPool().query(
    `INSERT INTO api_key_clients (api_key_id, client)
     SELECT $1, $2 WHERE (SELECT count(*) FROM api_key_clients WHERE api_key_id = $1 AND client <> $2) < $3
     ON CONFLICT (api_key_id, client) DO UPDATE SET last_seen_at = now()`,
    [keyId, client, MAX_CLIENTS],
  );
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
 * @throws AppError unauthorized when it is missing, unknown, revoked or run out; rate_limited; forbidden
 * when it may not do this; unavailable.
 */
export async function authenticateApiKey(
  request: Request,
  accessKey: ApiKeyAccessKey,
): Promise<AuthenticatedKey> {
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "");
  if (!bearer?.[1]) throw new AppError("unauthorized", "Unauthorized");
  const key = await findUnlessGuessed(sha256(bearer[1]));
  const context = currentRequest();
  if (context) context.apiKeyId = key.id;
  const requests = rateLimiter("requests", getEnv().TRAILSEAL_RATE_LIMIT_PER_MINUTE);
  const retryAfterS = requests.take(key.id);
  if (retryAfterS > 0) throw new AppError("rate_limited", "Too many requests.", { retryAfterS });
  await unlessAway(() => noteClient(key.id, request.headers.get("user-agent")));
  const permissions = grantedBy(key.permissions);
  if (!permissions.has(permissionOf(accessKey)))
    throw new AppError("forbidden", "This API key does not have the permission for this.");
  const issue = (organizationId: string | null) => ({
    principal: { kind: "api_key", id: key.id },
    permissions,
    organizationId,
    toldIn: null,
  });
  return {
    id: key.id,
    organizationId: key.organization_id,
    async scopeFor(organizationId) {
      const bound = key.organization_id === null || key.organization_id === organizationId;
      if (!bound || !(await isOrganization(organizationId))) {
        throw new AppError("not_found", `Organization not found: '${organizationId}'.`, {
          details: { entity_id: organizationId },
        });
      }
      return issue(organizationId) as unknown as Scope;
    },
    instanceScope() {
      if (key.organization_id !== null) {
        throw new AppError(
          "forbidden",
          "This API key works for one organization only; this takes a key of the instance.",
        );
      }
      return issue(null) as unknown as InstanceScope;
    },
    widestScope: () => issue(key.organization_id) as unknown as Scope | InstanceScope,
  };
}
