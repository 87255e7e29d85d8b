import { z } from "zod";
import { type FormatId, formatIds } from "./formats";

/**
 * - active: delivers, or has nothing to deliver.
 * - degraded: the last attempt failed in a way that waiting may cure; retried with growing pauses.
 * - error: the receiver's configuration or ours has to change; probed every 15 minutes.
 * - paused: by a person. disabled: by the receiver (410), or after seven days of failures.
 */
export const streamStates = ["active", "degraded", "error", "paused", "disabled"] as const;
export type StreamState = (typeof streamStates)[number];

const streamNameSchema = z.string().trim().min(1, "Enter a name.").max(100);

/** Secrets by field name, such as `token`, and `header:<name>`. */
const secretInputSchema = z.record(z.string().max(110), z.string().max(20_000));

/** The destination's own schema judges it: `openDestination`. */
const configInputSchema = z.record(z.string().max(100), z.unknown());

/** What a destination is reached with, before or without being saved. */
export const streamDraftSchema = z.strictObject({
  destination: z.string().max(40),
  config: configInputSchema,
  secrets: secretInputSchema.default({}),
  format: z.enum(formatIds).optional(),
});
export type StreamDraft = z.infer<typeof streamDraftSchema>;

const MINUTES = "Enter a whole number of minutes, at most 10,080; 0 for never.";
/** Empty is no number: taken for 0 it would switch something off. */
const minutes = () =>
  z
    .union([z.number(), z.string().trim().min(1)], MINUTES)
    .transform(Number)
    .pipe(z.number(MINUTES).int(MINUTES).min(0, MINUTES).max(10_080, MINUTES));

/** How a stream behaves, whatever its destination. What is absent stays as it is, or as the table begins. */
const behaviourFields = {
  /** One of the destination's. */
  format: z.enum(formatIds).optional(),
  /** In the explorer's language; empty: every event. */
  filter: z.string().max(4_000).optional(),
  /** Minutes after which a stream that has nothing to say repeats the newest checkpoint; 0: never. */
  heartbeatMinutes: minutes().optional(),
  /** Age of the oldest waiting event, minutes, from which an alert is sent; 0: never. */
  lagAlertMinutes: minutes().optional(),
};

export const createStreamSchema = z.strictObject({
  ...streamDraftSchema.shape,
  ...behaviourFields,
  name: streamNameSchema,
  /** start: every event the log holds. now: events appended after this moment. Or those received from a time on. */
  from: z
    .union([z.enum(["start", "now"]), z.iso.datetime({ offset: true })], "Enter a date and time.")
    .default("start"),
});
export type CreateStreamInput = z.infer<typeof createStreamSchema>;

/** `config` replaces the whole configuration; a secret that is absent or empty stays as it is. */
export const updateStreamSchema = z.strictObject({
  id: z.string().max(64),
  name: streamNameSchema,
  config: configInputSchema,
  secrets: secretInputSchema.default({}),
  ...behaviourFields,
});
export type UpdateStreamInput = z.infer<typeof updateStreamSchema>;

/** What a format looks like at a destination, before or without being saved. Takes no secret. */
export const previewFormatSchema = streamDraftSchema
  .omit({ secrets: true })
  .extend({ filter: z.string().max(4_000).default("") });
export type PreviewFormatInput = z.infer<typeof previewFormatSchema>;

export interface FormatPreview {
  format: FormatId;
  /** The newest events that the filter takes, at most three, newest first; `text` is what would be sent. */
  events: { id: string; text: string }[];
  /** The one that is shown is made up: the log has no event, or its events are not for whoever asks. */
  isSample: boolean;
  /** How many of the newest `lookedAt` events, at most 50, the filter takes. */
  matched: number;
  lookedAt: number;
  /** Set when the search for older matches stopped early: ISO time up to which it is complete. */
  searchedTo: string | null;
}

export const streamIdSchema = z.strictObject({ id: z.string().max(64) });

/** Everything a person may learn about a stored secret. */
export interface SecretInfo {
  set: boolean;
  updatedAt: string;
  /** Null for secrets too short to show a part of. */
  last4: string | null;
  /** ISO time from which the receiver refuses it, where the secret itself says so. */
  expiresAt: string | null;
}

