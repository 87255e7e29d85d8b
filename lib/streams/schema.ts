import { z } from "zod";

/** Kinds of receivers, in the order the forms show them. */
export const destinationIds = ["webhook", "splunk"] as const;
export type DestinationId = (typeof destinationIds)[number];

/**
 * - active: delivers, or has nothing to deliver.
 * - degraded: the last attempt failed in a way that waiting may cure; retried with growing pauses.
 * - error: the receiver's configuration or ours has to change; probed every 15 minutes.
 * - paused: by a person. disabled: by the receiver (410), or after seven days of failures.
 */
export const streamStates = ["active", "degraded", "error", "paused", "disabled"] as const;
export type StreamState = (typeof streamStates)[number];

const headerNameSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/,
    "A header name has letters, digits and hyphens only.",
  )
  .refine(
    (name) =>
      !/^(webhook-|proxy-)/i.test(name) &&
      !/^(host|content-(length|type|encoding)|connection|transfer-encoding|te|trailer|upgrade|expect|keep-alive|date|user-agent)$/i.test(
        name,
      ),
    "This header is set by Trailseal or by the connection itself.",
  );

const endpointSchema = z
  .string()
  .trim()
  .max(2_000)
  .refine(
    (text) => URL.canParse(text),
    "Enter a complete address, such as https://siem.example.com/audit.",
  )
  .refine(
    (text) => !URL.canParse(text) || /^https?:$/.test(new URL(text).protocol),
    "The address must begin with https://.",
  )
  .refine(
    (text) => !URL.canParse(text) || (!new URL(text).username && !new URL(text).password),
    "The address must not contain a user name or password. Use a custom header.",
  )
  .transform((text) => {
    const url = new URL(text);
    url.hash = "";
    return url.toString();
  });

/** Custom header values are credentials: they live among the secrets as `header:<name>`. */
export const webhookConfigSchema = z.strictObject({
  url: endpointSchema,
  /** json: one array per request. ndjson: one object per line. */
  format: z.enum(["json", "ndjson"]).default("json"),
  headers: z
    .array(headerNameSchema)
    .max(20, "At most 20 custom headers.")
    .default([])
    .refine(
      (names) => new Set(names.map((name) => name.toLowerCase())).size === names.length,
      "A header is named twice.",
    ),
});
export type WebhookConfig = z.infer<typeof webhookConfigSchema>;

const splunkNameSchema = z
  .string()
  .trim()
  .max(255)
  .transform((text) => (text === "" ? undefined : text))
  .optional();

export const splunkConfigSchema = z.strictObject({
  /** Base address of the collector; `/services/collector/event` is added, and accepted when pasted. */
  url: endpointSchema.transform((text) => {
    const url = new URL(text);
    url.search = "";
    url.pathname = url.pathname.replace(/\/services\/collector(\/.*)?$/, "/").replace(/\/*$/, "/");
    return url.toString();
  }),
  index: splunkNameSchema,
  sourcetype: splunkNameSchema,
  source: splunkNameSchema,
});
export type SplunkConfig = z.infer<typeof splunkConfigSchema>;

export const streamNameSchema = z.string().trim().min(1, "Enter a name.").max(100);

/** Secrets by field name: `signing_secret` and `header:<name>` of a webhook, `token` of Splunk. */
export const secretInputSchema = z.record(z.string().max(110), z.string().max(4_096));

const draftFields = { secrets: secretInputSchema.default({}) };
export const streamDraftSchema = z.discriminatedUnion("destination", [
  z.strictObject({
    destination: z.literal("webhook"),
    config: webhookConfigSchema,
    ...draftFields,
  }),
  z.strictObject({ destination: z.literal("splunk"), config: splunkConfigSchema, ...draftFields }),
]);
/** What a destination is reached with, before or without being saved. */
export type StreamDraft = z.infer<typeof streamDraftSchema>;

const createFields = {
  name: streamNameSchema,
  /** start: every event the log holds. now: events appended after this moment. */
  from: z.enum(["start", "now"]).default("start"),
  secrets: secretInputSchema.default({}),
};
export const createStreamSchema = z.discriminatedUnion("destination", [
  z.strictObject({
    destination: z.literal("webhook"),
    config: webhookConfigSchema,
    ...createFields,
  }),
  z.strictObject({ destination: z.literal("splunk"), config: splunkConfigSchema, ...createFields }),
]);
export type CreateStreamInput = z.infer<typeof createStreamSchema>;

/** `config` replaces the whole configuration; a secret that is absent or empty stays as it is. */
export const updateStreamSchema = z.strictObject({
  id: z.string().max(64),
  name: streamNameSchema,
  config: z.record(z.string(), z.unknown()),
  secrets: secretInputSchema.default({}),
});
export type UpdateStreamInput = z.infer<typeof updateStreamSchema>;

export const streamIdSchema = z.strictObject({ id: z.string().max(64) });

/** Everything a person may learn about a stored secret. */
export interface SecretInfo {
  set: boolean;
  updatedAt: string;
  /** Null for secrets too short to show a part of. */
  last4: string | null;
}

/** What went wrong, for people: cause, and what to do. */
export const problemSchema = z.object({
  /** Stable word: `http_401`, `connection_refused`, `egress_private`… */
  code: z.string(),
  message: z.string(),
  advice: z.string(),
});
export type Problem = z.infer<typeof problemSchema>;

export const lastErrorSchema = problemSchema.extend({
  /** ISO time of the attempt. */
  at: z.string(),
  /** The first 500 characters of the receiver's answer, without control characters. */
  reply: z.string().nullable(),
});
export type LastError = z.infer<typeof lastErrorSchema>;

export interface StreamSummary {
  id: string;
  name: string;
  destination: DestinationId;
  /** "Splunk HEC" */
  destinationLabel: string;
  /** Where events go, in one line. */
  description: string;
  config: WebhookConfig | SplunkConfig;
  secrets: Record<string, SecretInfo>;
  state: StreamState;
  /** Events below this sequence were delivered or set aside. */
  cursorSeq: number;
  lagEvents: number;
  /** Age of the oldest event that is not delivered; 0 when none waits. */
  lagS: number;
  delivered: number;
  deadLetters: number;
  failures: number;
  firstFailureAt: string | null;
  nextAttemptAt: string;
  lastAttemptAt: string | null;
  lastSuccessAt: string | null;
  lastError: LastError | null;
  createdAt: string;
  updatedAt: string;
}

export interface SavedStream {
  stream: StreamSummary;
  /** Secrets made here, by field: shown this once, never again. */
  generatedSecrets: Record<string, string>;
}

export interface DeadLetter {
  seq: number;
  reason: string;
  createdAt: string;
}

/** One step of a test send, in order; `detail` is what was reached. */
export interface TestStep {
  name: "dns" | "connect" | "tls" | "reply";
  detail: string;
  durationMs: number;
  ok: boolean;
}

export interface TestResult {
  ok: boolean;
  /** HTTP status, null when no answer came. */
  status: number | null;
  latencyMs: number;
  /** Cause and advice when the receiver did not take the event. */
  problem: Problem | null;
  steps: TestStep[];
  /** The request body as sent, at most 1 KB. */
  sent: string;
  /** The first 500 characters of the answer, without control characters. */
  reply: string | null;
  at: string;
}
