import type pg from "pg";
import type { Scope } from "@/lib/auth/scope";
import { sealClientSecret } from "@/lib/auth/server/client-secret";
import { endSessionsThrough } from "@/lib/auth/server/sessions";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { publicUrl } from "@/lib/env";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { newId } from "@/lib/ids";
import type { Provider, ProviderChange, SingleSignOn } from "../schema";

/**
 * An organization's identity providers. Every change is an event of its log, committed with it, and takes an owner:
 * whoever names the issuer could come in as one.
 */

const MOST = 20;

const COLUMNS = `p.id, p.name, p.issuer, p.client_id AS "clientId", p.client_secret IS NOT NULL AS "hasSecret", p.scopes,
  p.groups_claim AS "groupsClaim", p.group_roles AS "groupRoles", p.default_role AS "defaultRole",
  p.enabled AS "isEnabled", p.proven_at AS "provenAt",
  ARRAY(SELECT domain FROM identity_domains d WHERE d.organization_id = p.organization_id AND d.provider_id = p.id
    ORDER BY domain) AS domains`;

type Row = Omit<Provider, "provenAt" | "redirectUri"> & { provenAt: Date | null };

const toProvider = ({ provenAt, ...row }: Row): Provider => ({
  ...row,
  provenAt: provenAt?.toISOString() ?? null,
  redirectUri: `${publicUrl()}/api/auth/callback/${row.id}`,
});

/** By name. */
export async function readSingleSignOn({ organizationId }: Scope): Promise<SingleSignOn> {
  const { rows } = await readPool().query<Row>(
    `SELECT ${COLUMNS} FROM identity_providers p WHERE p.organization_id = $1 ORDER BY lower(p.name), p.id`,
    [organizationId],
  );
  const required = await readPool().query<{ is: boolean }>(
    `SELECT sso_required AS "is" FROM organizations WHERE id = $1`,
    [organizationId],
  );
  return { isRequired: required.rows[0]?.is ?? false, providers: rows.map(toProvider) };
}

/** One change at a time: what is required and what can be used hang together. */
async function locked<T>(scope: Scope, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  return inTransaction(writePool(), async (client) => {
    await client.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [
      lockName(scope.organizationId),
    ]);
    return work(client);
  });
}

const lockName = (organizationId: string) => `single sign-on ${organizationId}`;

/** Changes wait until who comes in now is in, and are asked for by who comes later. After the members' lock. */
export async function holdProviders(client: pg.PoolClient, organizationId: string): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0))", [
    lockName(organizationId),
  ]);
}

/** @throws AppError not_found */
async function find(client: pg.PoolClient, scope: Scope, id: string): Promise<Provider> {
  const { rows } = await client.query<Row>(
    `SELECT ${COLUMNS} FROM identity_providers p WHERE p.organization_id = $1 AND p.id = $2`,
    [scope.organizationId, id],
  );
  if (!rows[0]) throw new AppError("not_found", "There is no such identity provider.");
  return toProvider(rows[0]);
}

function tell(
  client: pg.PoolClient,
  scope: Scope,
  what: string,
  { id, name }: Pick<Provider, "id" | "name">,
  metadata: Record<string, string> = {},
): Promise<number> {
  return appendControlEvent(client, scope, {
    action: `trailseal.sso_${what}`,
    targets: [{ type: "identity_provider", id, name }],
    metadata,
  });
}

/** Begins one: it has its redirect URI, which the provider wants before it gives a client id. */
export async function createProvider(scope: Scope, name: string): Promise<{ id: string }> {
  const id = newId("identityProvider");
  return locked(scope, async (client) => {
    const { rowCount } = await client.query(
      "SELECT FROM identity_providers WHERE organization_id = $1 LIMIT $2",
      [scope.organizationId, MOST],
    );
    if (rowCount === MOST)
      throw new AppError("conflict", `There are ${MOST} identity providers. Delete one first.`);
    await client.query(
      "INSERT INTO identity_providers (organization_id, id, name) VALUES ($1, $2, $3)",
      [scope.organizationId, id, name],
    );
    await tell(client, scope, "provider_created", { id, name });
    return { id };
  });
}

