import { z } from "zod";
import { normalizeTimestamp } from "@/lib/chain/time";
import { AppError } from "@/lib/errors";
import type { FieldId } from "@/lib/events/fields";
import { type EventFilter, MAX_QUERY_LENGTH } from "@/lib/events/filter/ast";
import { fieldRef } from "@/lib/events/filter/edit";
import { parseFilter } from "@/lib/events/filter/parse";
import { columnField, isColumnId, MAX_COLUMNS } from "@/lib/events/table-layout";
import { parseFields, storableText } from "@/lib/http/parse-input";

/** Exports: what is asked for, by the compatible API (contract §8) and by the explorer, and what they are. */

const MAX_VALUES = 100;
const MAX_LENGTH = 500;

export const exportFormats = ["csv", "ndjson", "bundle"] as const;
export type ExportFormat = (typeof exportFormats)[number];

const timeSchema = z.string().transform((text, context) => {
  try {
    return normalizeTimestamp(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: (error as Error).message });
    return z.NEVER;
  }
});

const valuesSchema = z
  .array(storableText(MAX_LENGTH), "must be a list of strings")
  .max(MAX_VALUES, `must name at most ${MAX_VALUES}`)
  .nullish()
  .transform((values) => values ?? []);

const querySchema = storableText(MAX_QUERY_LENGTH).superRefine((q, context) => {
  const parsed = parseFilter(q);
  for (const { message } of parsed.ok ? [] : parsed.diagnostics) context.addIssue(message);
});

/** What a file holds beside the search, as it is stored: columns may be of another version. */
export const exportOptionsSchema = z.object({
  /** Ids of the table's columns, for CSV; null: all fields. */
  columns: z.array(z.string()).nullable().default(null),
  /** Cells that a spreadsheet would take for formulas stay as they are. */
  raw: z.boolean().default(false),
  /** The manifest has the leaf hashes of what was passed over, so that a reader rebuilds the log's root. */
  proof: z.boolean().default(false),
});
type ExportOptions = z.infer<typeof exportOptionsSchema>;

const optionsInput = exportOptionsSchema.extend({
  columns: z
    .array(z.string().refine((id) => isColumnId(id) || columnField(id), "is no column"))
    .min(1)
    .max(MAX_COLUMNS)
    .nullable()
    .default(null),
});

/** As it is stored; `range_start` included, `range_end` not; null is unbounded. */
export const exportSearchSchema = z.object({
  /** In the explorer's language. */
  q: z.string().default(""),
  range_start: z.string().nullable(),
  range_end: z.string().nullable(),
  actions: z.array(z.string()).default([]),
  actor_names: z.array(z.string()).default([]),
  actor_ids: z.array(z.string()).default([]),
  /** Types of targets, not ids. */
  targets: z.array(z.string()).default([]),
});
export type ExportSearch = z.infer<typeof exportSearchSchema>;

/** What somebody asks for. */
export interface NewExport {
  format: ExportFormat;
  search: ExportSearch;
  options: ExportOptions;
}

/** Our own API's, beside the contract's: format, filter in the explorer's language, and the file's options. */
const exportBody = z
  .object({
    organization_id: z.string(),
    /** Null only for a bundle. */
    range_start: timeSchema.nullable(),
    range_end: timeSchema.nullable(),
    actions: valuesSchema,
    actor_names: valuesSchema,
    actor_ids: valuesSchema,
    targets: valuesSchema,
    /** Deprecated by the vendor for actor_names; older SDKs send it. */
    actors: valuesSchema,
    filter: querySchema.optional(),
    format: z.enum(exportFormats).default("csv"),
    raw: z.boolean().default(false),
    proof: z.boolean().default(false),
  })
  .transform(({ actors, actor_names: names, organization_id, format, raw, proof, ...search }) => {
    const { filter: q = "", ...lists } = search;
    return {
      organizationId: organization_id,
      format,
      search: { q, ...lists, actor_names: [...new Set([...names, ...actors])] },
      options: { columns: null, raw, proof },
    };
  });

/** @throws AppError validation_failed by field; invalid_request for a range that is empty */
export function parseExportRequest(input: unknown): NewExport & { organizationId: string } {
  const request = parseFields(exportBody, input);
  const { range_start: start, range_end: end } = request.search;
  if (request.format === "bundle") assertWhole(request.search);
  else if (start === null || end === null || end <= start)
    throw new AppError("invalid_request", "Invalid date range", {
      errors: [{ field: "range_end", code: "range_end must be after range_start" }],
      details: { code: "invalid_audit_log_export_range_date" },
    });
  return request;
}

/** What the page asks for: the explorer's search with its times made absolute. */
export const exportInput = z.object({
  format: z.enum(exportFormats),
  q: querySchema.default(""),
  from: timeSchema.nullable(),
  to: timeSchema.nullable(),
  options: optionsInput,
});
export type ExportInput = z.input<typeof exportInput>;

