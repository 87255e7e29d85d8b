import { z } from "zod";
import { isTimeZone } from "@/lib/events/zoned-time";
import { storableText } from "@/lib/http/parse-input";
import { compilePattern, mappedTime } from "./mapped-time";

/** How a row of another system's CSV becomes an event: one JSON document, kept as a file or by name. */

const name = storableText(255).min(1, "must not be empty");
const text = storableText(1_024);

/** A column's cell; the same for every row; or words with `{Column}` in them. */
const valueSchema = z.union(
  [
    z.strictObject({ column: name }),
    z.strictObject({ constant: text }),
    z.strictObject({ template: text.min(1, "must not be empty") }),
  ],
  { error: 'must be {"column": …}, {"constant": …} or {"template": …}' },
);

const metadataSchema = z.record(name, valueSchema);

const participantSchema = z.strictObject({
  type: valueSchema,
  id: valueSchema,
  name: valueSchema.optional(),
  metadata: metadataSchema.optional(),
});

const timeSchema = z
  .strictObject({
    column: name,
    /** `iso`, `epoch_s`, `epoch_ms`, or a pattern such as `dd.MM.yyyy HH:mm:ss`. */
    format: text.superRefine((format, context) => {
      if (["iso", "epoch_s", "epoch_ms"].includes(format)) return;
      try {
        compilePattern(format);
      } catch (error) {
        context.addIssue(`is not a pattern for times: ${(error as Error).message}`);
      }
    }),
    /** For times that say none themselves. */
    zone: text.refine(isTimeZone, "is not a time zone such as Europe/Oslo or UTC").optional(),
  })
  .describe("when it happened");

export const mappingSchema = z.strictObject({
  mapping_version: z.literal(1, { error: "must be 1" }),
  /** The system the rows are from: rows of two systems never meet, even with equal ids. */
  source: name,
  /** Columns by which a row is recognised again; none: its whole content. */
  row_id: z.array(name).max(16).default([]),
  action: valueSchema,
  version: valueSchema.optional(),
  occurred_at: timeSchema,
  actor: participantSchema,
  /** One whose id is empty in a row is left out of its event. */
  targets: z.array(participantSchema).max(50).default([]),
  context: z
    .strictObject({ location: valueSchema.optional(), user_agent: valueSchema.optional() })
    .optional(),
  metadata: metadataSchema.default({}),
  /** Every column that is used nowhere else goes to metadata under its own name. */
  other_columns: z.enum(["metadata", "ignore"]).default("metadata"),
});

export type Mapping = z.infer<typeof mappingSchema>;
type Value = z.infer<typeof valueSchema>;
type Participant = z.infer<typeof participantSchema>;

const PLACEHOLDER = /\{([^{}]+)\}/g;

const columnsOf = (value: Value | undefined): string[] => {
  if (!value || "constant" in value) return [];
  if ("column" in value) return [value.column];
  return [...value.template.matchAll(PLACEHOLDER)].map(([, column]) => column as string);
};

function participantValues(path: string, participant: Participant): [string, Value | undefined][] {
  const { type, id, name: named, metadata = {} } = participant;
  const values = Object.entries(metadata).map(([key, value]): [string, Value] => [
    `${path}.metadata.${key}`,
    value,
  ]);
  return [[`${path}.type`, type], [`${path}.id`, id], [`${path}.name`, named], ...values];
}

/** The columns that each field of the event is made of, by the field's path. */
export function columnsByField(mapping: Mapping): Map<string, string[]> {
  const { action, version, occurred_at, actor, targets, context = {}, metadata } = mapping;
  const values: [string, Value | undefined][] = [
    ["action", action],
    ["version", version],
    ["occurred_at", { column: occurred_at.column }],
    ...participantValues("actor", actor),
    ...targets.flatMap((target, at) => participantValues(`targets.${at}`, target)),
    ["context.location", context.location],
    ["context.user_agent", context.user_agent],
    ...Object.entries(metadata).map(([key, value]): [string, Value] => [`metadata.${key}`, value]),
  ];
  return new Map(values.map(([field, value]) => [field, columnsOf(value)]));
}

/** Columns that the mapping names and the file lacks. */
export function missingColumns(mapping: Mapping, header: readonly string[]): string[] {
  const named = new Set([...mapping.row_id, ...[...columnsByField(mapping).values()].flat()]);
  return [...named].filter((column) => !header.includes(column));
}

