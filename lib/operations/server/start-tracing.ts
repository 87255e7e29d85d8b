import { getEnv } from "@/lib/env";

/** Attributes of Next's own spans that have whole addresses, whose queries hold tokens and filters. */
const ADDRESSES = ["http.target", "http.url", "url.full", "next.span_name"];

const withoutQuery = (value: unknown) =>
  typeof value === "string" ? value.replace(/\?.*$/s, "") : value;

/**
 * Sends spans where OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT says, as OTLP/HTTP in JSON;
 * the other OTEL_ settings of the SDK (headers, sampler, limits, names) hold as documented there. Without either
 * nothing is loaded.
 * @returns what sends the rest at the end
 */
export async function startTracing(process: "server" | "worker"): Promise<() => Promise<void>> {
  const { OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT } = getEnv();
  if (!OTEL_EXPORTER_OTLP_ENDPOINT && !OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) return async () => {};
  const [sdk, { OTLPTraceExporter }, resources] = await Promise.all([
    import("@opentelemetry/sdk-trace-node"),
    import("@opentelemetry/exporter-trace-otlp-http"),
    import("@opentelemetry/resources"),
  ]);
  const batches = new sdk.BatchSpanProcessor(new OTLPTraceExporter());
  const provider = new sdk.NodeTracerProvider({
    resource: resources
      .resourceFromAttributes({ "service.name": `trailseal-${process}` })
      .merge(resources.detectResources({ detectors: [resources.envDetector] })),
    spanProcessors: [
      {
        onStart: (span, parent) => batches.onStart(span, parent),
        onEnd(span) {
          for (const name of ADDRESSES)
            if (name in span.attributes)
              Object.assign(span.attributes, { [name]: withoutQuery(span.attributes[name]) });
          batches.onEnd(span);
        },
        forceFlush: () => batches.forceFlush(),
        shutdown: () => batches.shutdown(),
      },
    ],
  });
  provider.register();
  // A collector that is away holds up no stop.
  return () => provider.shutdown().catch(() => undefined);
}
