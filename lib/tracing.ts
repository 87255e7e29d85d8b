import type http from "node:http";
import {
  type Attributes,
  context,
  propagation,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

/**
 * Spans of OpenTelemetry: none is made until lib/operations/server/start-tracing starts it. Names and attributes
 * after its semantic conventions for HTTP and databases; no address of a client, query, body or value goes into one.
 */

const tracer = () => trace.getTracer("trailseal");

function fail(span: Span, error: unknown): void {
  const { name, code } = error as { name?: string; code?: unknown };
  // The message may repeat values.
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute("error.type", String(code ?? name ?? "Error"));
}

/** Runs `work` in a span of its own. */
export function traced<T>(
  name: string,
  attributes: Attributes,
  work: () => Promise<T>,
): Promise<T> {
  return tracer().startActiveSpan(name, { attributes }, async (span) => {
    try {
      return await work();
    } catch (error) {
      fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Ids of what is asked for, and anything else that is long, would make a name of every request. */
const routeOf = (path: string) =>
  path
    .split("/")
    .map((part) => (part.length > 24 || /_[0-9A-HJKMNP-TV-Z]{26}$/.test(part) ? "{id}" : part))
    .join("/");

/** External ids may be anything, people's addresses too. */
export const withoutExternalId = (path: string): string =>
  path.replace(/^(\/organizations\/external_id\/)[^?]*/, "$1…");

/**
 * Runs `serve` in the span of a request, which goes on until its answer is closed. One that a traceparent names (W3C
 * Trace Context) is its parent where a trusted proxy sends it, since it decides what is kept; else it is linked.
 */
export function tracedRequest(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  { path, requestId, isTrusted }: { path: string; requestId: string; isTrusted: boolean },
  serve: () => void,
): void {
  const method = request.method ?? "GET";
  const callers = propagation.extract(ROOT_CONTEXT, request.headers);
  const named = trace.getSpanContext(callers);
  const parent = isTrusted ? callers : ROOT_CONTEXT;
  const span = tracer().startSpan(
    `${method} ${routeOf(path)}`,
    {
      kind: SpanKind.SERVER,
      links: named && !isTrusted ? [{ context: named }] : [],
      attributes: {
        "http.request.method": method,
        "url.path": path,
        "trailseal.request_id": requestId,
      },
    },
    parent,
  );
  response.once("close", () => {
    span.setAttribute("http.response.status_code", response.statusCode);
    // Paths of nothing are as many as there are words.
    if (response.statusCode === 404) span.updateName(method);
    if (response.statusCode >= 500 || !response.writableFinished)
      span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  });
  context.with(trace.setSpan(parent, span), serve);
}

/** Some of our statements have their values in them. */
const withoutValues = (text: string) => text.replace(/'(?:[^']|'')*'/g, "?");

/** A span for a statement within another; null where nobody looks. */
function startStatement(statement: unknown): Span | null {
  if (!trace.getActiveSpan()?.isRecording()) return null;
  const text = typeof statement === "string" ? statement : (statement as { text?: string }).text;
  if (typeof text !== "string") return null;
  const operation = /^\s*(\w+)/.exec(text)?.[1]?.toUpperCase() ?? "query";
  return tracer().startSpan(operation, {
    kind: SpanKind.CLIENT,
    attributes: {
      "db.system.name": "postgresql",
      "db.operation.name": operation,
      "db.query.text": withoutValues(text),
    },
  });
}

type Query = (...args: unknown[]) => unknown;

/** Has a connection tell of its statements; not of those that give a stream. */
export function traceStatements(client: object): void {
  const traceable = client as { query: Query };
  const plain = traceable.query.bind(client);
  traceable.query = (...args) => {
    const span = startStatement(args[0]);
    if (!span) return plain(...args);
    const end = (error: unknown) => {
      if (error) fail(span, error);
      span.end();
    };
    const callback = args.at(-1);
    if (typeof callback === "function")
      return plain(...args.slice(0, -1), (error: unknown, result: unknown) => {
        end(error);
        callback(error, result);
      });
    const result = plain(...args);
    if (result instanceof Promise) result.then(() => end(null), end);
    else span.end();
    return result;
  };
}