/** Columns kept in metadata under their own names that a mapped key of metadata would overwrite. */
export function overwrittenColumns(mapping: Mapping, header: readonly string[]): string[] {
  const kept = keptColumns(mapping, header);
  return Object.keys(mapping.metadata).filter((key) => kept.includes(key));
}

/** Columns that go to metadata because they are used nowhere else. */
function keptColumns(mapping: Mapping, header: readonly string[]): string[] {
  if (mapping.other_columns === "ignore") return [];
  const used = new Set([...columnsByField(mapping).values()].flat());
  return header.filter((column) => !used.has(column));
}

export interface MappedRow {
  /** What parseImportedEvent takes. */
  event: Record<string, unknown>;
  /** The row's id within its source; null: its content identifies it. */
  sourceId: string | null;
}

/** A cell or a field that makes the row unusable. */
export class MappingProblem extends Error {
  constructor(
    readonly column: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Prepares a mapping for the rows of one file.
 * @returns a function from cells to the event; it throws MappingProblem for a row that cannot be one.
 */
export function rowMapper(mapping: Mapping, header: readonly string[]) {
  const positions = new Map(header.map((column, at) => [column, at]));
  const others = keptColumns(mapping, header);

  return (cells: readonly (string | null)[]): MappedRow => {
    const cell = (column: string) => cells[positions.get(column) as number] ?? "";
    const read = (value: Value | undefined): string | undefined => {
      if (!value) return undefined;
      if ("constant" in value) return value.constant;
      const found =
        "column" in value
          ? cell(value.column)
          : value.template.replace(PLACEHOLDER, (_, column: string) => cell(column));
      return found === "" ? undefined : found;
    };
    const present = (values: [string, string | undefined][]) => {
      const given = values.filter(([, value]) => value !== undefined);
      return given.length > 0 ? Object.fromEntries(given) : undefined;
    };
    const participant = ({ type, id, name: named, metadata = {} }: Participant) => ({
      type: read(type),
      id: read(id),
      name: read(named),
      metadata: present(Object.entries(metadata).map(([key, value]) => [key, read(value)])),
    });
    const untyped = mapping.targets.find(({ type, id }) => read(id) && !read(type));
    if (untyped)
      throw new MappingProblem(
        columnsOf(untyped.type).join(", "),
        `is empty: the target “${read(untyped.id)}” needs a type; fill it, or map targets.type to a constant`,
      );
    const unnamed = mapping.targets.find(
      ({ id, name: named, metadata = {} }) =>
        read(id) === undefined &&
        [named, ...Object.values(metadata)].some(
          (value) => columnsOf(value).length > 0 && read(value) !== undefined,
        ),
    );
    if (unnamed)
      throw new MappingProblem(
        columnsOf(unnamed.id).join(", "),
        "is empty, although the row names that target: fill it, or map targets.id to a column that every such row has",
      );
    const { context = {} } = mapping;
    const version = read(mapping.version);
    return {
      sourceId: sourceIdOf(mapping.row_id, cell),
      event: {
        action: read(mapping.action),
        version: version === undefined ? undefined : Number(version),
        occurred_at: timeOf(mapping.occurred_at, cell(mapping.occurred_at.column)),
        actor: participant(mapping.actor),
        targets: mapping.targets.filter(({ id }) => read(id) !== undefined).map(participant),
        context: present([
          ["location", read(context.location)],
          ["user_agent", read(context.user_agent)],
        ]),
        metadata: present([
          ...others.map((column): [string, string | undefined] => [column, read({ column })]),
          ...Object.entries(mapping.metadata).map(([key, value]): [string, string | undefined] => [
            key,
            read(value),
          ]),
        ]),
      },
    };
  };
}

function sourceIdOf(columns: readonly string[], cell: (column: string) => string): string | null {
  if (columns.length === 0) return null;
  const ids = columns.map(cell);
  if (ids.every((id) => id === ""))
    throw new MappingProblem(
      columns.join(", "),
      "is empty, so that the row could not be recognised again: fill it, or choose other columns as row_id",
    );
  return JSON.stringify(ids);
}

function timeOf({ column, format, zone }: Mapping["occurred_at"], cell: string): string {
  if (cell === "") throw new MappingProblem(column, "is empty: every event needs a time");
  try {
    return mappedTime(cell.trim(), format, zone);
  } catch (error) {
    throw new MappingProblem(column, (error as Error).message);
  }
}
