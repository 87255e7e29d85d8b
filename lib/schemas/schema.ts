import { z } from "zod";
import { canonicalize } from "@/lib/chain/canonical";

/** Schemas of actions, as the compatible API takes and gives them (contract §7). */

const MAX_DEPTH = 6;
const MAX_BYTES = 32_768;
const MAX_PATTERN = 200;
/** Each unbounded repetition multiplies the time that a match can take by the length of the text. */
const MAX_REPETITIONS = 3;

/** Backtracking explodes where groups are repeated, look around or refer back; what is left is polynomial. */
function isSafePattern(pattern: string): boolean {
  if (pattern.length > MAX_PATTERN) return false;
  try {
    new RegExp(pattern, "u");
  } catch {
    return false;
  }
  const bare = pattern.replace(/\\[^1-9k]/g, "_").replace(/\[[^\]]*\]/g, "_");
  const repetitions = bare.match(/[*+]|\{\d+,\d*\}/g)?.length ?? 0;
  return repetitions <= MAX_REPETITIONS && !/\)[*+{]|\(\?[^:]|\\/.test(bare);
}

const typeName = z.enum(["string", "number", "integer", "boolean", "object", "array", "null"]);

/** The same for what JSON Schema holds equal, whatever the order of its keys. */
function identityOf(value: unknown): string {
  try {
    return canonicalize(value);
  } catch {
    return JSON.stringify(value);
  }
}

/** JSON Schema's own rule for its lists: a schema that breaks it can be held against nothing. */
function distinct<T extends z.ZodType>(member: T) {
  return z.array(member).refine((list) => new Set(list.map(identityOf)).size === list.length, {
    error: "must not name the same twice",
  });
}

/** The keywords that are known; whatever else would be looked past silently is refused. */
const KEYWORDS = {
  type: z.union([typeName, distinct(typeName).min(1)], {
    error: `must be one of ${typeName.options.join(", ")}, or a list of different ones`,
  }),
  required: distinct(z.string()),
  enum: distinct(z.unknown()).min(1),
  const: z.unknown(),
  pattern: z.string().refine(isSafePattern, {
    error: `must be a regular expression of at most ${MAX_PATTERN} characters that cannot take long: no repeated groups, look-around or back-references, at most ${MAX_REPETITIONS} repetitions`,
  }),
  minLength: z.number().int().min(0),
  maxLength: z.number().int().min(0),
  minimum: z.number(),
  maximum: z.number(),
  format: z.enum(["date-time", "date", "time", "email", "ipv4", "ipv6", "uri", "uuid"]),
  title: z.string(),
  description: z.string(),
};

type JsonSchema = { [keyword: string]: unknown };

function jsonSchema(depth: number): z.ZodType<JsonSchema> {
  if (depth === 0)
    return z.strictObject({}, { error: `must not be nested more than ${MAX_DEPTH} deep` });
  return z.lazy(() => {
    const inner = jsonSchema(depth - 1);
    return z
      .strictObject({
        ...KEYWORDS,
        properties: z.record(z.string(), inner),
        additionalProperties: z.union([z.boolean(), inner]),
        items: inner,
      })
      .partial();
  });
}

const metadataSchema = jsonSchema(MAX_DEPTH);

/** Text that jsonb can hold. */
function isStorable(value: unknown): boolean {
  if (typeof value === "string") return value.isWellFormed() && !value.includes("\0");
  if (typeof value !== "object" || value === null) return true;
  return Object.entries(value).every(([key, member]) => isStorable(key) && isStorable(member));
}

export const newActionSchemaSchema = z
  .object({
    targets: z
      .array(z.object({ type: z.string().min(1).max(255), metadata: metadataSchema.nullish() }))
      .min(1, "must name at least one target"),
    actor: z.object({ metadata: metadataSchema }).nullish(),
    metadata: metadataSchema.nullish(),
  })
  .refine((schema) => JSON.stringify(schema).length <= MAX_BYTES, {
    error: `must be at most ${MAX_BYTES} bytes`,
  })
  .refine(isStorable, { error: "must not contain U+0000 or a lone surrogate" });

export type NewActionSchema = z.infer<typeof newActionSchemaSchema>;

export const actionNameSchema = z
  .string()
  .min(1, "must not be empty")
  .refine((name) => Buffer.byteLength(name) <= 255, "must be at most 255 bytes")
  .refine((name) => !name.includes("/") && !name.includes("\0"), "must not contain / or U+0000")
  .refine(
    (name) => !name.startsWith("trailseal."),
    "must not start with the reserved prefix trailseal.",
  );

/** How the newest events of an action fare with a schema that does not exist yet. */
export interface Trial {
  /** Events held against it, newest first. */
  checked: number;
  rejected: number;
  /** Not among `checked`: a text in them is too long to be matched with a pattern here. */
  unchecked: number;
  /** `all` there are here, the `newest` so many, or only those for which there was `time`. */
  reach: "all" | "newest" | "time";
  /** The number that the version would get. */
  version: number;
  /** The newest of the rejected. */
  examples: { id: string; occurredAt: string; findings: Finding[] }[];
}

/** One thing that is wrong with an event. */
interface Finding {
  /** JSON pointer into the event, `/targets/0/metadata/total`. */
  pointer: string;
  /** Finishes a sentence that begins with the pointer. */
  message: string;
}

export interface ActionSchema {
  id: string;
  action: string;
  version: number;
  targets: { type: string; metadata?: JsonSchema | null | undefined }[];
  actor: { metadata: JsonSchema } | null;
  metadata: JsonSchema | null;
  createdAt: string;
}

/** As the API gives it: what was not configured is left out, since clients stumble over null. */
export function toWireSchema(schema: ActionSchema) {
  return {
    object: "audit_log_schema",
    version: schema.version,
    ...(schema.actor ? { actor: schema.actor } : {}),
    targets: schema.targets.map(({ type, metadata }) => (metadata ? { type, metadata } : { type })),
    ...(schema.metadata ? { metadata: schema.metadata } : {}),
    created_at: schema.createdAt,
  };
}

/** The schema of a whole event: every named target at least once, metadata as asked for. */
export function eventSchemaOf({
  targets,
  actor,
  metadata,
}: Pick<ActionSchema, "targets" | "actor" | "metadata">): JsonSchema {
  const isType = (type: string) => ({
    type: "object",
    properties: { type: { const: type } },
    required: ["type"],
  });
  const described = targets.filter((target) => target.metadata);
  return {
    type: "object",
    properties: {
      ...(actor ? { actor: { type: "object", properties: { metadata: actor.metadata } } } : {}),
      targets: {
        type: "array",
        ...(targets.length > 0
          ? { allOf: targets.map(({ type }) => ({ contains: isType(type) })) }
          : {}),
        ...(described.length > 0
          ? {
              items: {
                allOf: described.map((target) => ({
                  if: isType(target.type),
                  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
                  then: { properties: { metadata: target.metadata } },
                })),
              },
            }
          : {}),
      },
      ...(metadata ? { metadata } : {}),
    },
  };
}
