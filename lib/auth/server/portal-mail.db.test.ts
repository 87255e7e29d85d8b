import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
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
  mail.refuses = null;
  mail.refused = 0;
  mail.taken.length = 0;
  await db.owner.query("DELETE FROM portal_sessions");
  log = await createTestLog(db);
});

const scope = () => systemScope("cli", log);
const NOWHERE = { intent: null, returnUrl: null, successUrl: null };

function tokenOf(text: string | undefined): string {
  return /portal\/enter\?token=(?:3D)?([\w-]{43})/.exec(text ?? "")?.[1] ?? "no link";
}

/** As the page that asks first does it. */
const open = (token: string) => redeemPortalLink(token, { isAsked: true });

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
    "UPDATE portal_sessions SET redeem_until = redeem_until - interval '6 days'",
  );
  for (const token of tokens) {
    expect(await findPortalLink(token)).not.toBeNull();
    expect(await redeemPortalLink(token)).toBeNull();
    const opened = await open(token);
    expect(opened?.intent).toBe("audit_logs");
    expect(await findPortalSession(opened?.secret ?? "")).toMatchObject({ organizationId: log });
    expect(await open(token)).toBeNull();
    expect(await findPortalLink(token)).toBeNull();
  }
});

test("a mail that is not taken is tried again, and then has another link", async () => {
  await makePortalInvitation(scope(), { intent: null, mailTo: "it@globex.example" });
  mail.isFull = true;
  expect(await sendPortalMails()).toBe(0);
  const { links } = await listPortalLinks(scope());
  expect(links).toMatchObject([
    // What its mail server says is the operator's.
    { state: "unsent", mailTo: "it@globex.example", mailError: null },
  ]);
  mail.isFull = false;
  expect(await sendPortalMails()).toBe(0);
  await due();
  const [token = ""] = await mailed();
  expect((await listPortalLinks(scope())).links).toMatchObject([
    { state: "waiting", mailError: null },
  ]);
  expect(await open(token)).not.toBeNull();
});

test("an address that is refused for good is told, and not tried again", async () => {
  mail.refuses = "gone@globex.example";
  await makePortalInvitation(scope(), { intent: null, mailTo: "gone@globex.example" });
  expect(await sendPortalMails()).toBe(0);
  await due();
  expect(await sendPortalMails()).toBe(0);
  expect(mail.refused).toBe(1);
  expect((await listPortalLinks(scope())).links).toMatchObject([
    { state: "refused", mailError: expect.stringContaining("no such mailbox") },
  ]);
  mail.refuses = null;
  await createPortalLink(scope(), { ...NOWHERE, mailTo: ["gone@globex.example"] });
  expect(await mailed()).toHaveLength(1);
});

test("mails of an organization that was deleted are in nobody's way", async () => {
  const mailTo = Array.from({ length: 25 }, (_, n) => `it${n}@globex.example`);
  await createPortalLink(scope(), { ...NOWHERE, mailTo });
  await db.owner.query("UPDATE organizations SET deleted_at = now() WHERE id = $1", [log]);
  const other = systemScope("cli", await createTestLog(db));
  await makePortalInvitation(other, { intent: null, mailTo: "it@acme.example" });
  await sendPortalMails();
  expect(mail.taken.map(({ to }) => to)).toEqual([["it@acme.example"]]);
});

test("a try that seemed to fail leaves no second link behind", async () => {
  await makePortalInvitation(scope(), { intent: null, mailTo: "it@globex.example" });
  await sendPortalMails();
  // As if the mail server's answer was lost.
  await db.owner.query("UPDATE portal_sessions SET mail_due = now(), mailed_at = NULL");
  await sendPortalMails();
  const [first, second] = mail.taken;
  expect(first?.id).not.toBe(second?.id);
  expect(await open(tokenOf(first?.text))).toBeNull();
  expect(await open(tokenOf(second?.text))).not.toBeNull();
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
  const { secret = "" } = (await open(token)) ?? {};
  const [made] = (await listPortalLinks(scope())).links;
  expect(made).toMatchObject({ state: "open", mailTo: null, createdBy: "cli" });
  await expect(
    revokePortalLink(systemScope("cli", await createTestLog(db)), made?.id ?? ""),
  ).rejects.toMatchObject({ code: "not_found" });
  await revokePortalLink(scope(), made?.id ?? "");
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
  expect(await open(first)).toBeNull();
  const opened = await open(second);
  expect(opened?.intent).toBe("log_streams");
  await setInvitation(scope(), id, { intents: [] });
  expect(await findPortalSession(opened?.secret ?? "")).toBeNull();
  await setInvitation(scope(), id, { intents: ["log_streams"] });
  await deleteItContact(scope(), id);
  expect(await mailed()).toEqual([]);
});

