import { z } from "zod";
import { AppError } from "@/lib/errors";
import {
  type Destination,
  fitting,
  type Outcome,
  type Reply,
  type StreamEvent,
} from "../destination";
import { classifyStatus, problem } from "../problems";
import { type SplunkConfig, splunkConfigSchema } from "../schema";

const answerSchema = z.object({
  code: z.number().int(),
  text: z.string().optional(),
  "invalid-event-number": z.number().int().min(0).optional(),
});

function parseAnswer(body: string): z.infer<typeof answerSchema> | null {
  try {
    return answerSchema.safeParse(JSON.parse(body)).data ?? null;
  } catch {
    return null;
  }
}

/** Codes of Splunk's "HTTP Event Collector error codes" that mean the request can never work as set up. */
const CONFIGURATION: Record<number, [message: string, advice: string]> = {
  1: [
    "the token is disabled",
    "Enable the token in Splunk under Settings, Data inputs, HTTP Event Collector.",
  ],
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
  10: [
    "a data channel is missing",
    "Switch indexer acknowledgement off for this token: Trailseal does not use it.",
  ],
  11: [
    "the data channel is invalid",
    "Switch indexer acknowledgement off for this token: Trailseal does not use it.",
  ],
  14: [
    "acknowledgement is disabled",
    "Replace the address by the collector's own, without a query.",
  ],
  16: [
    "query string authorization is off",
    "Replace the address by the collector's own, without a query.",
  ],
  21: ["the token is not valid", "Replace the token."],
  22: [
    "the token is disabled",
    "Enable the token in Splunk under Settings, Data inputs, HTTP Event Collector.",
  ],
};

/** Everything before `invalid-event-number` is indexed already; that one was refused. */
const INVALID_EVENT: Record<number, string> = {
  6: "invalid data format",
  12: "the event field is missing",
  13: "the event field is blank",
  15: "the indexed fields could not be handled",
};

function classify(reply: Reply, count: number): Outcome {
  const answer = parseAnswer(reply.body);
  const isSuccess = reply.status >= 200 && reply.status < 300;
  if (!answer) {
    if (isSuccess && /^\s*</.test(reply.body)) {
      return {
        kind: "config_error",
        problem: problem(
          "not_a_collector",
          "The address answered with a web page, not as an HTTP Event Collector.",
          "Enter the collector's address, usually https://HOST:8088.",
        ),
      };
    }
    return reply.status === 410
      ? {
          kind: "config_error",
          problem: problem(
            "http_410",
            "Splunk answered 410.",
            "Check the address of the collector.",
          ),
        }
      : classifyStatus(reply, "Splunk");
  }
  if (reply.status === 413) return classifyStatus(reply, "Splunk");
  const { code, text } = answer;
  const word = text ? `, ${text.slice(0, 100)}` : "";
  const said = `Splunk answered ${reply.status} with code ${code}${word}`;
  const wrong = CONFIGURATION[code];
  if (wrong) {
    return {
      kind: "config_error",
      problem: problem(`hec_${code}`, `${said}: ${wrong[0]}.`, wrong[1]),
    };
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
        "The events before it are in. The refused one is sent alone and set aside if Splunk refuses it again.",
      ),
    };
  }
  if (isSuccess && code === 0) return { kind: "delivered" };
  if ([8, 9, 18, 19, 20, 23, 24, 25, 26, 27].includes(code) || reply.status >= 500) {
    return {
      kind: "retry",
      problem: problem(
        `hec_${code}`,
        `${said}.`,
        "Trailseal keeps the events and tries again by itself, with growing pauses.",
      ),
      retryAfterS: reply.retryAfterS,
    };
  }
  if (isSuccess) {
    return {
      kind: "retry",
      problem: problem(
        `hec_${code}`,
        `${said}, which does not confirm the events.`,
        "They are sent again. Check the collector's log.",
      ),
      retryAfterS: reply.retryAfterS,
    };
  }
  return classifyStatus(reply, "Splunk");
}

/**
 * Splunk HTTP Event Collector, event endpoint: concatenated objects. `event` is the wire event itself
 * with `seq`, `chain_hash` and `recorded_at` beside its fields, so that searches reach them without a
 * prefix and the object still satisfies the event schema.
 */
export const splunk: Destination<SplunkConfig> = {
  id: "splunk",
  label: "Splunk HEC",
  configSchema: splunkConfigSchema,
  secretNames: () => ["token"],
  parseSecret(name, value) {
    const token = value.trim().replace(/^Splunk\s+/i, "");
    if (name !== "token" || !/^[\x21-\x7e]{1,512}$/.test(token)) {
      throw new AppError(
        "invalid_request",
        "An HEC token has no spaces and visible ASCII characters only.",
        {
          errors: [{ field: "secrets.token", code: "The token has the wrong form." }],
        },
      );
    }
    return token;
  },
  generateSecret: () => null,
  url: (config) => new URL("services/collector/event", config.url).toString(),
  describe: (config) =>
    config.index ? `${new URL(config.url).host}, index ${config.index}` : new URL(config.url).host,

  frame(batch, config, secrets) {
    const encode = ({ seq, chainHash, recordedAt, event }: StreamEvent) =>
      JSON.stringify({
        time: Date.parse(event.occurred_at) / 1000,
        host: "trailseal",
        source: config.source ?? "trailseal",
        sourcetype: config.sourcetype ?? "trailseal:audit",
        ...(config.index ? { index: config.index } : {}),
        event: {
          ...event,
          seq,
          chain_hash: chainHash,
          recorded_at: recordedAt,
          ...(seq === null ? { test: true } : {}),
        },
      });
    const items = fitting(batch, encode);
    return {
      path: new URL("services/collector/event", config.url).pathname,
      headers: {
        "content-type": "application/json",
        authorization: `Splunk ${secrets.token ?? ""}`,
      },
      body: items.join("\n"),
      count: items.length,
    };
  },

  classify,
};
