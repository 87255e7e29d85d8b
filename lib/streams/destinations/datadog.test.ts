import { describe, expect, it } from "vitest";
import { AppError } from "@/lib/errors";
import type { Transport } from "../destination";
import { openDestination } from "../registry";
import { batch, item, large, reply, unchained, wire } from "./batch-fixtures";
import { datadog } from "./datadog";

const secrets = { api_key: "K" };
const logsOf = (body: string) => JSON.parse(body) as Record<string, unknown>[];
const native = (seq: number) => ({
  ...{ ...wire, seq, chain_hash: "ab".repeat(32), recorded_at: "2026-11-23T14:02:09.000Z" },
});

it("a body is an array of logs whose message is the event as JSON, dated by the event", () => {
  const config = { service: "api", source: "app", tags: "env:prod,team:a" };
  const frame = openDestination("datadog", config).frame(batch(4, 5), secrets);
  const log = (seq: number) => ({
    message: JSON.stringify(native(seq)),
    timestamp: wire.occurred_at,
    ...{ ddsource: "app", service: "api", ddtags: "env:prod,team:a" },
  });
  expect(frame.body).toBe(JSON.stringify([log(4), log(5)]));
  expect(frame).toMatchObject({ gzip: true, count: 2, method: "POST" });
  expect(frame.headers).toEqual({ "content-type": "application/json", "dd-api-key": "K" });
});

it("an event older than 18 hours has no date that would have it dropped; its time stays beside it", () => {
  const sentAt = new Date(Date.parse(wire.occurred_at) + 18 * 3_600_000);
  const { body } = openDestination("datadog", {}).frame({ ...batch(4), sentAt }, secrets);
  const [log] = logsOf(body);
  expect(log).not.toHaveProperty("timestamp");
  expect(log).toMatchObject({ occurred_at: wire.occurred_at });
});

it("the WorkOS format has the event as an object, without the organization and with a bare id", () => {
  const { body } = openDestination("datadog", {}).frame({ ...batch(4), format: "workos" }, secrets);
  const { organization_id: _, ...event } = wire;
  const message = { ...event, id: "01KARQ9Z5W8Y3M6N2P4T7V0X1B" };
  expect(logsOf(body)).toEqual([{ message, ddsource: "trailseal", service: "audit-logs" }]);
});

it("tests and checkpoints are logs like all others", () => {
  const events = [unchained("test"), unchained("checkpoint")];
  const { body } = openDestination("datadog", {}).frame({ ...batch(), events }, secrets);
  const messages = logsOf(body).map(({ message }) => JSON.parse(String(message)));
  expect(messages).toMatchObject([{ seq: null, test: true }, { seq: null }]);
});

describe("sites", () => {
  it("each of the nine has its intake, and changing it means entering the key again", () => {
    const sites = datadog.configSchema.shape.site.unwrap().options.filter((id) => id !== "own");
    expect(sites).toHaveLength(9);
    const opened = sites.map((site) => openDestination("datadog", { site }));
    expect(opened.map((open) => open.frame(batch(1), secrets).url)).toEqual(
      sites.map((site) => `https://http-intake.logs.${site}/api/v2/logs`),
    );
    expect(new Set(opened.map(({ boundTo }) => boundTo)).size).toBe(9);
  });

  it("an address of one's own is asked for and used", () => {
    expect(() => openDestination("datadog", { site: "own" })).toThrow(AppError);
    const config = { site: "own", url: "https://pipelines.example.com:8443/api/v2/logs" };
    const open = openDestination("datadog", config);
    expect(open.frame(batch(1), secrets).url).toBe(config.url);
    expect(open.endpoint).toBe("https://pipelines.example.com:8443/");
  });
});

it("tags that Datadog would read differently are refused", () => {
  for (const tags of ["a b", "a,,b", ",a", "a, b"]) {
    expect(() => openDestination("datadog", { tags }), tags).toThrow(AppError);
  }
});

it("a request stays below 5 MB; an event that would be cut is alone, not sent, and says so", async () => {
  const open = openDestination("datadog", {});
  const heavy = Array.from({ length: 200 }, (_, seq) => large(seq, 60_000));
  const frame = open.frame({ ...batch(), events: heavy }, secrets);
  expect(Buffer.byteLength(frame.body)).toBeLessThan(5_000_000);
  expect(frame.count).toBeGreaterThan(70);
  expect(frame.tooLarge).toBeUndefined();
  const events = [item(0), large(1, 1_000_001), item(2)];
  expect(open.frame({ ...batch(), events }, secrets).count).toBe(1);
  const alone = open.frame({ ...batch(), events: events.slice(1) }, secrets);
  expect(alone.count).toBe(1);
  // A transport that can send nothing.
  expect(await open.send(alone, secrets, {} as Transport)).toMatchObject({
    kind: "split",
    problem: { code: "too_large" },
  });
});

it("answers mean what Datadog documents", () => {
  const kind = (status: number) => datadog.classify(reply(status, "{}"), 5).kind;
  expect(kind(202)).toBe("delivered");
  expect(datadog.classify(reply(200, "<html>"), 5).kind).toBe("config_error");
  expect([400, 413].map(kind)).toEqual(["split", "split"]);
  expect([401, 403].map(kind)).toEqual(["config_error", "config_error"]);
  expect([408, 429, 500, 503].map(kind)).toEqual(Array(4).fill("retry"));
});
