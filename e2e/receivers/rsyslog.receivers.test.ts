import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Scope } from "@/lib/auth/scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { MAX_BATCH_EVENTS } from "@/lib/streams/destination";
import {
  addStreamTo,
  append,
  drained,
  newOrganization,
  PATIENT,
  plain,
  sequences,
  tally,
  until,
  whileDelivering,
  withoutOwn,
} from "@/lib/streams/server/delivery-fixtures";
import { getStream } from "@/lib/streams/server/streams";
import { makeAuthority } from "../fixtures/certificates";
import { parseMessage } from "../fixtures/syslog-receiver";
import { type Rsyslog, type RsyslogLine, startRsyslog } from "./rsyslog";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

const authority = makeAuthority("Receivers");
const clients = makeAuthority("Clients");
const strangers = makeAuthority("Strangers");
const hosts = ["127.0.0.1"];
const server = authority.issue({ name: "siem", hosts });
const pem = ({ cert, key }: { cert: string; key: string }) => ({ client_identity: cert + key });
const identity = pem(clients.issue({ name: "trailseal" }));

let db: TestDatabase;
let directory: string;
let rsyslog: Rsyslog;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-rsyslog-"));
  rsyslog = await startRsyslog(directory, {
    tcp: {},
    tls: { identity: server },
    mtls: { identity: server, clientCa: clients.cert },
    expired: { identity: authority.issue({ name: "siem", hosts, days: -1 }) },
    misnamed: { identity: authority.issue({ name: "siem", hosts: ["other.example"] }) },
  });
});
afterEach(async () => {
  await rsyslog.kill();
  fs.rmSync(directory, { recursive: true, force: true });
});

const addStream = (scope: Scope, input: string, config = {}, secrets = {}) =>
  addStreamTo(
    scope,
    "syslog",
    { host: "127.0.0.1", port: rsyslog.ports[input], ca: authority.cert, ...config },
    secrets,
  );

const eventOf = (line: RsyslogLine) => JSON.parse(line.message.replace(/^\uFEFF/, ""));
const lines = () => rsyslog.lines().filter((line) => withoutOwn([eventOf(line)]).length === 1);
const received = () => lines().map(eventOf);

describe.each([
  ["tcp", {}],
  ["tls", {}],
  ["mtls", identity],
] as const)("rsyslog over %s", (transport, secrets) => {
  it("takes 200 events with equal content, in order", async () => {
    const scope = await newOrganization();
    await append(scope, plain(200));
    const id = await addStream(scope, transport, { transport }, secrets);
    await whileDelivering(() => drained(scope, id), PATIENT);
    const { rows } = await db.app.query(
      `SELECT id, organization_id, seq, action, version, occurred_at, recorded_at, actor, targets, metadata,
         encode(chain_hash, 'hex') AS chain_hash
       FROM events WHERE organization_id = $1 AND action NOT LIKE 'trailseal.%' ORDER BY seq`,
      [scope.organizationId],
    );
    expect(received()).toEqual(JSON.parse(JSON.stringify(rows)));
    for (const [at, line] of lines().entries()) {
      expect(line).toMatchObject({
        ...{ input: transport, facility: 13, severity: 6, host: "trailseal", app: "trailseal" },
        ...{ messageId: "event", timestamp: "2026-01-02T03:04:05.678Z" },
      });
      const { id: event, seq, chain_hash: chainHash } = rows[at];
      const { data } = parseMessage(Buffer.from(line.raw));
      expect(data["trailseal@32473"]).toMatchObject({ id: event, seq: String(seq), chainHash });
    }
  });
});

it("the largest message arrives uncut; a larger event without what is named, and its id", async () => {
  const scope = await newOrganization();
  await append(scope, plain(1), { text: "x".repeat(64_000) });
  await append(scope, plain(1), { text: "x".repeat(65_200) });
  const id = await addStream(scope, "tls");
  await whileDelivering(() => drained(scope, id), PATIENT);
  const [whole, shortened] = lines();
  expect(eventOf(whole as RsyslogLine).metadata.text).toHaveLength(64_000);
  expect(shortened?.data).toContain('truncated="metadata"');
  expect(eventOf(shortened as RsyslogLine)).toMatchObject({ seq: 1, actor: { id: "u1" } });
});

it.each([
  ["an unknown authority", "tls", { ca: strangers.cert }, {}, "unable_to_verify_leaf_signature"],
  ["an expired certificate", "expired", {}, {}, "cert_has_expired"],
  ["a certificate for another name", "misnamed", {}, {}, "err_tls_cert_altname_invalid"],
  ["a missing client certificate", "mtls", {}, {}, "client_certificate_required"],
  [
    "a client certificate from another authority",
    "mtls",
    { transport: "mtls" },
    pem(strangers.issue({ name: "trailseal" })),
    "client_certificate_rejected",
  ],
  [
    "an expired client certificate",
    "mtls",
    { transport: "mtls" },
    pem(clients.issue({ name: "trailseal", days: -1 })),
    "client_certificate_expired",
  ],
])("%s is told, and nothing is sent", async (_what, input, config, secrets, code) => {
  const scope = await newOrganization();
  await append(scope, plain(3));
  const id = await addStream(scope, input, config, secrets);
  await whileDelivering(() =>
    until("the error", async () => (await getStream(scope, id)).state === "error"),
  );
  const { lastError, cursorSeq } = await getStream(scope, id);
  expect(lastError?.code).toBe(`tls_${code}`);
  expect(cursorSeq).toBe(0);
  expect(rsyslog.lines()).toEqual([]);
});

/** Nothing lost, first sights in order, copies of one batch per kill at most. */
async function expectWhole(scope: Scope, kills: number): Promise<void> {
  const { lost, outOfOrder, copies } = tally(received(), await sequences(scope));
  console.info(`rsyslog killed, ${kills}: ${copies} copies`);
  expect({ lost, outOfOrder }).toEqual({ lost: [], outOfOrder: 0 });
  expect(copies).toBeLessThanOrEqual(kills * MAX_BATCH_EVENTS);
}

it("killed in mid-batch and started again: nothing lost, in order, copies of one batch per kill", async () => {
  const scope = await newOrganization();
  await append(scope, plain(10_000));
  const id = await addStream(scope, "tls");
  const work = async () => {
    for (let kill = 1; kill <= 5; kill += 1) {
      const before = rsyslog.lines().length;
      await until("a batch under way", async () => rsyslog.lines().length > before);
      await sleep(Math.random() * 100);
      await rsyslog.kill();
      await rsyslog.start();
    }
    await drained(scope, id);
  };
  await whileDelivering(work, PATIENT);
  await expectWhole(scope, 5);
});

it("killed with a batch accepted and not read: the batch is sent again", async () => {
  const scope = await newOrganization();
  await append(scope, plain(500));
  const id = await addStream(scope, "tcp", { transport: "tcp" });
  rsyslog.freeze();
  await whileDelivering(async () => {
    await until("the send", async () => (await getStream(scope, id)).lastAttemptAt !== null);
    await sleep(300);
    await rsyslog.kill();
    await until("the failure", async () => (await getStream(scope, id)).failures > 0);
    expect((await getStream(scope, id)).lastError?.code).toBe("connection_reset");
    await rsyslog.start();
    await drained(scope, id);
  }, PATIENT);
  await expectWhole(scope, 1);
});
