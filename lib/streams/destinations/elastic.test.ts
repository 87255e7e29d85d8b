import { expect, it } from "vitest";
import { AppError } from "@/lib/errors";
import { openDestination } from "../registry";
import { batch, reply, unchained, wire } from "./batch-fixtures";
import { elastic } from "./elastic";

const open = (config = {}) =>
  openDestination("elastic", { url: "https://e.example:9200", ...config });

it("a body is create actions, each with its document, every line ended", () => {
  const frame = open().frame(batch(4, 5), { api_key: "a2V5" });
  const lines = (seq: number) => [
    { create: { _id: wire.id } },
    {
      "@timestamp": wire.occurred_at,
      ...{ ...wire, seq, chain_hash: "ab".repeat(32), recorded_at: "2026-11-23T14:02:09.000Z" },
    },
  ];
  const expected = [...lines(4), ...lines(5)].map((line) => `${JSON.stringify(line)}\n`).join("");
  expect(frame.body).toBe(expected);
  expect(new URL(frame.url).pathname).toBe("/logs-trailseal.audit-default/_bulk");
  expect(frame.headers).toEqual({
    "content-type": "application/x-ndjson",
    authorization: "ApiKey a2V5",
  });
  expect(frame).toMatchObject({ gzip: true, count: 2 });
});

it("tests and checkpoints are documents like all others", () => {
  const events = [unchained("test"), unchained("checkpoint")];
  const { body } = open().frame({ ...batch(), events }, { api_key: "k" });
  const documents = body.split("\n").filter((_, index) => index % 2 === 1);
  expect(documents.map((line) => JSON.parse(line))).toMatchObject([
    { "@timestamp": wire.occurred_at, seq: null, test: true },
    { "@timestamp": wire.occurred_at, seq: null },
  ]);
});

it("each way to sign in asks for what it needs and sends that", () => {
  expect(open().secretNames.required).toEqual(["api_key"]);
  expect(open({ auth: "none" }).secretNames.required).toEqual([]);
  expect(open({ auth: "none" }).frame(batch(1), {}).headers).not.toHaveProperty("authorization");
  expect(() => open({ auth: "basic" })).toThrow("config.username");
  const basic = open({ auth: "basic", username: "elastic" });
  expect(basic.secretNames.required).toEqual(["password"]);
  const { authorization = "" } = basic.frame(batch(1), { password: "p:ä" }).headers;
  expect(Buffer.from(authorization.slice("Basic ".length), "base64").toString()).toBe(
    "elastic:p:ä",
  );
});

it("names that no data stream may have are refused; a pasted path is not kept", () => {
  for (const dataStream of ["Audit", "_audit", "a/b", "a*", "-a"]) {
    expect(() => open({ dataStream }), dataStream).toThrow(AppError);
  }
  expect(open({ url: "https://e.example/es/_bulk" }).config.url).toBe("https://e.example/es/");
});

const answer = (...statuses: number[]) => {
  const items = statuses.map((status) => ({
    create: status < 300 ? { status } : { status, error: { type: "t", reason: "because" } },
  }));
  const errors = statuses.some((status) => status >= 300);
  return elastic.classify(reply(200, JSON.stringify({ errors, items })), statuses.length);
};

it("created and already known documents are delivered", () => {
  expect(answer(201, 201)).toEqual({ kind: "delivered" });
  expect(answer(409, 201, 409)).toEqual({ kind: "delivered" });
});

it("refused documents are named by their place, with the cluster's reason", () => {
  expect(answer(201, 400, 409, 400)).toMatchObject({
    kind: "rejected",
    rejected: [
      { index: 1, problem: { message: "The cluster answered 400 for an event, t: because." } },
      { index: 3 },
    ],
  });
});

it("all refused is looked at one by one; one that is busy sends all again; denied is a mistake of the set-up", () => {
  expect(answer(400, 400).kind).toBe("split");
  expect(answer(400).kind).toBe("split");
  expect(answer(201, 429, 400).kind).toBe("retry");
  expect(answer(201, 503).kind).toBe("retry");
  expect(answer(201, 403).kind).toBe("config_error");
  expect(answer(404, 404).kind).toBe("config_error");
});

it("what is not an answer of _bulk confirms nothing", () => {
  const kind = (status: number, body: string) => elastic.classify(reply(status, body), 2).kind;
  expect(kind(200, "<html>")).toBe("config_error");
  expect(kind(200, '{"errors":false,"items":[]}')).toBe("config_error");
  expect(kind(200, `{"errors":true,"items":[${"x".repeat(65_500)}`)).toBe("split");
  expect(kind(401, "")).toBe("config_error");
  expect(kind(413, "")).toBe("split");
  expect(kind(429, "")).toBe("retry");
});