/** What metadata may hold; the end says that there was more. */
const cut = (text: string) => (text.length > 500 ? `${text.slice(0, 499)}…` : text);

/**
 * Another issuer or client is another provider: who was known from the one before is so no longer, and has to be
 * vouched for again.
 * @throws AppError invalid_request where something is missing; conflict when nobody could come in any more
 */
export async function changeProvider(scope: Scope, change: ProviderChange): Promise<void> {
  const { organizationId } = scope;
  await locked(scope, async (client) => {
    const before = await find(client, scope, change.id);
    const hasSecret = before.hasSecret || change.clientSecret !== "";
    const isElsewhere = change.issuer !== before.issuer || change.clientId !== before.clientId;
    // Whoever takes the secret elsewhere has to know it.
    if (change.clientSecret === "" && before.hasSecret && change.issuer !== before.issuer)
      throw missing("clientSecret", "is asked for again: it goes to another issuer");
    if (change.isEnabled && !hasSecret) throw missing("clientSecret", "must not be empty");
    await client.query(
      `UPDATE identity_providers SET name = $3, issuer = $4, client_id = $5, scopes = $6, groups_claim = $7,
         group_roles = $8, default_role = $9, client_secret = coalesce($10, client_secret), enabled = $11,
         proven_at = CASE WHEN $12 THEN NULL ELSE proven_at END
       WHERE organization_id = $1 AND id = $2`,
      [
        ...[organizationId, change.id, change.name, change.issuer, change.clientId, change.scopes],
        ...[change.groupsClaim, JSON.stringify(change.groupRoles), change.defaultRole],
        change.clientSecret === ""
          ? null
          : JSON.stringify(
              sealClientSecret({ organizationId, id: change.id }, change.clientSecret),
            ),
        ...[change.isEnabled, isElsewhere],
      ],
    );
    // A provider may name the same people otherwise to each client.
    if (isElsewhere)
      await client.query("DELETE FROM identities WHERE organization_id = $1 AND provider_id = $2", [
        organizationId,
        change.id,
      ]);
    await demandWayIn(client, scope);
    const isOver = !change.isEnabled || isElsewhere;
    const ended = isOver
      ? await endSessionsThrough(client, organizationId, { provider: change.id })
      : 0;
    await tell(client, scope, "provider_changed", change, {
      issuer: cut(change.issuer),
      client_id: cut(change.clientId),
      client_secret: change.clientSecret === "" ? "kept" : "replaced",
      scopes: cut(change.scopes),
      groups_claim: cut(change.groupsClaim),
      group_roles: cut(
        change.groupRoles.map(({ group, role }) => `${group}: ${role}`).join("; ") || "none",
      ),
      default_role: change.defaultRole ?? "none",
      enabled: String(change.isEnabled),
      sessions_ended: String(ended),
    });
  });
}

const missing = (field: string, code: string) =>
  new AppError("invalid_request", `${field} ${code}.`, { errors: [{ field, code }] });

/** @throws AppError as changeProvider does */
export async function deleteProvider(scope: Scope, id: string): Promise<void> {
  const { organizationId } = scope;
  await locked(scope, async (client) => {
    const before = await find(client, scope, id);
    await client.query("DELETE FROM identity_providers WHERE organization_id = $1 AND id = $2", [
      organizationId,
      id,
    ]);
    await demandWayIn(client, scope);
    const ended = await endSessionsThrough(client, organizationId, { provider: id });
    await tell(client, scope, "provider_deleted", before, {
      issuer: cut(before.issuer),
      domains: cut(before.domains.join(", ") || "none"),
      sessions_ended: String(ended),
    });
  });
}

