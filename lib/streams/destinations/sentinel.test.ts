import { expect, it } from "vitest";
import { AppError } from "@/lib/errors";
import { openDestination } from "../registry";
import { batch, item, large, reply, unchained, wire } from "./batch-fixtures";
import { sentinel } from "./sentinel";

const CONFIG = {
  url: "https://audit-a1b2.westeurope-1.ingest.monitor.azure.com",
  rule: `dcr-${"0a".repeat(16)}`,
  stream: "Custom-Audit_CL",
  tenant: "5d1a1c9e-0c47-4b5e-8a4e-2f0b6b7f2a11",
  client: "9b2f8f0e-7f1c-4f1a-9a53-0d3c5e6f7a22",
};
const open = (config = {}) => openDestination("sentinel", { ...CONFIG, ...config });

it("a body is an array of rows with the same columns in every format of ours", () => {
  const frame = open().frame(batch(4), {});
  const event = { ...wire, seq: 4, chain_hash: "ab".repeat(32) };
  expect(JSON.parse(frame.body)).toEqual([
    {
      TimeGenerated: wire.occurred_at,
      EventId: wire.id,
      Action: wire.action,
      OrganizationId: wire.organization_id,
      Seq: 4,
      ChainHash: "ab".repeat(32),
      Event: { ...event, recorded_at: "2026-11-23T14:02:09.000Z" },
    },
  ]);
  expect(frame.url).toBe(
    `${CONFIG.url}/dataCollectionRules/${CONFIG.rule}/streams/Custom-Audit_CL?api-version=2023-01-01`,
  );
  expect(frame).toMatchObject({ gzip: true, count: 1 });
});

it("the WorkOS format has the columns of the contract", () => {
  const frame = open().frame({ ...batch(4), format: "workos" }, {});
  const id = "01KARQ9Z5W8Y3M6N2P4T7V0X1B";
  const { organization_id, ...event } = wire;
  expect(JSON.parse(frame.body)).toEqual([
    {
      TimeGenerated: wire.occurred_at,
      ...{ id, event_type: wire.action, organization_id, data: { ...event, id } },
    },
  ]);
});

it("tests and checkpoints are rows without Seq", () => {
  const events = [unchained("test"), unchained("checkpoint")];
  const rows = JSON.parse(open().frame({ ...batch(), events }, {}).body);
  expect(rows).toMatchObject([{ Seq: null, Event: { test: true } }, { Seq: null }]);
});

it("the endpoint has to be one of the chosen cloud; a cloud of one's own names its sign-in", () => {
  const government = "https://a.usgovvirginia-1.ingest.monitor.azure.us";
  expect(open({ cloud: "government", url: government }).endpoint).toBe(`${government}/`);
  expect(() => open({ url: government })).toThrow("config.url");
  expect(() => open({ url: "https://ingest.monitor.azure.com.evil.example" })).toThrow(AppError);
  expect(() => open({ cloud: "own" })).toThrow("config.authority");
  const own = open({ cloud: "own", url: "https://dce.local", authority: "https://login.local" });
  expect(own.boundTo).not.toBe(
    open({ cloud: "own", url: "https://dce.local", authority: "https://other.local" }).boundTo,
  );
});

it("ids of the wrong form are refused", () => {
  for (const wrong of [
    { rule: "dcr-1" },
    { tenant: "acme" },
    { client: "x" },
    { stream: "Audit" },
  ]) {
    expect(() => open(wrong), JSON.stringify(wrong)).toThrow(AppError);
  }
});

it("a request stays below 1 MB; an event with a field that would be cut is alone and not sent", () => {
  const heavy = Array.from({ length: 40 }, (_, seq) => large(seq, 60_000));
  const frame = open().frame({ ...batch(), events: heavy }, {});
  expect(Buffer.byteLength(frame.body)).toBeLessThan(1_000_000);
  expect(frame).not.toHaveProperty("tooLarge");
  const events = [large(0, 66_000), item(1)];
  expect(open().frame({ ...batch(), events }, {})).toMatchObject({
    count: 1,
    tooLarge: { code: "too_large" },
  });
});

it("answers mean what Azure Monitor documents, with advice that helps there", () => {
  const answer = (status: number) => sentinel.classify(reply(status, ""), 5);
  expect(answer(204)).toEqual({ kind: "delivered" });
  expect([400, 413].map((status) => answer(status).kind)).toEqual(["split", "split"]);
  expect([429, 500, 503].map((status) => answer(status).kind)).toEqual(Array(3).fill("retry"));
  expect(answer(403)).toMatchObject({
    kind: "config_error",
    problem: { advice: expect.stringContaining("Monitoring Metrics Publisher") },
  });
  expect(answer(404)).toMatchObject({ problem: { advice: expect.stringContaining("rule") } });
});
