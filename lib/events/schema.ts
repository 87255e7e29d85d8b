import { z } from "zod";
import { normalizeTimestamp } from "@/lib/chain/time";
import type { FieldError } from "@/lib/errors";

/** The event as clients send it, the event as it will be sealed, and the rows people see. */

/** Largest event, bytes of its JSON (integrity spec §2). */
const MAX_EVENT_BYTES = 65_536;
const MAX_DEPTH = 16;
/** Control actions authorise erasure and pruning: no client may write one. */
const RESERVED_ACTION_PREFIX = "trailseal.";

export interface MetadataLimits {
  maxKeys: number;
  maxKeyLength: number;
  maxValueLength: number;
}

const byteLength = (text: string) => Buffer.byteLength(text);

/** A string that can be hashed, stored and indexed: well-formed, without U+0000, bounded in bytes. */
function boundedText(maxBytes: number) {
  return z
    .string({ error: (issue) => (issue.input === undefined ? "required" : "must be a string") })
    .refine((text) => byteLength(text) <= maxBytes, `must be at most ${maxBytes} bytes`);
}

function requiredText(maxBytes: number) {
  return boundedText(maxBytes).min(1, "must not be empty");
}

/** null means absent for every optional member. */
function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

const jsonObject = z.record(z.string(), z.unknown(), { error: "must be an object" });

// Loose: unknown keys inside a unit are kept and hashed.
const participantSchema = z.looseObject(
  {
    type: requiredText(255),
    id: requiredText(1_024),
    name: optional(boundedText(1_024)),
    metadata: optional(jsonObject),
  },
  { error: (issue) => (issue.input === undefined ? "required" : "must be an object") },
);

const contextSchema = z.looseObject(
  { location: optional(boundedText(1_024)), user_agent: optional(boundedText(4_096)) },
  { error: "must be an object" },
);

const timestampSchema = z
  .string({
    error: (issue) => (issue.input === undefined ? "required" : "must be an ISO 8601 date string"),
  })
  .transform((text, context) => {
    try {
      return { received: text, normalized: normalizeTimestamp(text) };
    } catch (error) {
      context.addIssue({ code: "custom", message: `occurred_at ${(error as Error).message}` });
      return z.NEVER;
    }
  });

const eventShape = {
  action: requiredText(255).refine(
    (action) => !action.startsWith(RESERVED_ACTION_PREFIX),
    `must not start with the reserved prefix ${RESERVED_ACTION_PREFIX}`,
  ),
  version: optional(
    z
      .number({ error: "must be an integer" })
      .int("must be an integer")
      .min(1, "must be at least 1")
      .max(2_147_483_647, "is too large"),
  ),
  occurred_at: timestampSchema,
  actor: participantSchema,
  targets: z.array(participantSchema, {
    error: (issue) => (issue.input === undefined ? "required" : "must be an array"),
  }),
  context: optional(contextSchema),
  metadata: optional(jsonObject),
};

const eventSchema = z.looseObject(eventShape, {
  error: (issue) => (issue.input === undefined ? "required" : "must be an object"),
});

/** What a stored event carries beside: an import reads them, the compatible endpoint has no use for them. */
const STORED_EVENT_KEYS = new Set(["id", "organization_id"]);

type Unit = Record<string, unknown>;

/** An event ready to be sealed: units exactly as they will be hashed. */
export interface NewEvent {
  action: string;
  version: number;
  /** `YYYY-MM-DDTHH:mm:ss.sssZ` */
  occurredAt: string;
  /** occurred_at with every digit as received: part of what makes two requests the same. */
  receivedOccurredAt: string;
  actor: Unit;
  targets: Unit[];
  context: Unit | null;
  metadata: Unit | null;
}

export type Parsed<T> = { ok: true; value: T } | { ok: false; errors: FieldError[] };

const fieldPath = (prefix: string, path: PropertyKey[]) =>
  [prefix, ...path.map(String)].filter((part) => part !== "").join(".");

