import { randomBytes } from "node:crypto";
import type pg from "pg";
import { sha256 } from "@/lib/chain/sha256";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { publicUrl } from "@/lib/env";
import { AppError } from "@/lib/errors";
import { appendControlEvent } from "@/lib/events/server/control-event";
import { newId } from "@/lib/ids";
import type { PortalLink } from "@/lib/portal/link";
import { mayReturnTo } from "@/lib/portal/return-addresses";
import type { PortalIntent } from "@/lib/portal/schema";
import { readReturnAddresses } from "@/lib/portal/server/branding";
import type { Scope } from "../scope";

/** Links into one organization for somebody without an account. Only the hashes of their tokens are stored. */

/** One that an application makes when somebody clicks, and follows at once. */
const AT_ONCE = "5 minutes";
/** One that is handed on, or mailed. */
const HANDED_ON = "7 days";
const MOST_MAILS_IN_AN_HOUR = 100;
const PAGE = 25;

export const newPortalToken = () => randomBytes(32).toString("base64url");

/** Where a link that is handed on leads: a page that asks first, since mail scanners and chats open what they see. */
export const handedOnHref = (token: string) => `${publicUrl()}/portal/enter?token=${token}`;

interface NewLink {
  intent: PortalIntent | null;
  returnUrl: string | null;
  successUrl: string | null;
}

/**
 * Makes a link, and one more for each address that one is mailed to.
 * @returns the address to send somebody to: it opens once, within five minutes.
 * @throws AppError validation_failed for a return address that is not listed; rate_limited
 */
export async function createPortalLink(
  scope: Scope,
  { mailTo = [], ...link }: NewLink & { mailTo?: readonly string[] },
): Promise<string> {
  await demandListed(link);
  const token = newPortalToken();
  await inTransaction(writePool(), async (client) => {
    await insertLink(client, scope, { ...link, token, lasts: AT_ONCE });
    for (const address of new Set(mailTo))
      await insertMailed(client, scope, link, { mailTo: address });
  });
  return `${publicUrl()}/portal?token=${token}`;
}

/**
 * Makes a link that somebody hands on, or with an address one that is mailed there. It opens once, within a week.
 * @returns null: it goes by mail, and to that address alone.
 * @throws AppError rate_limited
 */
export async function makePortalInvitation(
  scope: Scope,
  { intent, mailTo }: { intent: PortalIntent | null; mailTo: string | null },
): Promise<{ link: string | null }> {
  const link = { intent, returnUrl: null, successUrl: null };
  const token = newPortalToken();
  await inTransaction(writePool(), (client) =>
    mailTo === null
      ? insertLink(client, scope, { ...link, token, lasts: HANDED_ON })
      : insertMailed(client, scope, link, { mailTo }),
  );
  return { link: mailTo === null ? handedOnHref(token) : null };
}

/** @throws AppError validation_failed */
async function demandListed({ returnUrl, successUrl }: NewLink): Promise<void> {
  const listed = await readReturnAddresses();
  const errors = Object.entries({ return_url: returnUrl, success_url: successUrl })
    .filter(([, address]) => address !== null && !mayReturnTo(address, listed))
    .map(([field]) => ({
      field,
      code: `${field} is not among the return addresses that this server's administrators listed on the Portal page of the instance`,
    }));
  if (errors.length > 0) throw new AppError("validation_failed", "Validation failed.", { errors });
}

async function insertLink(
  client: pg.PoolClient,
  scope: Scope,
  link: NewLink & {
    token: string;
    lasts: string;
    mailTo?: string;
    itContactId?: string | undefined;
  },
): Promise<void> {
  const { organizationId, principal } = scope;
  const { intent, mailTo = null } = link;
  const id = newId("portal");
  await client.query(
    `INSERT INTO portal_sessions (organization_id, id, intent, return_url, success_url, token_hash, redeem_until,
       created_by, mail_to, mail_due, it_contact_id)
     VALUES ($1, $2, $3, $4, $5, $6, now() + $7::interval, $8, $9, CASE WHEN $9::text IS NOT NULL THEN now() END, $10)`,
    [
      organizationId,
      id,
      intent,
      link.returnUrl,
      link.successUrl,
      sha256(link.token),
      link.lasts,
      principal.kind === "user"
        ? principal.email
        : "id" in principal
          ? principal.id
          : principal.kind,
      mailTo,
      link.itContactId ?? null,
    ],
  );
  await tellOfLink(client, scope, "made", { id, intent, mailTo });
}

