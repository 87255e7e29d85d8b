import { expect, it } from "vitest";
import { openDestination } from "../registry";
import { batch, reply, unchained, wire } from "./batch-fixtures";
import { otlp } from "./otlp";

const open = (config = {}) => openDestination("otlp", { url: "https://o.example:4318", ...config });

it("a body is one resource's records: the event as JSON text, what it is joined by as attributes", () => {
  const frame = open({ headers: ["api-key"] }).frame(batch(4), { "header:api-key": "K" });
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
  const event = {
    ...{ ...wire, seq: 4, chain_hash: "ab".repeat(32), recorded_at: "2026-11-23T14:02:09.000Z" },
  };
  expect(JSON.parse(frame.body)).toEqual({
    resourceLogs: [
      {
        resource: {
          attributes: [
            text("service.name", "trailseal"),
            text("trailseal.organization_id", wire.organization_id),
          ],
        },
        scopeLogs: [
          {
            scope: { name: "trailseal" },
            logRecords: [
              {
                timeUnixNano: "1795442528114000000",
                observedTimeUnixNano: "1795442529000000000",
                ...{ severityNumber: 9, severityText: "INFO", eventName: wire.action },
                body: { stringValue: JSON.stringify(event) },
                attributes: [
                  text("log.record.uid", wire.id),
                  text("trailseal.action", wire.action),
                  { key: "trailseal.seq", value: { intValue: "4" } },
                  text("trailseal.chain_hash", "ab".repeat(32)),
                ],
              },
            ],
          },
        ],
      },
    ],
  });
  expect(frame.headers).toEqual({ "api-key": "K", "content-type": "application/json" });
  expect(frame).toMatchObject({ url: "https://o.example:4318/v1/logs", gzip: true, count: 1 });
  expect(open({ url: "https://o.example/otlp/v1/logs" }).config.url).toBe(
    "https://o.example/otlp/",
  );
});

it("tests and checkpoints are records without seq and chain hash", () => {
  const events = [unchained("test"), unchained("checkpoint")];
  const { logRecords } = JSON.parse(open().frame({ ...batch(), events }, {}).body).resourceLogs[0]
    .scopeLogs[0];
  expect(logRecords).toHaveLength(2);
  for (const { attributes } of logRecords) {
    const keys = attributes.map(({ key }: { key: string }) => key);
    expect(keys).toEqual(["log.record.uid", "trailseal.action"]);
  }
});

it("only what OTLP says may be tried again is tried again", () => {
  const kind = (status: number) => otlp.classify(reply(status, ""), 5).kind;
  expect([429, 502, 503, 504].map(kind)).toEqual(Array(4).fill("retry"));
  expect([401, 403, 404, 408, 500, 501].map(kind)).toEqual(Array(6).fill("config_error"));
  expect([400, 413].map(kind)).toEqual(["split", "split"]);
});

it("a partial success is delivered with a warning; one that took nothing is looked at one by one", () => {
  const answer = (partialSuccess: object | null) =>
    otlp.classify(reply(200, JSON.stringify({ partialSuccess })), 5);
  expect(answer({ rejectedLogRecords: "2", errorMessage: "too old" })).toMatchObject({
    kind: "delivered",
    warning: { message: expect.stringContaining("refused 2 of 5 events") },
  });
  expect(answer({ rejectedLogRecords: 5 }).kind).toBe("split");
  for (const whole of [null, {}, { rejectedLogRecords: "0", errorMessage: "hint" }]) {
    expect(answer(whole)).toEqual({ kind: "delivered" });
  }
  expect(otlp.classify(reply(200, ""), 5)).toEqual({ kind: "delivered" });
  expect(otlp.classify(reply(200, "<!doctype html>"), 5).kind).toBe("config_error");
});
