import { z } from "zod";
import { type Batch, type Frame, fitting, type Outcome, type Reply } from "../destination";
import { encodeItem } from "../formats";
import { classifyApi, KEPT, problem } from "../problems";
import { answerOf } from "../request";

/** The HTTP Event Collector's protocol, which Splunk defines and others speak. */

export const hecAnswerSchema = z.object({
  code: z.number().int(),
  text: z.string().optional(),
  "invalid-event-number": z.number().int().min(0).optional(),
  ackId: z.number().int().min(0).optional(),
});

/** The path of a collector, which is accepted when pasted. */
export const COLLECTOR_PATH = /\/(services\/collector|api\/v1\/ingest\/hec)(\/.*)?$/;

interface Envelope {
  host?: string | undefined;
  source?: string | undefined;
  sourcetype?: string | undefined;
  index?: string | undefined;
}

/** Concatenated objects whose `event` is the encoded event; the time in seconds with milliseconds. */
export function frameHec(
  batch: Batch,
  { source = "trailseal", ...envelope }: Envelope,
  request: Pick<Frame, "url" | "headers" | "tls">,
): Frame {
  const items = fitting(batch, (item) =>
    JSON.stringify({
      time: Date.parse(item.event.occurred_at) / 1000,
      host: "trailseal",
      source,
      ...envelope,
      event: encodeItem(batch.format, item),
    }),
  );
  return {
    ...request,
    method: "POST",
    headers: { "content-type": "application/json", ...request.headers },
    body: items.join("\n"),
    gzip: true,
    count: items.length,
  };
}

const ENABLE = "Enable the token in Splunk under Settings, Data inputs, HTTP Event Collector.";
const CHANNEL =
  "Switch on that Trailseal waits for indexers, or switch acknowledgement off for this token.";
const QUERY = "Replace the address by the collector's own, without a query.";

/** Codes of Splunk's "HTTP Event Collector error codes" that mean the request can never work as set up. */
const CONFIGURATION: Record<number, [message: string, advice: string]> = {
  1: ["the token is disabled", ENABLE],
  2: [
    "no token arrived",
    "A proxy on the way may remove the Authorization header. Replace the token or the address.",
  ],
  3: ["the authorization is not valid", "Replace the token."],
  4: [
    "the token is not known",
    "Replace the token. Delivery resumes where it stopped; nothing is lost.",
  ],
  7: [
    "the index is wrong",
    "Allow the index for this token in Splunk under Settings, Data inputs, HTTP Event Collector, or choose another index.",
  ],
  10: ["a data channel is missing", CHANNEL],
  11: ["the data channel is invalid", CHANNEL],
  14: [
    "acknowledgement is disabled",
    "Enable indexer acknowledgement for the token, or do not wait for it.",
  ],
  16: ["query string authorization is off", QUERY],
  21: ["the token is not valid", "Replace the token."],
  22: ["the token is disabled", ENABLE],
};

/** Everything before `invalid-event-number` is indexed already; that one was refused. */
const INVALID_EVENT: Record<number, string> = {
  6: "invalid data format",
  12: "the event field is missing",
  13: "the event field is blank",
  15: "the indexed fields could not be handled",
};

const BUSY = [8, 9, 18, 19, 20, 23, 24, 25, 26, 27];

/**
 * @param receiver its name in sentences
 * @param isCoded whether a success has a code, too: an answer without one is another's, as of a proxy
 */
export function classifyHec(
  reply: Reply,
  count: number,
  receiver: string,
  isCoded = true,
): Outcome {
  const answer = answerOf(reply, hecAnswerSchema);
  const isSuccess = reply.status >= 200 && reply.status < 300;
  if (!answer || reply.status === 413) {
    const outcome = classifyApi(reply, receiver);
    const isClear = outcome.kind !== "delivered" || !isCoded;
    return isClear
      ? outcome
      : unclear(reply, `${receiver} answered ${reply.status} without a code`);
  }
  const { code, text } = answer;
  const said = `${receiver} answered ${reply.status} with code ${code}${text ? `, ${text.slice(0, 100)}` : ""}`;
  const wrong = CONFIGURATION[code];
  if (wrong) {
    const cause = problem(`hec_${code}`, `${said}: ${wrong[0]}.`, wrong[1]);
    return { kind: "config_error", problem: cause };
  }
  const invalid = INVALID_EVENT[code];
  if (invalid !== undefined && !isSuccess) {
    const accepted = Math.min(answer["invalid-event-number"] ?? 0, count - 1);
    return {
      kind: "partial",
      accepted,
      problem: problem(
        `hec_${code}`,
        `${said}: ${invalid}, event ${accepted} of the request.`,
        "The events before it are in. The refused one is sent alone and set aside if it is refused again.",
      ),
    };
  }
  if (isSuccess && code === 0) return { kind: "delivered" };
  const { retryAfterS } = reply;
  if (BUSY.includes(code) || reply.status >= 500) {
    return { kind: "retry", problem: problem(`hec_${code}`, `${said}.`, KEPT), retryAfterS };
  }
  if (!isSuccess) return classifyApi(reply, receiver);
  return unclear(reply, said);
}

function unclear({ retryAfterS }: Reply, said: string): Outcome {
  const message = `${said}, which does not confirm the events.`;
  const advice =
    "They are sent again. Check the address, what lies between, and the collector's log.";
  return { kind: "retry", problem: problem("hec_unclear", message, advice), retryAfterS };
}
