import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import type { TlsOptions } from "node:tls";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { makeAuthority } from "@/e2e/fixtures/certificates";
import { type SyslogReceiver, startSyslogReceiver } from "@/e2e/fixtures/syslog-receiver";
import { systemScope } from "@/lib/auth/server/system-scope";
import { classifyFailure } from "./failures";
import { testDraft } from "./test-stream";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

const scope = systemScope("cli", "org_01KARQ9Z5W8Y3M6N2P4T7V0X1A");
const directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-syslog-"));
afterAll(() => fs.rmSync(directory, { recursive: true, force: true }));

const authority = makeAuthority("Receivers");
const clients = makeAuthority("Clients");
const server = authority.issue({ name: "siem", hosts: ["localhost", "127.0.0.1"] });
const client = clients.issue({ name: "trailseal" });

let receiver: SyslogReceiver;
let started = 0;
afterEach(() => receiver.close());
async function start(tls?: TlsOptions): Promise<SyslogReceiver> {
  started += 1;
  const file = path.join(directory, `${started}.ndjson`);
  receiver = await startSyslogReceiver({ file, ...(tls ? { tls } : {}) });
  return receiver;
}

const send = (config: object, secrets: Record<string, string> = {}) =>
  testDraft(scope, {
    destination: "syslog",
    config: { host: "127.0.0.1", port: receiver.port, ca: authority.cert, ...config },
    secrets,
  });

describe("a test send", () => {
  it("over TLS shows each step, the last that the receiver read to the end and closed", async () => {
    await start(server);
    const result = await send({ host: "localhost" });
    expect(result).toMatchObject({ ok: true, status: null, problem: null });
    expect(result.steps.map(({ name, ok }) => [name, ok])).toEqual([
      ["dns", true],
      ["connect", true],
      ["tls", true],
      ["reply", true],
    ]);
    expect(result.steps.at(-1)?.detail).toBe("read to the end, closed by the receiver");
    expect(receiver.messages).toMatchObject([{ messageId: "test" }]);
    expect(receiver.violations).toEqual([]);
  });

  it("over TCP arrives; without waiting it says that nothing confirms it", async () => {
    await start();
    receiver.setFault({ mode: "stall" });
    const result = await send({ transport: "tcp", awaitClose: false });
    expect(result.ok).toBe(true);
    expect(result.steps.at(-1)?.detail).toBe("sent, not confirmed");
    expect(receiver.messages).toHaveLength(1);
  });

  it("with the right client certificate arrives", async () => {
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      await start({ ...server, ca: clients.cert, requestCert: true, maxVersion });
      const identity = { client_identity: client.cert + client.key };
      expect(await send({ transport: "mtls" }, identity)).toMatchObject({ ok: true });
      await receiver.close();
    }
  });
});

describe("what is told apart", () => {
  const stranger = makeAuthority("Strangers");
  const demanding = { ca: clients.cert, requestCert: true };
  it.each<[string, TlsOptions, object, string]>([
    ["an unknown authority", server, { ca: stranger.cert }, "unable_to_verify_leaf_signature"],
    ["no authority", server, { ca: "" }, "unable_to_verify_leaf_signature"],
    [
      "an expired certificate",
      authority.issue({ name: "siem", hosts: ["127.0.0.1"], days: -1 }),
      {},
      "cert_has_expired",
    ],
    [
      "a certificate for another name",
      authority.issue({ name: "siem", hosts: ["other.example"] }),
      {},
      "err_tls_cert_altname_invalid",
    ],
    [
      "a missing client certificate, TLS 1.3",
      { ...server, ...demanding },
      {},
      "client_certificate_required",
    ],
    [
      "a missing client certificate, TLS 1.2",
      { ...server, ...demanding, maxVersion: "TLSv1.2" },
      {},
      "handshake_refused",
    ],
  ])("%s", async (_what, tls, config, code) => {
    await start(tls);
    const { problem, ok, steps } = await send(config);
    expect(problem).toMatchObject({ code: `tls_${code}` });
    expect(problem?.advice).not.toBe("");
    expect(ok).toBe(false);
    if (tls !== server && code === "client_certificate_required")
      expect(steps.at(-1)).toMatchObject({ name: "reply", ok: false });
    expect(receiver.messages).toEqual([]);
  });

  it.each([
    ["TLSV1_ALERT_UNKNOWN_CA", "rejected"],
    ["SSL/TLS_ALERT_BAD_CERTIFICATE", "rejected"],
    ["SSLV3_ALERT_CERTIFICATE_EXPIRED", "expired"],
  ])("the alert %s about our certificate: %s", (alert, verdict) => {
    const error = Object.assign(new Error("alert"), { code: `ERR_SSL_${alert}` });
    expect(classifyFailure(error)).toMatchObject({
      kind: "config_error",
      problem: { code: `tls_client_certificate_${verdict}` },
    });
  });

  it("a receiver that accepts and closes at once has taken nothing", async () => {
    for (const tls of [undefined, server]) {
      await start(tls);
      receiver.setFault({ mode: "close_early" });
      const { ok, problem } = await send({ transport: tls ? "tls" : "tcp" });
      expect(ok).toBe(false);
      expect(["closed_early", "connection_reset"]).toContain(problem?.code);
      await receiver.close();
    }
  });

  it("TCP without TLS reaches only what an operator allows", async () => {
    await start();
    const { problem, steps } = await send({ host: "93.184.216.34", transport: "tcp" });
    expect(problem?.code).toBe("egress_plain_tcp");
    expect(steps).toEqual([]);
  });
});
