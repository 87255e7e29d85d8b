import { SpanStatusCode } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-node";
import { expect, test } from "vitest";
import { redact } from "./start-tracing";

test("what others put into a span says nothing of people: no queries, no words of errors", () => {
  const kept = new InMemorySpanExporter();
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(kept)] });
  const span = provider.getTracer("next.js").startSpan("GET /invitation");
  span.setAttribute("http.target", "/invitation?token=hidden\n?x");
  span.setAttribute("http.route", "/invitation");
  span.recordException(new TypeError("hidden"));
  span.setStatus({ code: SpanStatusCode.ERROR, message: "hidden" });
  span.end();
  const [ended] = kept.getFinishedSpans();
  if (!ended) expect.fail();
  redact(ended);
  expect(ended.attributes).toEqual({ "http.target": "/invitation", "http.route": "/invitation" });
  expect(ended.events.map(({ attributes }) => attributes)).toEqual([
    { "exception.type": "TypeError" },
  ]);
  expect(ended.status).toEqual({ code: SpanStatusCode.ERROR });
});
