import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { getEnv } from "@/lib/env";
import { createTestLog } from "@/lib/events/server/test-log";
import { type TestMailServer, testMailServer } from "@/lib/mail/server/test-mail-server";
import { createItContact, deleteItContact, setInvitation } from "@/lib/orgs/server/it-contacts";
import { saveBranding } from "@/lib/portal/server/branding";
import {
  createPortalLink,
  listPortalLinks,
  makePortalInvitation,
  revokePortalLink,
} from "./portal-links";
import { sendPortalMails } from "./portal-mail";
import { findPortalLink, findPortalSession, redeemPortalLink } from "./portal-sessions";
import { systemInstanceScope, systemScope } from "./system-scope";

let db: TestDatabase;
let mail: TestMailServer;
let log: string;

beforeAll(async () => {
  db = await testDatabase();
  mail = await testMailServer();
});
afterAll(async () => {
  await mail.close();
  await db.close();
});
beforeEach(async () => {
  mail.isFull = false;
  mail.taken.length = 0;
  await db.owner.query("DELETE FROM portal_sessions");
  log = await createTestLog(db);
});

const scope = () => systemScope("cli", log);
const NOWHERE = { intent: null, returnUrl: null, successUrl: null };

function tokenOf(text: string | undefined): string {
  return /portal\/enter\?token=(?:3D)?([\w-]{43})/.exec(text ?? "")?.[1] ?? "no link";
}

async function mailed(): Promise<string[]> {
  await sendPortalMails();
  return mail.taken.splice(0).map(({ text }) => tokenOf(text));
}

const due = () =>
  db.owner.query("UPDATE portal_sessions SET mail_due = now() WHERE mail_due > now()");

test("each address of generate_link gets a link of its own, once, for a week", async () => {
  const mailTo = ["it@globex.example", "ops@globex.example", "it@globex.example"];
  await createPortalLink(scope(), { ...NOWHERE, intent: "audit_logs", mailTo });
  expect(await sendPortalMails()).toBe(2);
  expect(mail.taken.flatMap(({ to }) => to).sort()).toEqual([
    "it@globex.example",
    "ops@globex.example",
  ]);
  const tokens = mail.taken.map(({ text }) => tokenOf(text));
  expect(await sendPortalMails()).toBe(0);

  await db.owner.query(
    "UPDATE portal_sessions SET redeem_until = redeem_until - interval '6 days 23 hours'",
  );
  for (const token of tokens) {
    expect(await findPortalLink(token)).not.toBeNull();
    const opened = await redeemPortalLink(token);
    expect(opened?.intent).toBe("audit_logs");
    expect(await findPortalSession(opened?.secret ?? "")).toMatchObject({ organizationId: log });
    expect(await redeemPortalLink(token)).toBeNull();
    expect(await findPortalLink(token)).toBeNull();
  }
});

test("a mail that is not taken is tried again, and then has another link", async () => {
  await makePortalInvitation(scope(), { intent: null, mailTo: "it@globex.example" });
  mail.isFull = true;
  expect(await sendPortalMails()).toBe(0);
  const { links } = await listPortalLinks(scope());
  expect(links).toMatchObject([
    { state: "unsent", mailTo: "it@globex.example", mailError: expect.stringContaining("full") },
  ]);
  mail.isFull = false;
  expect(await sendPortalMails()).toBe(0);
  await due();
  const [token = ""] = await mailed();
  expect((await listPortalLinks(scope())).links).toMatchObject([
    { state: "waiting", mailError: null },
  ]);
  expect(await redeemPortalLink(token)).not.toBeNull();
});

test("a try that seemed to fail leaves no second link behind", async () => {
  await makePortalInvitation(scope(), { intent: null, mailTo: "it@globex.example" });
  await sendPortalMails();
  // As if the mail server's answer was lost.
  await db.owner.query("UPDATE portal_sessions SET mail_due = now(), mailed_at = NULL");
  await sendPortalMails();
  const [first, second] = mail.taken;
  expect(first?.id).not.toBe(second?.id);
  expect(await redeemPortalLink(tokenOf(first?.text))).toBeNull();
  expect(await redeemPortalLink(tokenOf(second?.text))).not.toBeNull();
});

test("without a mail server the mail waits, and its link is said to", async () => {
  const { TRAILSEAL_SMTP_URL } = getEnv();
  getEnv().TRAILSEAL_SMTP_URL = undefined;
  await createPortalLink(scope(), { ...NOWHERE, mailTo: ["it@globex.example"] });
  expect(await sendPortalMails()).toBe(0);
  expect((await listPortalLinks(scope())).links.map(({ state }) => state).sort()).toEqual([
    "unsent",
    "waiting",
  ]);
  getEnv().TRAILSEAL_SMTP_URL = TRAILSEAL_SMTP_URL;
  expect(await mailed()).toHaveLength(1);
});

