/**
 * Every field that a filter can name, and where its value lives: as a column or a document path in SQL,
 * as a path into the event for the in-memory evaluator. Parsing, validation, SQL, chips and suggestions
 * all read this table; a new field is a new entry (and a migration when it needs a column).
 */

/**
 * - `enum`: few distinct values, worth suggesting. Patterns are case-sensitive.
 * - `id`: exact identifiers. Patterns are case-sensitive.
 * - `text`: prose. Patterns ignore case; `is` does not.
 * - `ip`: an address, or free text where the sender knew none; adds networks.
 * - `number`: compares.
 * - `value`: a JSON scalar of any type: text by its text form, numbers also compare.
 */
type FieldKind = "enum" | "id" | "text" | "ip" | "number" | "value";

export type Operator =
  | "is"
  | "starts_with"
  | "ends_with"
  | "contains"
  | "in_network"
  | "compare"
  | "has";

/** Columns of `events` that filters read. */
export type EventColumn =
  | "id"
  | "action"
  | "version"
  | "actor_id"
  | "actor_type"
  | "actor_name"
  | "location";

type FieldSource =
  /** One value per event: in SQL a column, or an expression over a column of `events e` for what is not stored twice. */
  | { from: "event"; column: EventColumn | { sql: string; of: "context" }; path: readonly string[] }
  /** One value per target; `column` in event_targets where the value is kept there. */
  | { from: "targets"; key: "id" | "type" | "name"; column: "target_id" | "target_type" | null }
  /** A path inside a JSON column; the field's own path follows `prefix`. */
  | { from: "document"; column: "metadata" | "actor"; prefix: readonly string[] };

interface FieldDefinition {
  id: string;
  aliases: readonly string[];
  label: string;
  kind: FieldKind;
  source: FieldSource;
  /** The index that yields exact matches newest first, if any. */
  index:
    | "events_actor"
    | "events_action"
    | "events_location"
    | "events_id"
    | "event_targets"
    | null;
  /** Listed beside the events with its most frequent values. */
  facet?: true;
  /** The field that says what people call the value. */
  named?: "actor.name" | "target.name";
}

const definitions = [
  {
    id: "action",
    aliases: [],
    label: "Action",
    kind: "enum",
    source: { from: "event", column: "action", path: ["action"] },
    index: "events_action",
    facet: true,
  },
  {
    id: "actor",
    aliases: ["actor.id"],
    label: "Actor",
    kind: "id",
    source: { from: "event", column: "actor_id", path: ["actor", "id"] },
    index: "events_actor",
    facet: true,
    named: "actor.name",
  },
  {
    id: "actor.type",
    aliases: [],
    label: "Actor type",
    kind: "enum",
    source: { from: "event", column: "actor_type", path: ["actor", "type"] },
    index: null,
  },
  {
    id: "actor.name",
    aliases: [],
    label: "Actor name",
    kind: "text",
    source: { from: "event", column: "actor_name", path: ["actor", "name"] },
    index: null,
  },
  {
    id: "target.type",
    aliases: [],
    label: "Target type",
    kind: "enum",
    source: { from: "targets", key: "type", column: "target_type" },
    index: null,
    facet: true,
  },
  {
    id: "target",
    aliases: ["target.id"],
    label: "Target",
    kind: "id",
    source: { from: "targets", key: "id", column: "target_id" },
    index: "event_targets",
    facet: true,
    named: "target.name",
  },
  {
    id: "target.name",
    aliases: [],
    label: "Target name",
    kind: "text",
    source: { from: "targets", key: "name", column: null },
    index: null,
  },
  {
    id: "ip",
    aliases: ["location"],
    label: "IP",
    kind: "ip",
    source: { from: "event", column: "location", path: ["context", "location"] },
    index: "events_location",
    facet: true,
  },
  {
    id: "agent",
    aliases: ["user_agent"],
    label: "User agent",
    kind: "text",
    source: {
      from: "event",
      column: { of: "context", sql: `(e.context ->> 'user_agent') COLLATE "C"` },
      path: ["context", "user_agent"],
    },
    index: null,
  },
  {
    id: "version",
    aliases: [],
    label: "Version",
    kind: "number",
    source: { from: "event", column: "version", path: ["version"] },
    index: null,
  },
  {
    id: "id",
    aliases: [],
    label: "Event id",
    kind: "id",
    source: { from: "event", column: "id", path: ["id"] },
    index: "events_id",
  },
  {
    id: "metadata",
    aliases: [],
    label: "Metadata",
    kind: "value",
    source: { from: "document", column: "metadata", prefix: [] },
    index: null,
  },
  {
    id: "actor.metadata",
    aliases: [],
    label: "Actor metadata",
    kind: "value",
    source: { from: "document", column: "actor", prefix: ["metadata"] },
    index: null,
  },
] as const satisfies readonly FieldDefinition[];

export type FieldId = (typeof definitions)[number]["id"];
export type Field = FieldDefinition & { id: FieldId };

export const fields: readonly Field[] = definitions;

const PATTERNS = ["is", "starts_with", "ends_with", "contains"] as const;

const OPERATORS: Record<FieldKind, readonly Operator[]> = {
  enum: [...PATTERNS, "has"],
  id: [...PATTERNS, "has"],
  text: [...PATTERNS, "has"],
  ip: [...PATTERNS, "in_network", "has"],
  number: ["is", "compare", "has"],
  value: [...PATTERNS, "compare", "has"],
};

export function operatorsOf(field: Field): readonly Operator[] {
  return OPERATORS[field.kind];
}

/** Whether starts with, ends with and contains ignore case on this field. */
export function ignoresCase(field: Field): boolean {
  return field.kind === "text" || field.kind === "value";
}

/** A keyed field (`metadata.<key>`) needs a path of its own behind its name. */
export function isKeyed(field: Field): boolean {
  return field.source.from === "document";
}

const byId = new Map<string, Field>(fields.map((field) => [field.id, field]));
const byName = new Map<string, Field>(
  fields.flatMap((field) => [field.id, ...field.aliases].map((name) => [name, field] as const)),
);

export function getField(id: FieldId): Field {
  const field = byId.get(id);
  if (!field) throw new Error(`No field ${id}`);
  return field;
}

/** A field by id or alias. */
export function findField(name: string): Field | undefined {
  return byName.get(name);
}

export function fieldNames(): string[] {
  return [...byName.keys()];
}