/** @throws AppError validation_failed by field; invalid_request for a range that is empty */
export function parseExportInput(input: unknown): NewExport {
  const { format, q, from, to, options } = parseFields(exportInput, input);
  if (from !== null && to !== null && to <= from)
    throw new AppError("invalid_request", "The range is empty: its end lies before its beginning.");
  const search = { q, range_start: from, range_end: to, ...NO_LISTS };
  if (format === "bundle") assertWhole(search);
  return {
    format,
    search,
    options: { ...options, columns: format === "csv" ? options.columns : null },
  };
}

const NO_LISTS = { actions: [], actor_names: [], actor_ids: [], targets: [] };

/** A bundle proves a log from its beginning to its end: nothing can be left out of it. */
function assertWhole(search: ExportSearch): void {
  if (isEverything(search)) return;
  throw new AppError(
    "invalid_request",
    "A bundle holds the whole log: leave filter and range out (null), or export NDJSON with `proof`.",
  );
}

/** Whether nothing is left out on purpose. */
export const isEverything = (search: ExportSearch): boolean =>
  search.range_start === null &&
  search.range_end === null &&
  exportFilter(search).clauses.length === 0;

const LISTS = {
  actions: "action",
  actor_names: "actor.name",
  actor_ids: "actor",
  targets: "target.type",
} as const satisfies Partial<Record<keyof ExportSearch, FieldId>>;

/**
 * Any value of a list, all lists, each value exactly; a list without values asks nothing.
 * @throws AppError invalid_filter when this version does not understand the stored filter any more
 */
export function exportFilter(search: ExportSearch): EventFilter {
  const parsed = parseFilter(search.q);
  if (!parsed.ok)
    throw new AppError(
      "invalid_filter",
      parsed.diagnostics.map(({ message }) => message).join(" "),
    );
  const lists = Object.entries(LISTS).flatMap(([list, field]): EventFilter["clauses"] => {
    const matches = search[list as keyof typeof LISTS].map((value) => ({
      operator: "is" as const,
      value,
    }));
    return matches.length === 0
      ? []
      : [{ negated: false, condition: { kind: "any", field: fieldRef(field), matches } }];
  });
  return { clauses: [...parsed.filter.clauses, ...lists] };
}

export type ExportState = "queued" | "running" | "ready" | "failed" | "cancelled" | "expired";

export interface Export extends NewExport {
  id: string;
  state: ExportState;
  /** So far, while it is being made. */
  events: number;
  bytes: number;
  /** How many there will be; null where only reading tells. */
  total: number | null;
  /** While it is being made: events older than this are still to come. */
  reached: string | null;
  /** Sequence numbers of the log that it is about, end exclusive; null before it began. */
  firstSeq: number | null;
  endSeq: number | null;
  /** Of the file, in hex; null until it is ready. */
  sha256: string | null;
  /** Whether a signed manifest goes with the file; else why not. */
  hasManifest: boolean;
  manifestError: string | null;
  /** Why it could not be made, or what went wrong last while it is tried again. */
  error: string | null;
  /** What links to its files are signed for. */
  linksEpoch: number;
  /** Pieces of a file that is not finished are kept, and another attempt goes on behind them. */
  canResume: boolean;
  createdBy: string;
  createdAt: string;
  startedAt: string | null;
  updatedAt: string;
  /** When the file goes; null until it is ready. */
  expiresAt: string | null;
}

const CONTRACT_STATES = {
  queued: "pending",
  running: "pending",
  ready: "ready",
  failed: "error",
  cancelled: "error",
  expired: "expired",
} as const satisfies Record<ExportState, string>;

/** As the contract has it, without anything of our own. @param url where its file can be fetched, which is told once it is ready */
export function toWireExport({ id, state, createdAt, updatedAt }: Export, url: string | null) {
  return {
    object: "audit_log_export",
    id,
    state: CONTRACT_STATES[state],
    ...(state === "ready" && url ? { url } : {}),
    created_at: createdAt,
    updated_at: updatedAt,
  };
}

/** What browsers are told the file is. */
export const CONTENT_TYPES: Record<ExportFormat, string> = {
  csv: "text/csv; charset=utf-8; header=present",
  ndjson: "application/x-ndjson",
  bundle: "application/x-ndjson",
};

const EXTENSIONS: Record<ExportFormat, string> = {
  csv: "csv",
  ndjson: "ndjson",
  bundle: "bundle.ndjson",
};

export const fileNameOf = ({ id, format }: Pick<Export, "id" | "format">) =>
  `${id}.${EXTENSIONS[format]}`;
export const manifestNameOf = (one: Pick<Export, "id" | "format">) => `${fileNameOf(one)}.manifest`;
