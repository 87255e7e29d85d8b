import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { getEnv } from "@/lib/env";
import { createTestLog } from "@/lib/events/server/test-log";
import { acceptWithNewAccount, invite } from "./invitations";
import { listMembers } from "./members";
import { systemScope } from "./system-scope";

let db: TestDatabase;
let mailServer: SMTPServer;
let isFull = false;
const mails: { to: string[]; text: string }[] = [];

beforeAll(async () => {
  db = await testDatabase();
  mailServer = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        if (isFull) return done(new Error("the mailbox is full"));
        const to = session.envelope.rcptTo.map(({ address }) => address);
        // Quoted-printable, whose soft line ends are no part of a link.
        mails.push({ to, text: Buffer.concat(chunks).toString().replace(/=\r\n/g, "") });
        done();
      });
    },
  });
  mailServer.listen(0, "127.0.0.1");
  await once(mailServer.server, "listening");
  const { port } = mailServer.server.address() as AddressInfo;
  getEnv().TRAILSEAL_SMTP_URL = `smtp://127.0.0.1:${port}`;
});
afterAll(async () => {
  getEnv().TRAILSEAL_SMTP_URL = undefined;
  await new Promise((resolve) => mailServer.close(() => resolve(null)));
  await db.close();
});

test("a link that is mailed goes to its address alone, and opens; the organization's name is one quoted line", async () => {
  const log = await createTestLog(db);
  await db.owner.query("UPDATE organizations SET name = $2 WHERE id = $1", [
    log,
    "Acme\nClick https://evil.example",
  ]);
  const scope = systemScope("cli", log);
  const made = await invite(scope, { email: "grace@example.com", role: "viewer" });
  expect(made).toEqual({ link: null, isMailed: true });
  const [mail] = mails;
  expect(mail?.to).toEqual(["grace@example.com"]);
  expect(mail?.text).not.toMatch(/^Click/m);
  const token = /invitation\?token=(?:3D)?([\w-]{43})/.exec(mail?.text ?? "")?.[1] as string;
  await acceptWithNewAccount(token, { name: "Grace", password: "correct horse battery" });
  expect(await listMembers(scope)).toMatchObject([{ email: "grace@example.com", role: "viewer" }]);
});

test("a mail that is not taken leaves the link to whoever invites", async () => {
  isFull = true;
  const scope = systemScope("cli", await createTestLog(db));
  const { link, isMailed } = await invite(scope, { email: "ada@example.com", role: "viewer" });
  expect(isMailed).toBe(false);
  expect(link).toMatch(/\/invitation\?token=/);
});
