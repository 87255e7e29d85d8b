import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { createTestLog } from "@/lib/events/server/test-log";
import { type TestMailServer, testMailServer } from "@/lib/mail/server/test-mail-server";
import { acceptWithNewAccount, invite } from "./invitations";
import { listMembers } from "./members";
import { systemScope } from "./system-scope";

let db: TestDatabase;
let mail: TestMailServer;

beforeAll(async () => {
  db = await testDatabase();
  mail = await testMailServer();
});
afterAll(async () => {
  await mail.close();
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
  const [sent] = mail.taken;
  expect(sent?.to).toEqual(["grace@example.com"]);
  expect(sent?.text).not.toMatch(/^Click/m);
  const token = /invitation\?token=(?:3D)?([\w-]{43})/.exec(sent?.text ?? "")?.[1] as string;
  await acceptWithNewAccount(token, { name: "Grace", password: "correct horse battery" });
  expect(await listMembers(scope)).toMatchObject([{ email: "grace@example.com", role: "viewer" }]);
});

test("a mail that is not taken leaves the link to whoever invites", async () => {
  mail.isFull = true;
  const scope = systemScope("cli", await createTestLog(db));
  const { link, isMailed } = await invite(scope, { email: "ada@example.com", role: "viewer" });
  expect(isMailed).toBe(false);
  expect(link).toMatch(/\/invitation\?token=/);
});
