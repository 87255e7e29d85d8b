import type { TimeRange } from "@/lib/events/filter/url";
import type { Export, ExportInput } from "@/lib/exports/schema";
import type { ActionResult } from "@/lib/http/action-result";

export interface ListedExport extends Export {
  /** All that it was asked to hold, in the explorer's language. */
  q: string;
  fileName: string;
}

export interface ExportList {
  /** Newest first. */
  exports: ListedExport[];
  hasOlder: boolean;
}

/** What the form begins with. */
export interface ExportDraft {
  q: string;
  time: TimeRange;
  /** Ids of the columns that the explorer showed; null: it did not say. */
  columns: string[] | null;
}

interface ExportRequest extends Pick<ExportInput, "format" | "options"> {
  /** The explorer's search, as its address has it. */
  query: string;
}

type Change = (organizationId: string, id: string) => Promise<ActionResult<ListedExport>>;

export interface ExportActions {
  /** @param before the export that the page begins behind; null: at the newest */
  read(organizationId: string, before: string | null): Promise<ActionResult<ExportList>>;
  create(organizationId: string, request: ExportRequest): Promise<ActionResult<ListedExport>>;
  cancel: Change;
  resume: Change;
  revokeLinks: Change;
  remove: Change;
}

/** The address of a search, or of an export of it. */
export function searchQuery(q: string, from: string | null, to: string | null): string {
  const given = Object.entries({ q, from, to }).filter(([, value]) => value);
  return new URLSearchParams(given as [string, string][]).toString();
}

export const isUnderWay = ({ state }: Pick<Export, "state">): boolean =>
  state === "queued" || state === "running";
