import { z } from "zod";
import type { ExportList, ListedExport } from "@/components/exports/listed";
import type { Scope } from "@/lib/auth/scope";
import { AppError } from "@/lib/errors";
import { serializeFilter } from "@/lib/events/filter/serialize";
import { type Export, exportFilter, fileNameOf } from "@/lib/exports/schema";
import { listExports } from "@/lib/exports/server/exports";

const LISTED = 50;

/** The export that a page of the list begins behind. */
export const beforeSchema = z
  .string()
  .regex(/^audit_log_export_[0-9A-Z]{26}$/, "is not an export")
  .nullable();

/** An export as its page shows it: whatever asked for it, in the explorer's language. */
export function toListed(one: Export): ListedExport {
  return { ...one, q: filterText(one), fileName: fileNameOf(one) };
}

function filterText({ search }: Export): string {
  try {
    return serializeFilter(exportFilter(search));
  } catch (error) {
    // Of an earlier version, whose words this one does not know: shown as they were.
    if (error instanceof AppError) return search.q;
    throw error;
  }
}

export async function readListedExports(scope: Scope, before: string | null): Promise<ExportList> {
  const exports = await listExports(scope, before, LISTED + 1);
  return {
    exports: exports.slice(0, LISTED).map(toListed),
    hasOlder: exports.length > LISTED,
  };
}
