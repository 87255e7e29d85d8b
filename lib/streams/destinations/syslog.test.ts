import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { makeAuthority } from "@/e2e/fixtures/certificates";
import { parseMessage, splitFrames } from "@/e2e/fixtures/syslog-receiver";
import type { StreamEvent, WireEvent } from "../destination";
import { openDestination } from "../registry";
import { batch, item as itemOf, unchained, wire } from "./batch-fixtures";

const seed = Number(process.env.TEST_SEED ?? Date.now() % 2 ** 31);
console.info(`syslog properties: TEST_SEED=${seed}`);

const item = (event: Partial<WireEvent> = {}): StreamEvent => ({
  ...itemOf(7),
  event: { ...wire, ...event },
});
const open = (config = {}) => openDestination("syslog", { host: "siem.example.com", ...config });
const bodyOf = (events: StreamEvent[], config = {}) =>
  Buffer.from(open(config).frame({ ...batch(7), events }, {}).body);
const messagesOf = (events: StreamEvent[], config = {}) => {
  const { messages, rest } = splitFrames(bodyOf(events, config));
  expect(rest).toHaveLength(0);
  return messages.map(parseMessage);
};

describe("messages", () => {
  it("are RFC 5424 in octet counting, the text behind a byte order mark", () => {
    const message =
      '<110>1 2026-11-23T14:02:08.114Z trailseal trailseal - event [trailseal@32473 seq="7" ' +
      `id="${wire.id}" chainHash="${"ab".repeat(32)}" recordedAt="2026-11-23T14:02:09.000Z" ` +
      `organizationId="${wire.organization_id}" action="user.signed_in"] \uFEFF` +
      JSON.stringify({
        ...{ ...wire, seq: 7 },
        ...{ chain_hash: "ab".repeat(32), recorded_at: "2026-11-23T14:02:09.000Z" },
      });
    expect(bodyOf([item()]).toString()).toBe(`${Buffer.byteLength(message)} ${message}`);
  });

  it("carry facility, app name and enterprise number as set", () => {
    const config = { facility: "16", appName: "acme-audit", enterprise: 61234 };
    const [message] = messagesOf([item()], config);
    expect(message).toMatchObject({ priority: 16 * 8 + 6, app: "acme-audit" });
    expect(message?.data).toHaveProperty("trailseal@61234");
  });

  it("of a test say so, and have neither sequence nor hash", () => {
    const [message] = messagesOf([unchained("test")]);
    expect(message?.messageId).toBe("test");
    expect(Object.keys(message?.data["trailseal@32473"] ?? {})).not.toContain("seq");
    expect(Object.keys(message?.data["trailseal@32473"] ?? {})).not.toContain("chainHash");
  });

  it("hold any text: it comes out of a strict parser as it went in, however the octets arrive", () => {
    const anything = fc
      .integer({ min: 0, max: 0x10ffff })
      .filter((point) => point < 0xd800 || point > 0xdfff)
      .map((point) => String.fromCodePoint(point));
    const special = fc.constantFrom(...'"\\]= \n\r\0é');
    const text = fc.array(fc.oneof(anything, special)).map((characters) => characters.join(""));
    const events = fc.array(fc.record({ action: text, id: text, organization_id: text }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(events, text, fc.nat(), (all, name, cut) => {
        const items = all.map((event) => item({ ...event, metadata: { name } }));
        const octets = bodyOf(items);
        const first = splitFrames(octets.subarray(0, cut % octets.length));
        const second = splitFrames(
          Buffer.concat([first.rest, octets.subarray(cut % octets.length)]),
        );
        const parsed = [...first.messages, ...second.messages].map(parseMessage);
        expect(parsed.map(({ text: json }) => JSON.parse(json))).toEqual(
          items.map(({ event, seq, chainHash, recordedAt }) => ({
            ...event,
            ...{ seq, chain_hash: chainHash, recorded_at: recordedAt },
          })),
        );
        expect(parsed.map(({ data }) => data["trailseal@32473"])).toEqual(
          all.map(({ action, id, organization_id: organizationId }) => ({
            ...{ seq: "7", chainHash: "ab".repeat(32), recordedAt: "2026-11-23T14:02:09.000Z" },
            ...{ action, id, organizationId },
          })),
        );
      }),
      { seed },
    );
  });
});

describe("a message that would be too large", () => {
  const large = "é\n".repeat(12_000);

  it("goes without what is least needed, says what, and keeps id and hash", () => {
    const [message] = messagesOf([item({ metadata: { large }, context: { large } })]);
    expect(message?.data["trailseal@32473"]).toMatchObject({
      ...{ id: wire.id, chainHash: "ab".repeat(32), truncated: "metadata" },
    });
    expect(JSON.parse(message?.text ?? "")).toMatchObject({
      actor: wire.actor,
      context: { large },
    });
    expect(message?.text).not.toContain("metadata");
  });

  it("stays within the limit whatever is large in it", () => {
    const huge = { large: large + large };
    const actor = { type: "user", id: "u1", ...huge };
    const targets = [actor];
    for (const [event, truncated] of [
      [{ context: huge }, "metadata context"],
      [{ targets }, "metadata context targets"],
      [{ actor, targets, metadata: huge }, "metadata context targets actor"],
    ] as const) {
      const octets = bodyOf([item(event)]);
      expect(octets.length).toBeLessThanOrEqual(65_536 + 6);
      const [message] = messagesOf([item(event)]);
      expect(message?.data["trailseal@32473"]?.truncated).toBe(truncated);
    }
    const small = bodyOf([item({ action: "\u0001".repeat(255), actor })], { maxBytes: 8_192 });
    expect(small.length).toBeLessThanOrEqual(8_192 + 5);
  });
});

describe("a configuration", () => {
  it("names the receiver by host and port, encrypted unless told otherwise", () => {
    expect(open().endpoint).toBe("tls://siem.example.com:6514");
    expect(open({ host: "fd00::5", port: "514", transport: "tcp" }).endpoint).toBe(
      "tcp://[fd00::5]:514",
    );
    for (const host of ["https://siem.example.com", "siem.example.com:6514", "a b", "[::1]"])
      expect(() => open({ host }), host).toThrow("Enter a host name");
  });

  it("demands a client certificate with its own key for mutual TLS, and no other", () => {
    const authority = makeAuthority("Clients");
    const [one, other] = ["a", "b"].map((name) => authority.issue({ name }));
    const mutual = open({ transport: "mtls" });
    expect(mutual.secretNames.required).toEqual(["client_identity"]);
    expect(open().secretNames).toEqual({ required: [], optional: [] });
    const parse = (pem: string) => mutual.parseSecret("client_identity", pem);
    expect(parse(`${one?.key}${one?.cert}`)).toContain("PRIVATE KEY");
    for (const wrong of [`${one?.cert}${other?.key}`, `${one?.cert}`, `${one?.key}`, "x"])
      expect(() => parse(wrong)).toThrow("its own private key");
    const client_identity = parse(`${one?.cert}${one?.key}`);
    const { tls } = mutual.frame(batch(7), { client_identity });
    expect(tls).toEqual({ cert: client_identity, key: client_identity });
  });
});