/** What is mailed has a token that nobody knows, until one is made for its mail. */
export async function insertMailed(
  client: pg.PoolClient,
  scope: Scope,
  link: NewLink,
  { mailTo, itContactId }: { mailTo: string; itContactId?: string },
): Promise<void> {
  const { rowCount } = await client.query(
    `SELECT 1 FROM portal_sessions WHERE organization_id = $1 AND mail_to IS NOT NULL
       AND created_at > now() - interval '1 hour' LIMIT $2`,
    [scope.organizationId, MOST_MAILS_IN_AN_HOUR],
  );
  // Mails go out in the operator's name.
  if (rowCount === MOST_MAILS_IN_AN_HOUR)
    throw new AppError(
      "rate_limited",
      `${MOST_MAILS_IN_AN_HOUR} links were mailed within an hour. Wait, then mail more.`,
      { retryAfterS: 600 },
    );
  await insertLink(client, scope, {
    ...link,
    token: newPortalToken(),
    lasts: HANDED_ON,
    mailTo,
    itContactId,
  });
}

export const tellOfLink = (
  client: pg.PoolClient,
  scope: Scope,
  what: "made" | "opened" | "revoked",
  link: { id: string; intent: PortalIntent | null; mailTo?: string | null },
) =>
  appendControlEvent(client, scope, {
    action: `trailseal.portal_link_${what}`,
    targets: [{ type: "portal_session", id: link.id }],
    metadata: {
      intent: link.intent ?? "any",
      ...(link.mailTo ? { mail_to: link.mailTo } : {}),
    },
  });

type Times = { createdAt: Date; openedAt: Date | null; until: Date };
type Row = Omit<PortalLink, keyof Times> & Times;

/** Newest first, those before `before`, with what became of each. */
export async function listPortalLinks(
  { organizationId }: Scope,
  { before = null }: { before?: string | null | undefined } = {},
): Promise<{ links: PortalLink[]; older: string | null }> {
  const { rows } = await readPool().query<Row>(
    `SELECT id, intent, created_by AS "createdBy", mail_to AS "mailTo", mail_error AS "mailError",
       created_at AS "createdAt", redeemed_at AS "openedAt",
       CASE WHEN redeemed_at IS NOT NULL THEN CASE WHEN expires_at > now() THEN 'open' ELSE 'over' END
         WHEN redeem_until <= now() THEN 'unused' WHEN mail_due IS NOT NULL THEN 'unsent' ELSE 'waiting' END AS state,
       coalesce(expires_at, redeem_until) AS "until"
     FROM portal_sessions WHERE organization_id = $1 AND ($2::text IS NULL OR id < $2)
     ORDER BY id DESC LIMIT $3`,
    [organizationId, before, PAGE + 1],
  );
  const links = rows.slice(0, PAGE).map((row) => ({
    ...row,
    createdAt: row.createdAt.toISOString(),
    openedAt: row.openedAt?.toISOString() ?? null,
    until: row.until.toISOString(),
  }));
  return { links, older: rows.length > PAGE ? (links.at(-1)?.id ?? null) : null };
}

/**
 * Ends a link and what it opened.
 * @throws AppError not_found
 */
export async function revokePortalLink(scope: Scope, id: string): Promise<void> {
  await inTransaction(writePool(), async (client) => {
    const ended = await endLinks(client, scope, "id", id);
    if (ended === 0) throw new AppError("not_found", "There is no such link any more.");
  });
}

/** @returns how many were ended, with their sessions */
export async function endLinks(
  client: pg.PoolClient,
  scope: Scope,
  column: "id" | "it_contact_id",
  value: string,
): Promise<number> {
  const { rows } = await client.query<{ id: string; intent: PortalIntent | null; mailTo: string }>(
    `DELETE FROM portal_sessions WHERE organization_id = $1 AND ${column} = $2
     RETURNING id, intent, mail_to AS "mailTo"`,
    [scope.organizationId, value],
  );
  for (const link of rows) await tellOfLink(client, scope, "revoked", link);
  return rows.length;
}
