import { randomBytes } from "node:crypto";
import { sha256 } from "@/lib/chain/sha256";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { PORTAL_PERMISSIONS } from "@/lib/portal/places";
import type { PortalIntent } from "@/lib/portal/schema";
import type { Permission } from "../permissions";
import { namingScope } from "./issue-scope";
import { tellOfOpening } from "./portal-links";

export const PORTAL_SESSION_S = 8 * 3_600;
const KEPT = "7 days";

/** Somebody without an account who redeemed a link: reads one organization's events, or manages its streams. */
export interface PortalSession {
  portalId: string;
  organizationId: string;
  organizationName: string;
  permissions: ReadonlySet<Permission>;
  returnUrl: string | null;
  /** Where somebody goes who is done. */
  successUrl: string | null;
}

const newToken = () => randomBytes(32).toString("base64url");

/**
 * Uses a link up; null for one that is unknown, over or used. Two who come at once: one gets in.
 * @param options.isAsked somebody clicked on the page that asks first: links that are handed on open no other way
 */
export async function redeemPortalLink(
  token: string,
  { isAsked = false }: { isAsked?: boolean } = {},
): Promise<{ secret: string; organizationId: string; intent: PortalIntent | null } | null> {
  const secret = newToken();
  return inTransaction(writePool(), async (client) => {
    const { rows } = await client.query<{
      id: string;
      organization_id: string;
      intent: PortalIntent | null;
    }>(
      `UPDATE portal_sessions SET session_hash = $2, redeemed_at = now(), expires_at = now() + $3::interval
       WHERE token_hash = $1 AND redeemed_at IS NULL AND redeem_until > now()
         AND ($4 OR redeem_until <= created_at + interval '1 hour')
         AND EXISTS (SELECT FROM organizations o WHERE o.id = organization_id AND o.deleted_at IS NULL)
       RETURNING id, organization_id, intent`,
      [sha256(token), sha256(secret), `${PORTAL_SESSION_S} seconds`, isAsked],
    );
    const [row] = rows;
    if (!row) return null;
    const { id, organization_id: organizationId, intent } = row;
    await tellOfOpening(client, namingScope({ kind: "portal", id }, organizationId), row);
    return { secret, organizationId, intent };
  });
}

interface Row {
  id: string;
  organization_id: string;
  name: string;
  intent: PortalIntent | null;
  return_url: string | null;
  success_url: string | null;
}

async function find(column: "id" | "session_hash", value: string | Buffer) {
  const { rows } = await readPool().query<Row>(
    `SELECT p.id, p.organization_id, o.name, p.intent, p.return_url, p.success_url
     FROM portal_sessions p JOIN organizations o ON o.id = p.organization_id AND o.deleted_at IS NULL
     WHERE p.${column} = $1 AND p.expires_at > now()`,
    [value],
  );
  const [row] = rows;
  if (!row) return null;
  const permissions = row.intent
    ? PORTAL_PERMISSIONS[row.intent]
    : Object.values(PORTAL_PERMISSIONS).flat();
  return {
    portalId: row.id,
    organizationId: row.organization_id,
    organizationName: row.name,
    permissions: new Set(permissions),
    returnUrl: row.return_url,
    successUrl: row.success_url,
  } satisfies PortalSession;
}

export const findPortalSession = (secret: string): Promise<PortalSession | null> =>
  find("session_hash", sha256(secret));

/** The same session again, for answers that go on for minutes. */
export const findPortalSessionById = (id: string): Promise<PortalSession | null> => find("id", id);

/** What a link opens, without using it up; null for one that is unknown, over or used. */
export async function findPortalLink(
  token: string,
): Promise<{ organizationName: string; intent: PortalIntent | null } | null> {
  const { rows } = await readPool().query<{
    organizationName: string;
    intent: PortalIntent | null;
  }>(
    `SELECT o.name AS "organizationName", p.intent
     FROM portal_sessions p JOIN organizations o ON o.id = p.organization_id AND o.deleted_at IS NULL
     WHERE p.token_hash = $1 AND p.redeemed_at IS NULL AND p.redeem_until > now()`,
    [sha256(token)],
  );
  return rows[0] ?? null;
}

/** Housekeeping: links of every organization, a week after they could be opened. */
export async function deleteOldPortalSessions(): Promise<void> {
  await writePool().query("DELETE FROM portal_sessions WHERE redeem_until < now() - $1::interval", [
    KEPT,
  ]);
}
