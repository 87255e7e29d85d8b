import { EventEmitter } from "node:events";
import type http from "node:http";
import { SpanStatusCode, trace } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { traced, tracedRequest, traceStatements, withoutExternalId } from "./tracing";

const kept = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(kept)] });
provider.register();

beforeEach(() => kept.reset());
afterAll(() => provider.shutdown());

const spans = () =>
  kept.getFinishedSpans().map(({ name, attributes, status }) => ({ name, attributes, status }));

function answer(statusCode: number) {
  const response = new EventEmitter() as unknown as http.ServerResponse;
  return Object.assign(response, { statusCode, writableFinished: true });
}

describe("a span", () => {
  it("of work that fails says with what code, and not in what words", async () => {
    const failing = traced("export", { "trailseal.export_id": "e1" }, async () => {
      throw Object.assign(new Error("of mei@example.com"), { code: "23505" });
    });
    await expect(failing).rejects.toThrow("mei@example.com");
    expect(spans()).toEqual([
      {
        name: "export",
        attributes: { "trailseal.export_id": "e1", "error.type": "23505" },
        status: { code: SpanStatusCode.ERROR },
      },
    ]);
    expect(JSON.stringify(kept.getFinishedSpans()[0]?.events)).not.toContain("mei@example.com");
  });

  it("of a request has a name that requests share, goes on until the answer is closed, and follows its caller's", () => {
    const response = answer(200);
    const path = "/o/org_01JZ8Q4M7N2V5X9C3B6T0R1KDH/events";
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01` };
    const request = { method: "GET", headers } as unknown as http.IncomingMessage;
    let within: string | undefined;
    tracedRequest(request, response, { path, requestId: "req_1", isTrusted: true }, () => {
      within = trace.getActiveSpan()?.spanContext().traceId;
    });
    expect(within).toBe(traceId);
    expect(spans()).toEqual([]);
    response.emit("close");
    expect(spans()).toMatchObject([
      {
        name: "GET /o/{id}/events",
        attributes: {
          "url.path": path,
          "http.response.status_code": 200,
          "trailseal.request_id": "req_1",
        },
      },
    ]);
  });

  it("of a request from elsewhere is linked with its caller's, and one for nothing has no path for a name", () => {
    const response = answer(404);
    const path = withoutExternalId("/organizations/external_id/mei@example.com");
    const headers = {
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    };
    const request = { method: "GET", headers } as unknown as http.IncomingMessage;
    tracedRequest(request, response, { path, requestId: "req_1", isTrusted: false }, () => {});
    response.emit("close");
    const [span] = kept.getFinishedSpans();
    expect(span?.name).toBe("GET");
    expect(span?.parentSpanContext).toBeUndefined();
    expect(span?.links.map(({ context: { traceId } }) => traceId)).toEqual([
      "0af7651916cd43dd8448eb211c80319c",
    ]);
    expect(JSON.stringify(span?.attributes)).not.toContain("mei@");
  });

  it("of a statement is made within another alone, in either form of a query, and has no values", async () => {
    const client = {
      query(...args: unknown[]) {
        const callback = args.at(-1);
        if (typeof callback !== "function") return Promise.resolve({ rows: [] });
        callback(new Error("no"), null);
        return undefined;
      },
    };
    traceStatements(client);
    await client.query("SELECT 1");
    expect(spans()).toEqual([]);
    await traced("work", {}, async () => {
      await client.query("INSERT INTO events SELECT 'mei''s secret', $1", ["value"]);
      await new Promise((resolve) => client.query({ text: "select 2" }, [], resolve));
    });
    expect(spans()).toMatchObject([
      {
        name: "INSERT",
        attributes: { "db.query.text": "INSERT INTO events SELECT ?, $1" },
        status: { code: SpanStatusCode.UNSET },
      },
      { name: "SELECT", status: { code: SpanStatusCode.ERROR } },
      { name: "work" },
    ]);
    const [insert, , work] = kept.getFinishedSpans();
    expect(insert?.parentSpanContext?.spanId).toBe(work?.spanContext().spanId);
  });
});
