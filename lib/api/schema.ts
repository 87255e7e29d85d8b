import { z } from "zod";
import { EVENT_PROOF_FORMAT } from "@/lib/chain/event-proof";
import { storableText } from "@/lib/http/parse-input";

/** What our own API takes and gives; /openapi.json is made of these. */

export const MAX_BATCH_EVENTS = 1_000;
export const MAX_BATCH_BYTES = 5_000_000;

const flag = z
  .enum(["true", "false"], "must be true or false")
  .default("false")
  .transform((text) => text === "true");
const organizationId = z.string().min(1, "must not be empty").max(255);

export const organizationQuery = z.object({ organization_id: organizationId });

export const eventsQuery = organizationQuery.extend({
  q: z.string().max(10_000).optional().describe("The filter language of the dashboard."),
  range: z.string().optional().describe("A span that ends now: 15m, 24h, 7d."),
  from: z.string().optional().describe("ISO 8601, included."),
  to: z.string().optional().describe("ISO 8601, excluded."),
  after: z.string().optional().describe("Cursor: older events than it."),
  before: z.string().optional().describe("Cursor: newer events than it."),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

export const batchQuery = organizationQuery.extend({
  atomic: flag.describe("true: all events are stored, or none."),
  receipts: flag.describe("true: outcomes carry id and chain_hash, to keep as proof."),
});

export const batchItem = z.object({
  idempotency_key: storableText(1_024).nullish(),
  event: z.looseObject({}).describe("As POST /audit_logs/events takes it."),
});

const unit = z.looseObject({ id: z.string(), type: z.string() });
const instant = z.iso.datetime();

const eventSchema = z.object({
  id: z.string().regex(/^audit_event_[0-9A-Z]{26}$/),
  organization_id: z.string(),
  action: z.string(),
  version: z.int(),
  occurred_at: instant,
  actor: unit,
  targets: z.array(unit),
  context: z.looseObject({}).optional(),
  metadata: z.looseObject({}).optional(),
});

const recordedEvent = z.object({ seq: z.int(), recorded_at: instant, event: eventSchema });
const hash = z.string().regex(/^[0-9a-f]{64}$/);

export const eventDetail = recordedEvent.extend({
  chain_hash: hash,
  previous_hash: hash.nullable(),
});

export const eventList = z.object({
  object: z.literal("list"),
  data: z.array(recordedEvent),
  list_metadata: z.object({ before: z.string().nullable(), after: z.string().nullable() }),
  searched_to: instant
    .nullable()
    .describe("Set when the page ended before the range did: ask on with after."),
});

const fieldError = z.object({ field: z.string(), code: z.string() });

const batchOutcome = z.object({
  status: z.enum(["stored", "duplicate", "invalid", "failed"]),
  seq: z.int().optional(),
  id: z.string().optional(),
  chain_hash: hash.optional(),
  errors: z.array(fieldError).optional(),
});

export const batchResult = z.object({ object: z.literal("batch"), data: z.array(batchOutcome) });

export const newOrganization = z.object({
  object: z.literal("organization"),
  id: z.string(),
  name: z.string(),
});

export const streamList = z.object({
  object: z.literal("list"),
  data: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      type: z.string(),
      state: z.string(),
      delivered: z.int(),
      lag_events: z.int(),
      last_synced_at: instant.nullable(),
      created_at: instant,
    }),
  ),
});

export const verificationStatus = z.object({
  object: z.literal("verification_status"),
  organization_id: z.string(),
  events: z.int().describe("Sequence numbers given so far."),
  verified_to: z.int().nullable().describe("The last event that the newest verification proved."),
  last_run: z
    .object({
      id: z.string(),
      state: z.string(),
      ok: z.boolean().nullable(),
      finished_at: instant.nullable(),
    })
    .nullable(),
});

export const eventProof = z.object({
  format: z.literal(EVENT_PROOF_FORMAT),
  origin: z.string(),
  line: z.looseObject({ seq: z.int(), chain_hash: hash }).describe("As a bundle has it."),
  previous_hash: hash,
  proof: z.string().describe("C2SP tlog-proof, with the signed checkpoint it leads to."),
});

export const checkpointsQuery = organizationQuery.extend({
  before: z.coerce.number().int().min(1).optional().describe("Size: smaller checkpoints than it."),
  limit: z.coerce.number().int().min(1).max(500).default(100),
});

export const checkpointList = z.object({
  object: z.literal("list"),
  vkey: z.string().describe("The key that verifiers pin. Keep it elsewhere; compare it."),
  data: z.array(
    z.object({
      tree_size: z.int().describe("Events that it covers."),
      note: z.string().describe("C2SP signed note."),
      created_at: instant,
    }),
  ),
  list_metadata: z.object({ before: z.int().nullable() }),
});

export const problem = z.object({
  message: z.string(),
  code: z.string(),
  errors: z.array(fieldError).optional(),
});

export type BatchOutcome = z.infer<typeof batchOutcome>;
export type EventList = z.infer<typeof eventList>;
export type EventDetailBody = z.infer<typeof eventDetail>;
export type CheckpointList = z.infer<typeof checkpointList>;
export type StreamList = z.infer<typeof streamList>;
export type VerificationStatus = z.infer<typeof verificationStatus>;