/** @throws AppError conflict where single sign-on is required and no provider is known to work */
async function demandWayIn(client: pg.PoolClient, { organizationId }: Scope): Promise<void> {
  const { rowCount } = await client.query(
    `SELECT FROM organizations o WHERE o.id = $1 AND o.sso_required AND NOT EXISTS (
       SELECT FROM identity_providers p WHERE p.organization_id = o.id AND p.enabled AND p.proven_at IS NOT NULL)`,
    [organizationId],
  );
  if (rowCount === 1)
    throw new AppError(
      "conflict",
      "Single sign-on is required, and this is the only provider that somebody came in through. Stop requiring it first.",
    );
}

/**
 * Members come in through a provider only, or by password as well.
 * @throws AppError conflict before anybody has come in through one
 */
export async function requireSingleSignOn(scope: Scope, isRequired: boolean): Promise<void> {
  const { organizationId } = scope;
  await locked(scope, async (client) => {
    const { rowCount } = await client.query(
      "UPDATE organizations SET sso_required = $2 WHERE id = $1 AND sso_required <> $2",
      [organizationId, isRequired],
    );
    if (rowCount === 0) return;
    const { rows } = await client.query(
      "SELECT FROM identity_providers WHERE organization_id = $1 AND enabled AND proven_at IS NOT NULL LIMIT 1",
      [organizationId],
    );
    if (isRequired && rows.length === 0)
      throw new AppError(
        "conflict",
        "Nobody came in through a provider yet. Sign in through it once, then require it.",
      );
    await appendControlEvent(client, scope, {
      action: isRequired ? "trailseal.sso_required" : "trailseal.sso_not_required",
      metadata: {},
    });
  });
}

/**
 * The domains whose addresses a provider speaks for, in place of those before. Whoever says it rules the instance:
 * a provider opens every account with such an address. Sessions that it opened for others end.
 * @throws AppError conflict for a domain of another organization
 */
export async function setDomains(scope: Scope, id: string, domains: string[]): Promise<void> {
  const { organizationId } = scope;
  const wanted = [...new Set(domains)].sort();
  await locked(scope, async (client) => {
    const before = await find(client, scope, id);
    if (wanted.join() === before.domains.join()) return;
    await client.query(
      "DELETE FROM identity_domains WHERE organization_id = $1 AND provider_id = $2 AND domain <> ALL($3::text[])",
      [organizationId, id, wanted],
    );
    for (const domain of wanted) {
      const { rowCount } = await client.query(
        `INSERT INTO identity_domains AS known (domain, organization_id, provider_id) VALUES ($1, $2, $3)
         ON CONFLICT (domain) DO UPDATE SET provider_id = EXCLUDED.provider_id
         WHERE known.organization_id = EXCLUDED.organization_id`,
        [domain, organizationId, id],
      );
      if (rowCount === 0)
        throw new AppError("conflict", `${domain} belongs to another organization.`);
    }
    const ended = await endSessionsThrough(client, organizationId, "unspoken");
    await tell(client, scope, "domains_changed", before, {
      domains: cut(wanted.join(", ") || "none"),
      domains_before: cut(before.domains.join(", ") || "none"),
      sessions_ended: String(ended),
    });
  });
}

/**
 * Forgets who somebody is at the organization's providers, so that their next sign-in is by address again: for an
 * address that the provider gave to another account of theirs. Their sessions through providers end.
 * @param who an e-mail or a user's id
 * @throws AppError not_found
 */
export async function unlinkUser(scope: Scope, who: string): Promise<{ email: string }> {
  return locked(scope, async (client) => {
    const { rows } = await client.query<{ id: string; email: string }>(
      `DELETE FROM identities i USING users u
       WHERE i.organization_id = $1 AND u.id = i.user_id AND (u.id = $2 OR u.email = lower($2)) RETURNING u.id, u.email`,
      [scope.organizationId, who],
    );
    const [user] = rows;
    if (!user)
      throw new AppError("not_found", `No identity provider of this organization knows ${who}.`);
    const ended = await endSessionsThrough(client, scope.organizationId, { userId: user.id });
    await appendControlEvent(client, scope, {
      action: "trailseal.sso_identity_unlinked",
      targets: [{ type: "user", id: user.id, name: user.email }],
      metadata: { sessions_ended: String(ended) },
    });
    return { email: user.email };
  });
}
