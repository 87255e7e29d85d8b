import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { AppError } from "@/lib/errors";
import { MAX_BATCH_BYTES, MAX_BATCH_EVENTS, type StreamEvent } from "../destination";
import { openDestination } from "../registry";
import { batch, item, reply, wire } from "./batch-fixtures";
import { splunk as splunkDestination } from "./splunk";
import { webhook as webhookDestination } from "./webhook";

const envelope = (seq: number) =>
  `{"seq":${seq},"chain_hash":"${"ab".repeat(32)}","recorded_at":"2026-11-23T14:02:09.000Z","event":${JSON.stringify(wire)}}`;

const signing_secret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

describe("webhook", () => {
  const webhook = (config = {}) =>
    openDestination("webhook", { url: "https://hooks.example.com/a?b=c", ...config });

  it("a JSON body is an array of envelopes in order", () => {
    const frame = webhook().frame(batch(4, 5), { signing_secret });
    expect(frame.body).toBe(`[${envelope(4)},${envelope(5)}]`);
    expect(frame).toMatchObject({ url: "https://hooks.example.com/a?b=c", count: 2 });
    expect(frame.headers["content-type"]).toBe("application/json");
  });

  it("an NDJSON body is one envelope per line, the last ended too", () => {
    const frame = webhook({ format: "ndjson" }).frame(batch(4, 5), { signing_secret });
    expect(frame.body).toBe(`${envelope(4)}\n${envelope(5)}\n`);
    expect(frame.headers["content-type"]).toBe("application/x-ndjson");
  });

  it("the signature verifies by Standard Webhooks over the body as sent", () => {
    const sentAt = new Date();
    const frame = webhook().frame({ ...batch(4, 5), sentAt }, { signing_secret });
    expect(new Webhook(signing_secret).verify(frame.body, frame.headers)).toHaveLength(2);
    expect(() => new Webhook(signing_secret).verify(`${frame.body} `, frame.headers)).toThrow();
    expect(frame.headers["webhook-id"]).toBe("msg_X_4-5");
  });

  it("while a secret is rotated the body is signed with both, and either verifies", () => {
    const before = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
    const secrets = { signing_secret, "previous:signing_secret": before };
    const frame = webhook().frame({ ...batch(4), sentAt: new Date() }, secrets);
    for (const secret of [signing_secret, before])
      expect(new Webhook(secret).verify(frame.body, frame.headers)).toHaveLength(1);
  });

  it("custom headers carry their secret values and cannot replace ours", () => {
    const frame = webhook({ headers: ["Authorization"] }).frame(batch(1), {
      signing_secret,
      "header:Authorization": "Bearer t",
    });
    expect(frame.headers.Authorization).toBe("Bearer t");
    const refused = (name: string) =>
      webhookDestination.configSchema.safeParse({ url: "https://h.example", headers: [name] })
        .success;
    expect(refused("X-Team")).toBe(true);
    for (const name of [
      "Host",
      "content-length",
      "Webhook-Id",
      "a b",
      "x:y",
      "transfer-encoding",
    ]) {
      expect(refused(name), name).toBe(false);
    }
    const many = Array.from({ length: 21 }, (_, index) => `x-${index}`);
    expect(
      webhookDestination.configSchema.safeParse({ url: "https://h.example", headers: many })
        .success,
    ).toBe(false);
  });

  it("a secret of the wrong form is refused, an absent one is made", () => {
    const destination = webhook();
    for (const wrong of ["whsec_", "whsec_short", "not base64!", `whsec_${"A".repeat(200)}`]) {
      expect(() => destination.parseSecret("signing_secret", wrong), wrong).toThrow(AppError);
    }
    expect(() => destination.parseSecret("header:X", "a\r\nb: c")).toThrow(AppError);
    const made = destination.generateSecret("signing_secret") as string;
    expect(destination.parseSecret("signing_secret", made)).toBe(made);
  });

  it("answers mean what the receiver's status says", () => {
    const kind = (status: number, retryAfterS: number | null = null) =>
      webhookDestination.classify(reply(status, "", retryAfterS), 2).kind;
    expect([200, 202, 204].map((status) => kind(status))).toEqual(Array(3).fill("delivered"));
    expect([408, 429, 500, 502, 503, 504].map((status) => kind(status))).toEqual(
      Array(6).fill("retry"),
    );
    expect([401, 403, 404, 301, 307].map((status) => kind(status))).toEqual(
      Array(5).fill("config_error"),
    );
    expect([400, 413, 422].map((status) => kind(status))).toEqual(Array(3).fill("split"));
    expect(kind(410)).toBe("gone");
    expect(webhookDestination.classify(reply(429, "", 7), 1)).toMatchObject({
      retryAfterS: 7,
    });
  });
});

