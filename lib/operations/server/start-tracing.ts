import { setTimeout as sleep } from "node:timers/promises";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-node";
import { getEnv } from "@/lib/env";
import { withoutExternalId } from "@/lib/tracing";

const MOST_FLUSH_MS = 1_000;

/** Attributes of Next's own spans that have whole addresses, whose queries hold tokens and filters. */
const ADDRESSES = ["http.target", "http.url", "url.full", "next.span_name"];
/** Of errors; they may repeat values. Their types stay. */
const WORDS = ["exception.message", "exception.stacktrace"];

/** Takes out of a span that ended what it says of people: Next's own have whole addresses and errors in them. */
export function redact(span: ReadableSpan): void {
  const attributes = span.attributes as Record<string, unknown>;
  for (const name of ADDRESSES) {
    const value = attributes[name];
    if (typeof value === "string")
      attributes[name] = withoutExternalId(value.replace(/\?.*$/s, ""));
  }
  for (const { attributes: ofEvent } of span.events)
    for (const name of WORDS) if (ofEvent) delete ofEvent[name];
  delete (span.status as { message?: string }).message;
}

/**
 * Sends spans where OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT says, as OTLP/HTTP in JSON;
 * the other OTEL_ settings of the SDK (headers, sampler, limits, names) hold as documented there. Without either
 * nothing is loaded.
 * @returns what sends the rest at the end
 */
export async function startTracing(program: "server" | "worker"): Promise<() => Promise<void>> {
  const env = getEnv();
  const isConfigured = env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT;
  if (!isConfigured || env.OTEL_SDK_DISABLED) return async () => {};
  const [sdk, { OTLPTraceExporter }, resources] = await Promise.all([
    import("@opentelemetry/sdk-trace-node"),
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
  ]);
  const batches = new sdk.BatchSpanProcessor(new OTLPTraceExporter());
  const provider = new sdk.NodeTracerProvider({
    resource: resources
      .resourceFromAttributes({ "service.name": `trailseal-${program}` })
      .merge(resources.detectResources({ detectors: [resources.envDetector] })),
    spanProcessors: [
      {
        onStart: (span, parent) => batches.onStart(span, parent),
        onEnd(span) {
          redact(span);
          batches.onEnd(span);
        },
        forceFlush: () => batches.forceFlush(),
        shutdown: () => batches.shutdown(),
      },
    ],
  });
  provider.register();
  // A collector that is away does not hold up the stop.
  return () => Promise.race([provider.shutdown().catch(() => undefined), sleep(MOST_FLUSH_MS)]);
}