/** What went wrong, for people: cause, and what to do. */
const problemSchema = z.object({
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
  destination: string;
  /** "Splunk HEC" */
  destinationLabel: string;
  /** Where events go, in one line. */
  description: string;
  config: Record<string, unknown>;
  secrets: Record<string, SecretInfo>;
  format: FormatId;
  filter: string;
  heartbeatMinutes: number;
  lagAlertMinutes: number;
  state: StreamState;
  /** Where the stream began. */
  startSeq: number;
  /** Events below this sequence were delivered, set aside or passed over. */
  cursorSeq: number;
  /** The log holds events from the first up to the head, exclusive. */
  firstSeq: number;
  headSeq: number;
  lagEvents: number;
  /** Age of the oldest event that is not delivered; 0 when none waits. */
  lagS: number;
  /** When retention may delete the oldest waiting event; null: none waits, or events are kept for ever. */
  retentionEndsAt: string | null;
  delivered: number;
  /** Events that the filter did not take. */
  passedOver: number;
  /** Size of the newest signed checkpoint that the receiver has, and when it, or a heartbeat, was sent. */
  checkpointSize: number;
  checkpointSentAt: string | null;
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
  /** The redrive that sends it again; null: it waits for somebody to decide. */
  lane: string | null;
}

/** One request of a stream, as it ended. */
export interface StreamAttempt {
  id: string;
  /** `live`, or the id of a backfill or redrive. */
  lane: string;
  at: string;
  /** Sequence numbers covered, the end exclusive. */
  fromSeq: number;
  toSeq: number;
  events: number;
  bytes: number;
  outcome: "delivered" | "retry" | "config_error" | "split" | "partial" | "rejected" | "gone";
  status: number | null;
  latencyMs: number;
  code: string | null;
  message: string | null;
  reply: string | null;
}

/** Half an hour of UTC. */
export interface HalfHour {
  /** ISO time of its beginning. */
  slot: string;
  delivered: number;
  /** Requests that failed. */
  failed: number;
}

/** A stream with its last 24 hours. */
export interface StreamView {
  stream: StreamSummary;
  halfHours: HalfHour[];
}

/** A job beside live delivery: a range sent once more, or what was set aside. */
export interface StreamLane {
  id: string;
  kind: "backfill" | "redrive";
  state: StreamState | "finished";
  fromSeq: number;
  /** Exclusive. */
  toSeq: number;
  cursorSeq: number;
  /** Events per second at most; null: as fast as they are taken. */
  ratePerSecond: number | null;
  delivered: number;
  lastError: LastError | null;
  createdBy: string | null;
  createdAt: string;
  finishedAt: string | null;
}

/** What became of one event on one stream. */
export interface EventDelivery {
  streamId: string;
  name: string;
  destinationLabel: string;
  /** passed_over: the stream's filter does not take it. before: it was recorded before the stream's start. */
  state: "delivered" | "waiting" | "set_aside" | "passed_over" | "before";
  /** The newest request that held it, while it is kept. */
  attempt: StreamAttempt | null;
  reason: string | null;
  /** Whether the stream's own page is for whoever asks. */
  canOpen: boolean;
}

/** What an organization's people have to know of a stream on every page. */
export interface StreamAlarm {
  streamId: string;
  name: string;
  /** retention: events will be deleted before they are delivered. */
  kind: "failing" | "disabled" | "lagging" | "retention";
  /** One sentence, without the stream's name. */
  message: string;
}

/**
 * How what lies at a receiver differs from the log. lost: it holds an event that the log does not. missing: the log
 * holds one that it does not. changed: both do, and not the same. unreadable: not what was put there. checkpoint:
 * the log is not what was signed when it was delivered.
 */
export const reconciliationFindingSchema = z.object({
  kind: z.enum(["lost", "missing", "changed", "unreadable", "checkpoint"]),
  seq: z.number().int().nullable(),
  /** Name of the object; null where none concerns it. */
  key: z.string().nullable(),
  detail: z.string(),
  /** Differences beside this one. */
  others: z.number().int(),
});
export type ReconciliationFinding = z.infer<typeof reconciliationFindingSchema>;

/** One comparison of what lies at a stream's receiver with the log. */
export interface Reconciliation {
  checkedAt: string;
  /** Events that had to be there, the end exclusive. */
  fromSeq: number;
  toSeq: number;
  /** What was read. */
  objects: number;
  events: number;
  checkpoints: number;
  /** What it could not say, in sentences. */
  notCovered: string[];
  finding: ReconciliationFinding | null;
  /** Why nothing could be said: not a statement about the log. */
  error: string | null;
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