function issueErrors(prefix: string, error: z.ZodError): FieldError[] {
  return error.issues.map((issue) => {
    const field = fieldPath(prefix, issue.path);
    return {
      field,
      code:
        issue.message === "required"
          ? "required"
          : `${field} ${issue.message.replace(/^occurred_at /, "")}`,
    };
  });
}

/** What no string, number or depth inside an event may be; null when all is well. */
function valueProblem(value: unknown, depth: number): string | null {
  if (typeof value === "string") {
    if (value.includes("\u0000")) return "must not contain U+0000";
    return value.isWellFormed() ? null : "must not contain a lone surrogate";
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return "must be a finite number";
    return Math.abs(value) <= Number.MAX_SAFE_INTEGER
      ? null
      : "is beyond 2^53−1 and would lose digits: send a string";
  }
  if (typeof value !== "object" || value === null) return null;
  if (depth >= MAX_DEPTH) return `must not be nested more than ${MAX_DEPTH} deep`;
  for (const [key, member] of Object.entries(value)) {
    // Libraries on the way drop it; a dropped key would be a silent loss.
    if (key === "__proto__") return "must not have a key named __proto__";
    const problem = valueProblem(key, depth) ?? valueProblem(member, depth + 1);
    if (problem) return problem;
  }
  return null;
}

const METADATA_KEY = /^[a-zA-Z0-9_-]*$/;

/** Limits of the compatible endpoint (contract §3): flat scalars, bounded in number and length. */
function metadataErrors(
  field: string,
  metadata: Unit | undefined,
  limits: MetadataLimits,
): FieldError[] {
  if (!metadata) return [];
  const entries = Object.entries(metadata);
  const errors: FieldError[] = [];
  if (entries.length > limits.maxKeys) {
    errors.push({ field, code: `${field} must have at most ${limits.maxKeys} properties` });
  }
  for (const [key, value] of entries) {
    const path = `${field}.${key}`;
    if (key.length > limits.maxKeyLength || !METADATA_KEY.test(key)) {
      errors.push({
        field: path,
        code: `${path} must have a name of at most ${limits.maxKeyLength} letters, digits, _ and -`,
      });
    } else if (typeof value === "string" && value.length > limits.maxValueLength) {
      errors.push({
        field: path,
        code: `${path} must be at most ${limits.maxValueLength} characters`,
      });
    } else if (!["string", "number", "boolean"].includes(typeof value)) {
      errors.push({ field: path, code: `${path} must be a string, number or boolean` });
    }
  }
  return errors;
}

interface ParseOptions {
  /** Prefix of error fields: `event` at the compatible endpoint. */
  field: string;
  /** Metadata limits; null: nested metadata within the event's own bounds. */
  metadata: MetadataLimits | null;
  /** Unknown top-level keys: reported, or refused. */
  unknownKeys: "report" | "refuse";
  requireContext: boolean;
}

const withoutUndefined = (unit: Unit): Unit =>
  Object.fromEntries(Object.entries(unit).filter(([, value]) => value !== undefined));

/**
 * Checks one event and brings it into the form that will be sealed.
 * @returns the event and the unknown top-level keys that were passed over, or every error.
 */