test("an address that has a link it may still open gets no other one", async () => {
  const click = () => createPortalLink(scope(), { ...NOWHERE, mailTo: ["it@globex.example"] });
  await Promise.all([click(), click(), click()]);
  const [token = "", ...more] = await mailed();
  expect(more).toEqual([]);
  await open(token);
  await click();
  expect(await mailed()).toHaveLength(1);
});

describe("a hundred mails an hour", () => {
  beforeEach(async () => {
    const mailTo = Array.from({ length: 20 }, (_, n) => `it${n}@globex.example`);
    for (let n = 0; n < 5; n++) {
      const others = mailTo.map((address) => `${n}${address}`);
      await createPortalLink(scope(), { ...NOWHERE, mailTo: others });
    }
  });

  test("keep no click waiting, and its event says how many were not mailed", async () => {
    const mailTo = ["one@globex.example", "two@globex.example"];
    expect(await createPortalLink(scope(), { ...NOWHERE, mailTo })).toContain("/portal?token=");
    const { rows } = await db.owner.query(
      "SELECT action, metadata ->> 'not_mailed' AS told FROM events WHERE organization_id = $1 ORDER BY seq DESC LIMIT 1",
      [log],
    );
    expect(rows).toEqual([
      { action: "trailseal.portal_link_made", told: "2, too many in an hour" },
    ]);
  });

  test("are refused in words where a mail is all that is asked for, and no revoking makes room", async () => {
    const { links } = await listPortalLinks(scope());
    await revokePortalLink(scope(), links[0]?.id ?? "");
    const invite = makePortalInvitation(scope(), { intent: null, mailTo: "one@globex.example" });
    await expect(invite).rejects.toMatchObject({ code: "rate_limited" });
    const { id } = (await createItContact(scope(), { email: "it@globex.example" })) as {
      id: string;
    };
    const contact = setInvitation(scope(), id, { intents: ["log_streams"] });
    await expect(contact).rejects.toMatchObject({ code: "rate_limited" });
    expect(
      (await makePortalInvitation(scope(), { intent: null, mailTo: null })).link,
    ).not.toBeNull();
  });

  test("are counted one after the other", async () => {
    log = await createTestLog(db);
    const many = Array.from({ length: 8 }, (_, n) =>
      createPortalLink(scope(), {
        ...NOWHERE,
        mailTo: Array.from({ length: 20 }, (_, at) => `it${n}-${at}@globex.example`),
      }),
    );
    await Promise.all(many);
    const { rowCount } = await db.owner.query(
      "SELECT 1 FROM portal_sessions WHERE organization_id = $1 AND mail_to IS NOT NULL",
      [log],
    );
    expect(rowCount).toBe(100);
  });
});

test("ending an invitation while its link is opened is the one or the other, never a deadlock", async () => {
  for (let round = 0; round < 10; round++) {
    const { id } = (await createItContact(scope(), { email: `it${round}@globex.example` })) as {
      id: string;
    };
    await setInvitation(scope(), id, { intents: ["log_streams"] });
    const [token = ""] = await mailed();
    await Promise.all([open(token), setInvitation(scope(), id, { intents: [] })]);
    const { rowCount } = await db.owner.query(
      "SELECT 1 FROM portal_sessions WHERE it_contact_id = $1",
      [id],
    );
    expect(rowCount).toBe(0);
  }
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
