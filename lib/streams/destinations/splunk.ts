import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { defineDestination, type Frame, type Outcome, type Transport } from "../destination";
import { authority, baseAddress, optionalText, token, trusting } from "../endpoint";
import { field } from "../form";
import { OBJECT_FORMATS } from "../formats";
import { problem } from "../problems";
import { answerOf, requestOf } from "../request";
import { COLLECTOR_PATH, classifyHec, frameHec, hecAnswerSchema } from "./hec";

const CHANNEL = "x-splunk-request-channel";
const ACK_DEADLINE_MS = 60_000;
const FIRST_POLL_MS = 250;
const SLOWEST_POLL_MS = 5_000;

const acksSchema = z.object({ acks: z.record(z.string(), z.boolean()) });

/** The same for every delivery of a stream: acknowledgement ids count per channel. */
function channelOf(deliveryId: string): string {
  const stream = deliveryId.replace(/_\d+-\d+$/, "");
  const hex = createHash("sha256").update(`hec channel ${stream}`).digest("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
}

/**
 * Asks until the id is true, which it is once, or until the deadline of the send.
 * @see https://docs.splunk.com/Documentation/Splunk/latest/Data/AboutHECIDXAck
 */
async function acknowledged(frame: Frame, ackId: number, transport: Transport): Promise<Outcome> {
  const { signal } = transport;
  const poll = {
    ...requestOf({ ...frame, gzip: false, body: JSON.stringify({ acks: [ackId] }) }),
    url: frame.url.replace(/event$/, "ack"),
  };
  for (let pauseMs = FIRST_POLL_MS; !signal.aborted; pauseMs *= 2) {
    try {
      const reply = await transport.http(poll);
      const outcome = classifyHec(reply, frame.count, "Splunk");
      if (outcome.kind === "config_error") return outcome;
      if (answerOf(reply, acksSchema)?.acks[ackId]) return { kind: "delivered" };
      await sleep(Math.min(pauseMs, SLOWEST_POLL_MS), undefined, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
  return {
    kind: "retry",
    problem: problem(
      "hec_not_acknowledged",
      "Splunk took the events, but its indexers did not acknowledge them in time.",
      "They are sent again. Check the indexers' queues, and that a load balancer keeps to one collector.",
    ),
    retryAfterS: null,
  };
}

/**
 * Splunk HTTP Event Collector, event endpoint. `event` is the wire event itself with `seq`, `chain_hash` and
 * `recorded_at` beside its fields, so that searches reach them without a prefix and the object still satisfies
 * the event schema. In WorkOS's format only `event`, `time` and `source` are sent beside what is configured. WorkOS
 * documents an array with `time` in milliseconds; a collector wants objects one after another and seconds ("Format
 * events for HTTP Event Collector"), so that is what goes out.
 */
export const splunk = defineDestination({
  id: "splunk",
  label: "Splunk HEC",
  about: "The HTTP Event Collector of Splunk Enterprise, Splunk Cloud and compatible servers.",
  contractType: "Splunk",
  formats: [...OBJECT_FORMATS, "workos"],
  configSchema: z.strictObject({
    url: field(baseAddress(COLLECTOR_PATH), {
      label: "Collector address",
      kind: "url",
      placeholder: "https://splunk.example.com:8088",
      hint: "The path /services/collector/event is added.",
    }),
    index: optionalText("Index", { hint: "Empty: the token's own." }),
    sourcetype: optionalText("Source type", { placeholder: "trailseal:audit" }),
    source: optionalText("Source", { placeholder: "trailseal" }),
    useAck: field(z.boolean().default(false), {
      label: "Wait until indexers acknowledge",
      kind: "switch",
      hint: "Needs indexer acknowledgement enabled in Splunk Enterprise. Slower: an event counts as delivered once it is indexed.",
    }),
    ca: authority(),
  }),
  secrets: {
    token: {
      label: "Token",
      hint: "From Splunk: Settings, Data inputs, HTTP Event Collector. Never shown again after saving.",
      schema: z
        .string()
        .transform((text) => text.replace(/^Splunk\s+/i, ""))
        .pipe(token("An HEC token")),
    },
  },
  endpoint: (config) => config.url,
  boundTo: (config) => config.ca,
  describe: (config) =>
    config.index ? `${new URL(config.url).host}, index ${config.index}` : new URL(config.url).host,
  deadlineMs: (config) => (config.useAck ? ACK_DEADLINE_MS : 10_000),

  frame(batch, config, secrets) {
    const isNative = batch.format === "workos";
    const { index, source, sourcetype = isNative ? undefined : "trailseal:audit" } = config;
    return frameHec(
      batch,
      { host: isNative ? undefined : "trailseal", source, sourcetype, ...(index ? { index } : {}) },
      {
        url: new URL("services/collector/event", config.url).toString(),
        headers: {
          authorization: `Splunk ${secrets.token ?? ""}`,
          ...(config.useAck ? { [CHANNEL]: channelOf(batch.deliveryId) } : {}),
        },
        ...trusting(config),
      },
    );
  },

  async send(frame, config, _secrets, transport) {
    const reply = await transport.http(requestOf(frame));
    const outcome = classifyHec(reply, frame.count, "Splunk");
    if (!config.useAck) return outcome;
    // A refused request has no id: nothing would confirm what came before the refused event.
    if (outcome.kind === "partial") return { kind: "split", problem: outcome.problem };
    if (outcome.kind !== "delivered") return outcome;
    const ackId = answerOf(reply, hecAnswerSchema)?.ackId;
    if (ackId !== undefined) return acknowledged(frame, ackId, transport);
    return {
      kind: "config_error",
      problem: problem(
        "hec_no_ack_id",
        "Splunk took the events without an acknowledgement id.",
        "Enable indexer acknowledgement for the token, or do not wait for it. The events are sent again.",
      ),
    };
  },

  classify: (reply, count) => classifyHec(reply, count, "Splunk"),
});
