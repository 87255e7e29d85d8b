import { randomBytes } from "node:crypto";
import type pg from "pg";
import { sha256 } from "@/lib/chain/sha256";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { publicUrl } from "@/lib/env";
import { AppError } from "@/lib/errors";
import {
  appendControlEvent,
  appendControlEvents,
  type ControlEvent,
} from "@/lib/events/server/control-event";
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

interface LinkTo {
  intent: PortalIntent | null;
  returnUrl: string | null;
  successUrl: string | null;
}

interface NewLink extends LinkTo {
  token: string;
  lasts: string;
  mailTo?: string;
  itContactId?: string;
}

/**
 * Makes a link, and one more for each address that one is mailed to: unless a link that was mailed there before may still
 * be opened, or as many went out as may within an hour, which the link's event says.
 * @returns the address to send somebody to: it opens once, within five minutes.
 * @throws AppError validation_failed for a return address that is not listed
 */
export async function createPortalLink(
  scope: Scope,
  { mailTo = [], ...link }: LinkTo & { mailTo?: readonly string[] },
): Promise<string> {
  await demandListed(link);
  const token = newPortalToken();
  await inTransaction(writePool(), async (client) => {
    const left = mailTo.length > 0 ? await countMailsLeft(client, scope) : 0;
    const addresses = await withoutOpenLink(client, scope, [...new Set(mailTo)]);
    const notMailed = addresses.splice(left);
    const made = await insertLinks(client, scope, [
      { ...link, token, lasts: AT_ONCE },
      ...addresses.map((address) => mailedLink(link, address)),
    ]);
    const [first, ...mailed] = made;
    if (first && notMailed.length > 0)
      first.metadata = {
        ...first.metadata,
        not_mailed: `${notMailed.length}, too many in an hour`,
      };
    await appendControlEvents(client, scope, first ? [first, ...mailed] : []);
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
  await inTransaction(writePool(), async (client) => {
    if (mailTo !== null) await demandMailsLeft(client, scope);
    const made = mailTo === null ? { ...link, token, lasts: HANDED_ON } : mailedLink(link, mailTo);
    await appendControlEvents(client, scope, await insertLinks(client, scope, [made]));
  });
  return { link: mailTo === null ? handedOnHref(token) : null };
}

/**
 * Mails an IT contact a link, in place of any that they have, in the caller's transaction. Takes the place of mails
 * first: what waits for the log's head holds nothing that its holder may want.
 * @throws AppError rate_limited
 */
export async function mailContact(
  client: pg.PoolClient,
  scope: Scope,
  contact: { id: string; email: string },
): Promise<void> {
  await demandMailsLeft(client, scope);
  await endLinks(client, scope, "it_contact_id", contact.id);
  const link = { intent: "log_streams", returnUrl: null, successUrl: null } as const;
  const made = { ...mailedLink(link, contact.email), itContactId: contact.id };
  await appendControlEvents(client, scope, await insertLinks(client, scope, [made]));
}

/** @throws AppError validation_failed */
async function demandListed({ returnUrl, successUrl }: LinkTo): Promise<void> {
  const listed = await readReturnAddresses();
  const errors = Object.entries({ return_url: returnUrl, success_url: successUrl })
    .filter(([, address]) => address !== null && !mayReturnTo(address, listed))
    .map(([field]) => ({
      field,
      code: `${field} is not among the return addresses that this server's administrators listed on the Portal page of the instance`,
    }));
  if (errors.length > 0) throw new AppError("validation_failed", "Validation failed.", { errors });
}

/** What is mailed has a token that nobody knows, until one is made for its mail. */
const mailedLink = (link: LinkTo, mailTo: string): NewLink => ({
  ...link,
  token: newPortalToken(),
  lasts: HANDED_ON,
  mailTo,
});

/** @returns the events that tell of them, to be sealed once all rows are there */
async function insertLinks(
  client: pg.PoolClient,
  { organizationId, principal }: Scope,
  links: readonly NewLink[],
): Promise<ControlEvent[]> {
  const createdBy =
    principal.kind === "user" ? principal.email : "id" in principal ? principal.id : principal.kind;
  const events: ControlEvent[] = [];
  for (const link of links) {
    const { intent, mailTo = null } = link;
    const id = newId("portal");
    await client.query(
      `INSERT INTO portal_sessions (organization_id, id, intent, return_url, success_url, token_hash, redeem_until,
         created_by, mail_to, mail_due, it_contact_id)
       VALUES ($1, $2, $3, $4, $5, $6, now() + $7::interval, $8, $9, CASE WHEN $9::text IS NOT NULL THEN now() END, $10)`,
      [
        ...[organizationId, id, intent, link.returnUrl, link.successUrl, sha256(link.token)],
        ...[link.lasts, createdBy, mailTo, link.itContactId ?? null],
      ],
    );
    events.push(eventOf(mailTo === null ? "made" : "invited", { id, intent, mailTo }));
  }
  return events;
}

/** Addresses that have no link yet which they may still open: an application may name them with every click. */
async function withoutOpenLink(
  client: pg.PoolClient,
  { organizationId }: Scope,
  addresses: readonly string[],
): Promise<string[]> {
  if (addresses.length === 0) return [];
  const { rows } = await client.query<{ address: string }>(
    `SELECT mail_to AS address FROM portal_sessions WHERE organization_id = $1 AND mail_to = ANY($2)
       AND redeemed_at IS NULL AND redeem_until > now() AND coalesce(mailed_at, mail_due) IS NOT NULL`,
    [organizationId, addresses],
  );
  const open = new Set(rows.map(({ address }) => address));
  return addresses.filter((address) => !open.has(address));
}

/** Mails go out in the operator's name. What is sealed cannot be taken back to make room. */
async function countMailsLeft(client: pg.PoolClient, { organizationId }: Scope): Promise<number> {
  // One at a time: two would count the same.
  await client.query("SELECT pg_advisory_xact_lock(hashtext($1))", [`mails ${organizationId}`]);
  const { rowCount } = await client.query(
    `SELECT 1 FROM events WHERE organization_id = $1 AND action = 'trailseal.portal_link_invited'
       AND occurred_at > now() - interval '1 hour' LIMIT $2`,
    [organizationId, MOST_MAILS_IN_AN_HOUR],
  );
  return MOST_MAILS_IN_AN_HOUR - (rowCount ?? 0);
}

async function demandMailsLeft(client: pg.PoolClient, scope: Scope): Promise<void> {
  if ((await countMailsLeft(client, scope)) > 0) return;
  throw new AppError(
    "rate_limited",
    `${MOST_MAILS_IN_AN_HOUR} links were mailed within an hour. Wait, then mail more.`,
    { retryAfterS: 600 },
  );
}

interface ToldLink {
  id: string;
  intent: PortalIntent | null;
  mailTo?: string | null;
}

/** - invited: it was made to be mailed */
function eventOf(what: "made" | "invited" | "opened" | "revoked", link: ToldLink): ControlEvent {
  const { id, intent, mailTo } = link;
  return {
    action: `trailseal.portal_link_${what}`,
    targets: [{ type: "portal_session", id, ...(mailTo ? { name: mailTo } : {}) }],
    metadata: { intent: intent ?? "any" },
  };
}

export const tellOfOpening = (client: pg.PoolClient, scope: Scope, link: ToldLink) =>
  appendControlEvent(client, scope, eventOf("opened", link));

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
         WHEN redeem_until <= now() THEN 'unused' WHEN mail_due IS NOT NULL THEN 'unsent'
         WHEN mail_to IS NOT NULL AND mailed_at IS NULL THEN 'refused' ELSE 'waiting' END AS state,
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
  const { rows } = await client.query<ToldLink>(
    `DELETE FROM portal_sessions WHERE organization_id = $1 AND ${column} = $2
     RETURNING id, intent, mail_to AS "mailTo"`,
    [scope.organizationId, value],
  );
  await appendControlEvents(
    client,
    scope,
    rows.map((link) => eventOf("revoked", link)),
  );
  return rows.length;
}
