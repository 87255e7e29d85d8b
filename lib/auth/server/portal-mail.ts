import { sha256 } from "@/lib/chain/sha256";
import { writePool } from "@/lib/db/pool";
import { log } from "@/lib/log";
import { quoted } from "@/lib/mail/quoted";
import { hasMailServer, sendMail } from "@/lib/mail/server/send-mail";
import { brandName } from "@/lib/portal/branding";
import type { PortalIntent } from "@/lib/portal/schema";
import { readBranding } from "@/lib/portal/server/branding";
import { handedOnHref, newPortalToken } from "./portal-links";

/** Links wait in the database until their mails are sent, so that none is lost with the process that made it. */

const AT_ONCE = 20;
/** Between attempts: 1 min, 2 min, 4 min … up to an hour. A mail server takes its time with an answer. */
const FIRST_WAIT_S = 60;
const LONGEST_WAIT_S = 3_600;

const OFFERS: Record<PortalIntent | "any", (name: string) => string> = {
  audit_logs: (name) => `read the audit log of ${name}`,
  log_streams: (name) => `set up where the audit log of ${name} is sent`,
  any: (name) => `read the audit log of ${name} and set up where it is sent`,
};

interface DueRow {
  id: string;
  intent: PortalIntent | null;
  mail_to: string;
  mail_tries: number;
  redeem_until: Date;
  name: string;
}

/**
 * Sends what is due. What fails is tried again, later each time, until the link is over.
 * @returns how many were sent
 */
export async function sendPortalMails(): Promise<number> {
  if (!hasMailServer()) return 0;
  const { rows } = await writePool().query<DueRow>(
    `UPDATE portal_sessions p SET mail_tries = mail_tries + 1,
       mail_due = now() + least($1 * 2 ^ least(mail_tries, 20), $2) * interval '1 second'
     FROM (
       SELECT d.id, o.name FROM portal_sessions d
       JOIN organizations o ON o.id = d.organization_id AND o.deleted_at IS NULL
       WHERE d.mail_due <= now() AND d.redeem_until > now() AND d.redeemed_at IS NULL
       ORDER BY d.mail_due LIMIT $3 FOR UPDATE OF d SKIP LOCKED) due
     WHERE p.id = due.id
     RETURNING p.id, p.intent, p.mail_to, p.mail_tries, p.redeem_until, due.name`,
    [FIRST_WAIT_S, LONGEST_WAIT_S, AT_ONCE],
  );
  if (rows.length === 0) return 0;
  const from = brandName(await readBranding());
  const sent = await Promise.all(rows.map((row) => deliver(row, from)));
  return sent.filter(Boolean).length;
}

/** Makes a token for the mail: that of an earlier try, which may have arrived after all, opens nothing any more. */
async function deliver(row: DueRow, from: string): Promise<boolean> {
  const { id, mail_tries: tries } = row;
  const token = newPortalToken();
  const { rowCount } = await writePool().query(
    "UPDATE portal_sessions SET token_hash = $2 WHERE id = $1 AND redeemed_at IS NULL AND mail_tries = $3",
    [id, sha256(token), tries],
  );
  if (rowCount === 0) return false;
  let [told, isFinal, isSent]: [string | null, boolean, boolean] = [null, false, true];
  try {
    await sendMail({
      to: row.mail_to,
      subject: `The audit log of ${quoted(row.name)}`,
      text: textOf(row, { from, link: handedOnHref(token) }),
      // Each try has another link, so each is another message.
      id: `${id}.${tries}`,
      from,
    });
  } catch (error) {
    log().warn({ err: error, portal_link: id }, "a portal link could not be mailed");
    isSent = false;
    isFinal = isRefused(error);
    // What else fails is between the operator and their mail server.
    told = isFinal ? (error as Refusal).response.slice(0, 200) : null;
  }
  await writePool().query(
    `UPDATE portal_sessions SET mail_error = $2, mailed_at = CASE WHEN $4 THEN now() END,
       mail_due = CASE WHEN NOT $4 AND NOT $5 THEN mail_due END
     WHERE id = $1 AND mail_tries = $3`,
    [id, told, tries, isSent, isFinal],
  );
  return isSent;
}

interface Refusal {
  response: string;
}

/** The mail server takes no mail for this address, and will not (RFC 5321 §4.2.1: 5yz). */
function isRefused(error: unknown): error is Refusal {
  const { code, responseCode, response } = error as Record<string, unknown>;
  return code === "EENVELOPE" && Number(responseCode) >= 500 && typeof response === "string";
}

function textOf({ intent, name, redeem_until }: DueRow, mail: { from: string; link: string }) {
  const day = redeem_until.toISOString().slice(0, 10);
  return `You are invited to ${OFFERS[intent ?? "any"](quoted(name))}, on ${mail.from} and without an account there. The link opens once, until ${day}, and what it opens lasts eight hours:\n\n${mail.link}\n\nIf you expected no invitation, do nothing.\n`;
}