describe("splunk", () => {
  const splunk = (config = {}) =>
    openDestination("splunk", { url: "https://splunk.example.com:8088", ...config });

  it("a body is concatenated objects, time in seconds with milliseconds, the event in the event field", () => {
    const frame = splunk({ index: "audit" }).frame(batch(4, 5), { token: "T" });
    const object = (seq: number) =>
      `{"time":1795442528.114,"host":"trailseal","source":"trailseal","sourcetype":"trailseal:audit","index":"audit","event":${JSON.stringify(
        { ...wire, seq, chain_hash: "ab".repeat(32), recorded_at: "2026-11-23T14:02:09.000Z" },
      )}}`;
    expect(frame.body).toBe(`${object(4)}\n${object(5)}`);
    expect(frame.url).toBe("https://splunk.example.com:8088/services/collector/event");
    expect(frame.headers.authorization).toBe("Splunk T");
  });

  it("an absent index is not sent, so that the token's own stands", () => {
    const { body } = splunk({ index: "" }).frame(batch(1), { token: "T" });
    expect(JSON.parse(body)).not.toHaveProperty("index");
  });

  it("the collector's path is accepted when pasted, and a base path is kept", () => {
    const urlOf = (text: string) => splunk({ url: text }).frame(batch(1), { token: "T" }).url;
    const url = (text: string) => splunkDestination.configSchema.parse({ url: text }).url;
    expect(url("https://s.example:8088/services/collector/event")).toBe("https://s.example:8088/");
    expect(url("https://s.example:8088/services/collector")).toBe("https://s.example:8088/");
    expect(urlOf("https://s.example/splunk/")).toBe(
      "https://s.example/splunk/services/collector/event",
    );
    expect(urlOf("https://s.example/splunk")).toBe(
      "https://s.example/splunk/services/collector/event",
    );
  });

  const answer = (status: number, body: object | string, count = 10) =>
    splunkDestination.classify(
      reply(status, typeof body === "string" ? body : JSON.stringify(body)),
      count,
    );

  it("success is code 0; a web page on the same address is not, nor is a proxy's word", () => {
    expect(answer(200, { text: "Success", code: 0 }).kind).toBe("delivered");
    expect(answer(200, "ok")).toMatchObject({ kind: "retry", problem: { code: "hec_unclear" } });
    expect(answer(200, "<!doctype html><title>Splunk</title>").kind).toBe("config_error");
  });

  it.each([6, 12, 13, 15])("code %i: the events before the invalid one are in", (code) => {
    expect(answer(400, { text: "x", code, "invalid-event-number": 4 })).toMatchObject({
      kind: "partial",
      accepted: 4,
    });
    expect(answer(400, { text: "x", code })).toMatchObject({ kind: "partial", accepted: 0 });
    expect(answer(400, { text: "x", code, "invalid-event-number": 99 })).toMatchObject({
      accepted: 9,
    });
  });

  it.each([1, 2, 3, 4, 7, 10, 11])("code %i: somebody has to change the set-up", (code) => {
    expect(answer(code === 7 ? 400 : 403, { text: "x", code }).kind).toBe("config_error");
  });

  it("busy, full queues and server errors are tried again; too large is split", () => {
    expect(answer(503, { text: "Server is busy", code: 9 }).kind).toBe("retry");
    expect(answer(429, { text: "x", code: 26 }).kind).toBe("retry");
    expect(answer(500, { text: "x", code: 8 }).kind).toBe("retry");
    expect(answer(503, "").kind).toBe("retry");
    expect(answer(413, { text: "x", code: 27 }).kind).toBe("split");
    expect(answer(401, "").kind).toBe("config_error");
    expect(answer(404, "not here").kind).toBe("config_error");
  });
});

it("a body holds as many events as fit, never fewer than one, and says how many", () => {
  const large = (seq: number): StreamEvent => ({
    ...item(seq),
    event: { ...wire, metadata: { text: "x".repeat(60_000) } },
  });
  const huge = { ...item(0), event: { ...wire, metadata: { text: "x".repeat(MAX_BATCH_BYTES) } } };
  for (const [id, secrets] of [
    ["webhook", { signing_secret }],
    ["splunk", { token: "T" }],
  ] as const) {
    const destination = openDestination(id, { url: "https://siem.example.com" });
    const many = { ...batch(1), events: Array.from({ length: 40 }, (_, seq) => large(seq)) };
    const frame = destination.frame(many, secrets);
    expect(Buffer.byteLength(frame.body)).toBeLessThanOrEqual(MAX_BATCH_BYTES);
    expect(frame.count).toBe(14);
    expect(destination.frame({ ...batch(1), events: [huge, item(1)] }, secrets).count).toBe(1);
    const small = { ...batch(1), events: Array.from({ length: 1_200 }, (_, seq) => item(seq)) };
    expect(destination.frame(small, secrets).count).toBe(MAX_BATCH_EVENTS);
  }
});
