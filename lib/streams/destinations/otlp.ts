import { z } from "zod";
import { type Batch, defineDestination, fitting, type StreamEvent } from "../destination";
import { authority, baseAddress, headerNames, headerValue, trusting } from "../endpoint";
import { field } from "../form";
import { encodeItem, OBJECT_FORMATS } from "../formats";
import { classifyApi, LOST_UNNAMED, problem } from "../problems";
import { answerOf } from "../request";

/** OTLP 1.x retries these and no other. */
const RETRIED = [429, 502, 503, 504];
const INFO = { severityNumber: 9, severityText: "INFO" };

const answerSchema = z.object({
  partialSuccess: z
    .object({
      // int64 is a string in OTLP's JSON; some send a number.
      rejectedLogRecords: z.coerce.number().optional(),
      errorMessage: z.string().optional(),
    })
    .nullish(),
});

const nanoseconds = (time: string) => `${Date.parse(time)}000000`;
const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } });

/** The body is the event as JSON text, which receivers index and take apart; what they join by is beside it. */
function recordOf({ format }: Batch, item: StreamEvent): object {
  const { id, action, occurred_at } = item.event;
  const encoded = encodeItem(format, item);
  return {
    timeUnixNano: nanoseconds(occurred_at),
    observedTimeUnixNano: nanoseconds(item.recordedAt),
    ...INFO,
    eventName: action,
    body: { stringValue: typeof encoded === "string" ? encoded : JSON.stringify(encoded) },
    attributes: [
      attribute("log.record.uid", id),
      attribute("trailseal.action", action),
      ...(item.seq === null
        ? []
        : [{ key: "trailseal.seq", value: { intValue: String(item.seq) } }]),
      ...(item.chainHash === null ? [] : [attribute("trailseal.chain_hash", item.chainHash)]),
    ],
  };
}

/**
 * OpenTelemetry's protocol over HTTP, logs as JSON. A collector that takes a part of a request says how many
 * records it refused but not which, and they must not be sent again: the stream shows it as a warning.
 * @see https://opentelemetry.io/docs/specs/otlp/#otlphttp
 */
export const otlp = defineDestination({
  id: "otlp",
  label: "OpenTelemetry",
  about: "OTLP/HTTP logs for an OpenTelemetry Collector or whatever takes them.",
  contractType: "GenericHttps",
  formats: OBJECT_FORMATS,
  configSchema: z.strictObject({
    url: field(baseAddress(/\/v1\/logs$/), {
      label: "Address",
      kind: "url",
      placeholder: "https://collector.example.com:4318",
      hint: "The path /v1/logs is added.",
    }),
    headers: field(headerNames(), {
      label: "Headers",
      kind: "headers",
      hint: "Values are stored sealed and never shown again: put a bearer token or API key here.",
    }),
    ca: authority(),
  }),
  secrets: { header: { label: "Value", schema: headerValue } },
  endpoint: (config) => config.url,
  boundTo: (config) => config.ca,
  describe: (config) => new URL(config.url).host,

  frame(batch, config, secrets) {
    const items = fitting(batch, (item) => JSON.stringify(recordOf(batch, item)));
    const organization = batch.events[0]?.event.organization_id ?? "";
    const resource = JSON.stringify({
      attributes: [
        attribute("service.name", "trailseal"),
        attribute("trailseal.organization_id", organization),
      ],
    });
    const scope = JSON.stringify({ name: "trailseal" });
    return {
      url: `${config.url}v1/logs`,
      method: "POST",
      headers: {
        ...Object.fromEntries(
          config.headers.map((name) => [name, secrets[`header:${name}`] ?? ""]),
        ),
        "content-type": "application/json",
      },
      body: `{"resourceLogs":[{"resource":${resource},"scopeLogs":[{"scope":${scope},"logRecords":[${items.join(",")}]}]}]}`,
      gzip: true,
      count: items.length,
      ...trusting(config),
    };
  },

  classify(reply, count) {
    const outcome = classifyApi(reply, "The collector");
    if (outcome.kind === "retry" && !RETRIED.includes(reply.status)) {
      return { kind: "config_error", problem: outcome.problem };
    }
    if (outcome.kind !== "delivered") return outcome;
    const { rejectedLogRecords = 0, errorMessage } =
      answerOf(reply, answerSchema)?.partialSuccess ?? {};
    if (!(rejectedLogRecords > 0)) return outcome;
    const word = errorMessage ? ` It said: ${errorMessage.slice(0, 200)}` : "";
    const warning = problem(
      LOST_UNNAMED,
      `The collector refused ${rejectedLogRecords} of ${count} events and did not say which.${word}`,
      "They are not sent again, since the others would arrive twice. Look for the missing ones by trailseal.seq in the receiver.",
    );
    // None of them is in: they may go again, each alone, so that it shows which are refused.
    return rejectedLogRecords >= count
      ? { kind: "split", problem: warning }
      : { kind: "delivered", warning };
  },
});