function parseEvent(
  input: unknown,
  options: ParseOptions,
): Parsed<{ event: NewEvent; ignored: string[] }> {
  const { field } = options;
  const parsed = eventSchema.safeParse(input);
  if (!parsed.success) return { ok: false, errors: issueErrors(field, parsed.error) };
  const { data } = parsed;
  const ignored = Object.keys(data).filter((key) => !Object.hasOwn(eventShape, key));
  const errors: FieldError[] = [];
  if (options.unknownKeys === "refuse") {
    for (const key of ignored.filter((name) => !STORED_EVENT_KEYS.has(name)))
      errors.push({
        field: fieldPath(field, [key]),
        code: `${fieldPath(field, [key])} is not a field of an event`,
      });
  }
  if (options.requireContext && !data.context) {
    errors.push({ field: fieldPath(field, ["context"]), code: "required" });
  }
  const event: NewEvent = {
    action: data.action,
    version: data.version ?? 1,
    occurredAt: data.occurred_at.normalized,
    receivedOccurredAt: data.occurred_at.received,
    actor: withoutUndefined(data.actor),
    targets: data.targets.map(withoutUndefined),
    context: data.context ? withoutUndefined(data.context) : null,
    metadata: data.metadata ?? null,
  };
  const received = input as Record<string, unknown>;
  for (const name of ["action", "actor", "targets", "context", "metadata"]) {
    const problem = valueProblem(received[name], name === "targets" ? 0 : 1);
    if (problem)
      errors.push({
        field: fieldPath(field, [name]),
        code: `${fieldPath(field, [name])} ${problem}`,
      });
  }
  if (options.metadata) {
    const limits = options.metadata;
    const check = (name: string, unit: Unit) =>
      errors.push(
        ...metadataErrors(
          fieldPath(field, [name, "metadata"]),
          unit.metadata as Unit | undefined,
          limits,
        ),
      );
    check("actor", event.actor);
    event.targets.forEach((target, position) => {
      check(`targets.${position}`, target);
    });
    errors.push(
      ...metadataErrors(fieldPath(field, ["metadata"]), event.metadata ?? undefined, limits),
    );
  }
  if (errors.length === 0 && byteLength(JSON.stringify(event)) > MAX_EVENT_BYTES) {
    errors.push({ field, code: `${field} must be at most ${MAX_EVENT_BYTES} bytes of JSON` });
  }
  return errors.length > 0 ? { ok: false, errors } : { ok: true, value: { event, ignored } };
}

const requestSchema = z.looseObject(
  { organization_id: requiredText(1_024), event: z.unknown() },
  { error: "must be an object" },
);

/** POST /audit_logs/events (contract §3). Organization ids are opaque: an unknown one is a 404, not a 422. */
export function parseEventRequest(
  body: unknown,
  options: { metadata: MetadataLimits; requireContext: boolean },
): Parsed<{ organizationId: string; event: NewEvent; ignored: string[] }> {
  const envelope = requestSchema.safeParse(body);
  const event = parseEvent(
    envelope.success ? envelope.data.event : (body as { event?: unknown } | null)?.event,
    {
      ...options,
      field: "event",
      unknownKeys: "report",
    },
  );
  const errors = [
    ...(envelope.success
      ? []
      : issueErrors("", envelope.error).map((error) =>
          error.field === "" ? { field: "body", code: "body must be an object" } : error,
        )),
    ...(event.ok ? [] : event.errors),
  ];
  if (!envelope.success || !event.ok) return { ok: false, errors };
  return { ok: true, value: { organizationId: envelope.data.organization_id, ...event.value } };
}

/** An event of an import or of our own API: nested metadata allowed, unknown keys refused. */
export function parseImportedEvent(input: unknown): Parsed<NewEvent> {
  const parsed = parseEvent(input, {
    field: "",
    metadata: null,
    unknownKeys: "refuse",
    requireContext: false,
  });
  return parsed.ok ? { ok: true, value: parsed.value.event } : parsed;
}

// Rows ---------------------------------------------------------------------------------------------

export interface Participant {
  type: string;
  id: string;
  name?: string;
}

/** One line of a list. */
export interface EventRow {
  id: string;
  seq: number;
  action: string;
  version: number;
  /** ISO 8601, milliseconds, Z. */
  occurredAt: string;
  recordedAt: string;
  actor: Participant;
  targets: Participant[];
  location: string | null;
}

/** The event as it leaves the system (event.schema.json). */
export interface WireEvent {
  id: string;
  organization_id: string;
  action: string;
  version: number;
  occurred_at: string;
  actor: Unit;
  targets: Unit[];
  context?: Unit;
  metadata?: Unit;
}

export interface EventDetail extends EventRow {
  organizationId: string;
  event: WireEvent;
  /** Hex. */
  chainHash: string;
  /** Hex; of the event before, or the log's genesis hash for the first. */
  previousHash: string | null;
}
