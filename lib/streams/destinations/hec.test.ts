import { describe, expect, it } from "vitest";
import { openDestination } from "../registry";
import { batch, reply, unchained, wire } from "./batch-fixtures";
import { logscale } from "./logscale";

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

describe("splunk", () => {
  const splunk = (config = {}) =>
    openDestination("splunk", { url: "https://splunk.example.com:8088", ...config });
  const channelOf = (deliveryId: string, config = { useAck: true }) =>
    splunk(config).frame({ ...batch(4), deliveryId }, { token: "T" }).headers[
      "x-splunk-request-channel"
    ];

  it("with acknowledgement, every delivery of a stream names one channel, a GUID, and no other stream has it", () => {
    expect(channelOf("msg_A_0-9")).toMatch(GUID);
    expect(channelOf("msg_A_10-19")).toBe(channelOf("msg_A_0-9"));
    expect(channelOf("msg_B_0-9")).not.toBe(channelOf("msg_A_0-9"));
    expect(channelOf("msg_A_0-9", { useAck: false })).toBeUndefined();
  });

  it("an acknowledged send has a minute", () => {
    expect([splunk().deadlineMs, splunk({ useAck: true }).deadlineMs]).toEqual([10_000, 60_000]);
  });

  it("another certificate authority means entering the token again", () => {
    const ca = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    const frame = splunk({ ca }).frame(batch(1), { token: "T" });
    expect(frame.tls).toEqual({ ca });
    expect(splunk({ ca }).boundTo).not.toBe(splunk().boundTo);
    expect(splunk({ index: "audit" }).boundTo).toBe(splunk().boundTo);
  });

  it("tests and checkpoints are events without seq", () => {
    const events = [unchained("test"), unchained("checkpoint")];
    const { body, count } = splunk().frame({ ...batch(), events }, { token: "T" });
    expect(count).toBe(2);
    const [test, checkpoint] = body.split("\n").map((line) => JSON.parse(line).event);
    expect(test).toMatchObject({ id: wire.id, seq: null, chain_hash: null, test: true });
    expect(checkpoint).toMatchObject({ seq: null });
    expect(checkpoint).not.toHaveProperty("test");
  });
});

describe("logscale", () => {
  const open = (config = {}) =>
    openDestination("logscale", { url: "https://l.example", ...config });

  it("takes HEC objects on its own path, the token as a bearer's, the parser only where one is named", () => {
    const frame = open().frame(batch(4), { token: "T" });
    expect(frame.url).toBe("https://l.example/api/v1/ingest/hec");
    expect(frame.headers.authorization).toBe("Bearer T");
    expect(frame.gzip).toBe(true);
    const { event, ...envelope } = JSON.parse(frame.body);
    expect(envelope).toEqual({ time: 1795442528.114, host: "trailseal", source: "trailseal" });
    expect(event).toMatchObject({ ...wire, seq: 4 });
    const named = open({ sourcetype: "json" }).frame(batch(4), { token: "T" });
    expect(JSON.parse(named.body)).toMatchObject({ sourcetype: "json" });
    const pasted = open({ url: "https://l.example/api/v1/ingest/hec" });
    expect(pasted.config.url).toBe("https://l.example/");
  });

  it("answers without a HEC code mean what their status says", () => {
    const kind = (status: number, body = "") => logscale.classify(reply(status, body), 5).kind;
    expect(kind(200, "{}")).toBe("delivered");
    expect(kind(401, "The supplied authentication is invalid")).toBe("config_error");
    expect(kind(400, "Could not parse")).toBe("split");
    expect(kind(503)).toBe("retry");
  });
});
