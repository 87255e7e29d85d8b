import { afterEach, describe, expect, it } from "vitest";
import { type Identity, makeAuthority } from "@/e2e/fixtures/certificates";
import { type Emulator, startEmulator } from "@/e2e/fixtures/siem-emulator";
import { newSettings } from "@/e2e/fixtures/siem-wire";
import type { Outcome } from "../destination";
import { batch } from "../destinations/batch-fixtures";
import { openDestination } from "../registry";
import { classifyFailure } from "./failures";
import { GuardedTransport } from "./transport";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

const SECRET = "s3cr3t-0123456789";
const authority = makeAuthority("Receivers");
const siem = { name: "siem", hosts: ["127.0.0.1"] };
const good = authority.issue(siem);

let emulator: Emulator | undefined;
afterEach(() => emulator?.close());

async function send(
  certificate: Identity,
  ca: string | undefined,
  destination = "splunk",
  config = {},
): Promise<Outcome> {
  emulator = await startEmulator(newSettings(SECRET), certificate);
  const { frame, send } = openDestination(destination, { url: emulator.url, ca, ...config });
  const secrets = { token: SECRET, api_key: SECRET, "header:api-key": SECRET };
  const transport = new GuardedTransport("stream", 5_000);
  return send(frame(batch(0), secrets), secrets, transport).catch(classifyFailure);
}

describe("a certificate authority that was entered is trusted", () => {
  it.each(["splunk", "logscale", "elastic", "otlp"])("%s", async (destination) => {
    const config = destination === "otlp" ? { headers: ["api-key"] } : {};
    expect(await send(good, authority.cert, destination, config)).toEqual({ kind: "delivered" });
    expect(emulator?.stored).toHaveLength(1);
  });
});

describe("what is wrong with a certificate is said in words of its own, and nothing is sent", () => {
  it.each([
    ["an authority that nobody named", () => send(good, undefined), /not trusted/],
    [
      "another authority than the one named",
      () => send(good, makeAuthority("Receivers").cert),
      /not trusted/,
    ],
    ["self-signed", () => send(authority, undefined), /self-signed/],
    ["expired", () => send(authority.issue({ ...siem, days: -1 }), authority.cert), /has expired/],
    [
      "another name",
      () => send(authority.issue({ name: "a.example" }), authority.cert),
      /another name/,
    ],
  ])("%s", async (_name, attempt, words) => {
    const outcome = await attempt();
    expect(outcome).toMatchObject({
      kind: "config_error",
      problem: { code: expect.stringMatching(/^tls_/), message: expect.stringMatching(words) },
    });
    expect(emulator?.requests).toHaveLength(0);
  });
});
