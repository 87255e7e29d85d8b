import { z } from "zod";
import { normalizeTimestamp } from "@/lib/chain/time";
import { AppError } from "@/lib/errors";
import type { FieldId } from "@/lib/events/fields";
import type { EventFilter } from "@/lib/events/filter/ast";
import { fieldRef } from "@/lib/events/filter/edit";
import { parseFields, storableText } from "@/lib/http/parse-input";

/** Exports as the compatible API takes and gives them (contract §8). */

const MAX_VALUES = 100;
const MAX_LENGTH = 500;

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

const exportBody = z
  .object({
    organization_id: z.string(),
    range_start: timeSchema,
    range_end: timeSchema,
    actions: valuesSchema,
    actor_names: valuesSchema,
    actor_ids: valuesSchema,
    /** Types of targets, not ids. */
    targets: valuesSchema,
    /** Deprecated by the vendor for actor_names; older SDKs send it. */
    actors: valuesSchema,
  })
  .transform(({ actors, actor_names: names, ...body }) => ({
    ...body,
    actor_names: [...new Set([...names, ...actors])],
  }));

export type ExportRequest = z.infer<typeof exportBody>;
/** What an export holds, as it is stored; `range_start` included, `range_end` not. */
export type ExportSearch = Omit<ExportRequest, "organization_id">;

/** @throws AppError validation_failed by field; invalid_request for a range that is empty */
export function parseExportRequest(input: unknown): ExportRequest {
  const request = parseFields(exportBody, input);
  if (request.range_end <= request.range_start)
    throw new AppError("invalid_request", "Invalid date range", {
      errors: [{ field: "range_end", code: "range_end must be after range_start" }],
      details: { code: "invalid_audit_log_export_range_date" },
    });
  return request;
}

const LISTS = {
  actions: "action",
  actor_names: "actor.name",
  actor_ids: "actor",
  targets: "target.type",
} as const satisfies Partial<Record<keyof ExportSearch, FieldId>>;

/** Any value of a list, all lists, each value exactly; a list without values asks nothing. */
export function exportFilter(search: ExportSearch): EventFilter {
  return {
    clauses: Object.entries(LISTS).flatMap(([list, field]) => {
      const matches = search[list as keyof typeof LISTS].map((value) => ({
        operator: "is" as const,
        value,
      }));
      return matches.length === 0
        ? []
        : [{ negated: false, condition: { kind: "any", field: fieldRef(field), matches } }];
    }),
  };
}

export interface Export {
  id: string;
  state: "pending" | "ready" | "error" | "expired";
  search: ExportSearch;
  /** So far, while it is pending. */
  events: number;
  bytes: number;
  /** Of the file, in hex; null until it is ready. */
  sha256: string | null;
  /** Why it could not be made. */
  error: string | null;
  createdBy: string;
  createdAt: string;
  updatedAt: string;
  /** When the file goes; null until it is ready. */
  expiresAt: string | null;
}

/** @param url where its file can be fetched, which is told once it is ready */
export function toWireExport({ id, state, createdAt, updatedAt }: Export, url: string | null) {
  return {
    object: "audit_log_export",
    id,
    state,
    ...(state === "ready" && url ? { url } : {}),
    created_at: createdAt,
    updated_at: updatedAt,
  };
}
