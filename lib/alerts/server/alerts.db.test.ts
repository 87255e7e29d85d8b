import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Scope } from "@/lib/auth/scope";
import { systemScope } from "@/lib/auth/server/system-scope";
import { writePool } from "@/lib/db/pool";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { getEnv } from "@/lib/env";
import { appendEvents, createTestLog, testEvents } from "@/lib/events/server/test-log";
import { watchLog } from "@/lib/integrity/server/log-watch";
import { type TestMailServer, testMailServer } from "@/lib/mail/server/test-mail-server";
import { deliverAlerts, raiseAlert, readAlertStates } from "./alerts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

let db: TestDatabase;
let mail: TestMailServer;
let receiver: http.Server;
const calls: { headers: http.IncomingHttpHeaders; body: string }[] = [];
let status = 200;

beforeAll(async () => {
  db = await testDatabase();
  mail = await testMailServer();
  receiver = http.createServer((request, response) => {
    text(request).then(
      (body) => {
        calls.push({ headers: request.headers, body });
        response.writeHead(status).end();
      },
      () => response.destroy(),
    );
  });
  receiver.listen(0, "127.0.0.1");
  await once(receiver, "listening");
});
afterAll(async () => {
  await mail.close();
  receiver.close();
  await db.close();
});

const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port;

beforeEach(async () => {
  mail.taken.length = 0;
  calls.length = 0;
  status = 200;
  await db.owner.query("DELETE FROM alerts");
  Object.assign(getEnv(), {
    TRAILSEAL_SMTP_URL: mail.url,
    TRAILSEAL_ALERT_EMAIL: ["ops@example.com", "sec@example.com"],
    TRAILSEAL_ALERT_WEBHOOK: `http://127.0.0.1:${portOf(receiver)}/hook`,
    TRAILSEAL_ALERT_WEBHOOK_SECRET: SECRET,
    TRAILSEAL_EGRESS_ALLOW: ["127.0.0.0/8"],
  });
});

const ALERT = { kind: "integrity.broken", title: "It broke", detail: "at #7", path: "/o/x" };
// A column of milliseconds rounds now() up by half of one at most.
const due = () => db.owner.query("UPDATE alerts SET next_attempt_at = now() - interval '1 ms'");

async function raise(scope: Scope): Promise<void> {
  await raiseAlert(writePool(), scope, ALERT);
  await due();
}

test("an alert goes out by mail and by a signed webhook, once", async () => {
  const scope = systemScope("cli", await createTestLog(db));
  await raise(scope);
  expect(await deliverAlerts()).toBe(2);
  expect(mail.taken).toHaveLength(1);
  expect(mail.taken[0]?.to).toEqual(["ops@example.com", "sec@example.com"]);
  expect(mail.taken[0]?.text).toMatch(/Subject: It broke/);
  expect(mail.taken[0]?.text).toContain("at #7");
  const [call] = calls;
  const payload = new Webhook(SECRET).verify(
    call?.body as string,
    call?.headers as Record<string, string>,
  );
  expect(payload).toMatchObject({
    type: "integrity.broken",
    data: { organization_id: scope.organizationId, title: "It broke" },
  });
  await due();
  expect(await deliverAlerts()).toBe(0);
  const states = await readAlertStates(scope);
  expect(states.map(({ last }) => last?.sentAt !== null)).toEqual([true, true]);
});

test("what a receiver refuses is kept and tried again; the other way is not held up", async () => {
  const scope = systemScope("cli", await createTestLog(db));
  status = 503;
  await raise(scope);
  expect(await deliverAlerts()).toBe(1);
  const webhook = (await readAlertStates(scope)).find(({ channel }) => channel === "webhook");
  expect(webhook?.last).toMatchObject({ sentAt: null, error: "the receiver answered 503" });
  expect(await deliverAlerts()).toBe(0);
  status = 200;
  await due();
  expect(await deliverAlerts()).toBe(1);
  expect(new Set(calls.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
});

test("the webhook goes through the guard of streams", async () => {
  const scope = systemScope("cli", await createTestLog(db));
  getEnv().TRAILSEAL_EGRESS_ALLOW = [];
  await raise(scope);
  expect(await deliverAlerts()).toBe(1);
  expect(calls).toHaveLength(0);
});

test("a break that the continuous check finds is told once, and so is its end", async () => {
  const log = await createTestLog(db);
  const titles = async () => {
    const { rows } = await db.owner.query(
      "SELECT kind FROM alerts WHERE organization_id = $1 AND channel = 'email' ORDER BY created_at",
      [log],
    );
    return rows.map(({ kind }) => kind);
  };
  await appendEvents(log, testEvents(50));
  await db.owner.query("ALTER TABLE events DISABLE TRIGGER ALL");
  const version = (value: number) =>
    db.owner.query("UPDATE events SET version = $2 WHERE organization_id = $1 AND seq = 20", [
      log,
      value,
    ]);
  const { rows } = await db.owner.query(
    "SELECT version FROM events WHERE organization_id = $1 AND seq = 20",
    [log],
  );
  await version(99);
  await watchLog(log);
  await appendEvents(log, testEvents(5, 2));
  await watchLog(log);
  expect(await titles()).toEqual(["integrity.broken"]);
  await version(rows[0].version);
  await watchLog(log);
  expect(await titles()).toEqual(["integrity.broken", "integrity.restored"]);
});