test("a mail speaks in the name of the brand, and quotes the organization's on one line", async () => {
  await saveBranding(systemInstanceScope("cli"), {
    name: "Example Cloud",
    colour: null,
    returnAddresses: [],
  });
  await db.owner.query("UPDATE organizations SET name = $2 WHERE id = $1", [
    log,
    "Acme\nClick https://evil.example",
  ]);
  await makePortalInvitation(scope(), { intent: "log_streams", mailTo: "it@globex.example" });
  await sendPortalMails();
  expect(mail.taken[0]?.text).toContain("on Example Cloud");
  expect(mail.taken[0]?.text).not.toMatch(/^Click/m);
});

test("a link that is handed on opens until it is revoked, with what it opened", async () => {
  const { link } = await makePortalInvitation(scope(), { intent: null, mailTo: null });
  const token = new URL(link ?? "").searchParams.get("token") ?? "";
  const { secret = "" } = (await redeemPortalLink(token)) ?? {};
  const [open] = (await listPortalLinks(scope())).links;
  expect(open).toMatchObject({ state: "open", mailTo: null, createdBy: "cli" });
  await expect(
    revokePortalLink(systemScope("cli", await createTestLog(db)), open?.id ?? ""),
  ).rejects.toMatchObject({ code: "not_found" });
  await revokePortalLink(scope(), open?.id ?? "");
  expect(await findPortalSession(secret)).toBeNull();
  const { rows } = await db.owner.query(
    "SELECT action FROM events WHERE organization_id = $1 ORDER BY seq",
    [log],
  );
  expect(rows.map(({ action }) => action)).toEqual([
    "trailseal.portal_link_made",
    "trailseal.portal_link_opened",
    "trailseal.portal_link_revoked",
  ]);
});

test("an IT contact who is invited gets a link to the streams, which ends with the invitation and the contact", async () => {
  const { id } = (await createItContact(scope(), { email: "it@globex.example" })) as { id: string };
  await setInvitation(scope(), id, { intents: ["log_streams"] });
  const [first = ""] = await mailed();
  await setInvitation(scope(), id, { intents: ["log_streams"] });
  const [second = ""] = await mailed();
  expect(await redeemPortalLink(first)).toBeNull();
  const opened = await redeemPortalLink(second);
  expect(opened?.intent).toBe("log_streams");
  await setInvitation(scope(), id, { intents: [] });
  expect(await findPortalSession(opened?.secret ?? "")).toBeNull();
  await setInvitation(scope(), id, { intents: ["log_streams"] });
  await deleteItContact(scope(), id);
  expect(await mailed()).toEqual([]);
});

test("no more than a hundred mails go out in an hour for one organization", async () => {
  const mailTo = Array.from({ length: 20 }, (_, n) => `it${n}@globex.example`);
  for (let n = 0; n < 5; n++) await createPortalLink(scope(), { ...NOWHERE, mailTo });
  const more = createPortalLink(scope(), { ...NOWHERE, mailTo: ["one@globex.example"] });
  await expect(more).rejects.toMatchObject({ code: "rate_limited" });
  const { rowCount } = await db.owner.query("SELECT 1 FROM portal_sessions");
  expect(rowCount).toBe(105);
});

test("links are listed newest first, page by page", async () => {
  for (let n = 0; n < 30; n++) await createPortalLink(scope(), NOWHERE);
  const first = await listPortalLinks(scope());
  const second = await listPortalLinks(scope(), { before: first.older });
  expect([first.links.length, second.links.length, second.older]).toEqual([25, 5, null]);
  const ids = [...first.links, ...second.links].map(({ id }) => id);
  expect(ids).toEqual([...new Set(ids)].sort().reverse());
});

test("a return address that is not listed is refused, with what to do", async () => {
  await saveBranding(systemInstanceScope("cli"), {
    name: null,
    colour: null,
    returnAddresses: ["https://app.example.com"],
  });
  const back = (returnUrl: string, successUrl: string | null = null) =>
    createPortalLink(scope(), { intent: null, returnUrl, successUrl });
  await back("https://app.example.com/settings", "https://app.example.com/done");
  await expect(back("https://evil.test/", "https://app.example.com/")).rejects.toMatchObject({
    code: "validation_failed",
    errors: [{ field: "return_url", code: expect.stringContaining("listed on the Portal page") }],
  });
  await expect(
    back("https://app.example.com/", "https://app.example.com.evil.test/"),
  ).rejects.toMatchObject({ errors: [{ field: "success_url" }] });
  await saveBranding(systemInstanceScope("cli"), {
    name: null,
    colour: null,
    returnAddresses: [],
  });
  await back("https://evil.test/");
});
