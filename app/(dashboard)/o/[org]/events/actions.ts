"use server";

import { z } from "zod";
import type { Page, PagePosition } from "@/components/events/use-event-list";
import { AppError } from "@/lib/errors";
import { timeBounds } from "@/lib/events/filter/url";
import type { EventDetail } from "@/lib/events/schema";
import { readColumnValues } from "@/lib/events/server/column-values";
import { getEvent } from "@/lib/events/server/get-event";
import { hasSentEvents } from "@/lib/events/server/ingestion-status";
import { listEvents, MAX_PAGE_SIZE } from "@/lib/events/server/list";
import { recordSearch, recordView } from "@/lib/events/server/record-read";
import { searchOf } from "@/lib/events/server/search-of";
import { selectedEvents } from "@/lib/events/server/selected-events";
import { columnField, MAX_COLUMNS } from "@/lib/events/table-layout";
import { type ActionResult, runAction } from "@/lib/http/action-result";

const listSchema = z.object({
  query: z.string().max(10_000),
  from: z.union([
    z.object({ after: z.string().max(64) }),
    z.object({ before: z.string().max(64) }),
  ]),
});

/** The page older or newer than a cursor, of the search that `query` (a URL's parameters) describes. */
export async function listEventsAction(
  organizationId: string,
  query: string,
  from: PagePosition,
): Promise<ActionResult<Page>> {
  return runAction(
    "action:listEvents",
    organizationId,
    listSchema,
    { query, from },
    async (scope, input) => {
      const search = searchOf(new URLSearchParams(input.query));
      const bounds = timeBounds(search.time, Date.now());
      const page = await listEvents(scope, { filter: search.filter, ...bounds, ...input.from });
      await recordSearch(scope, search, { isFollowUp: true });
      return page;
    },
  );
}

const columnsSchema = z.object({
  keys: z
    .array(z.object({ seq: z.number().int().min(0), recordedAt: z.iso.datetime() }))
    .max(MAX_PAGE_SIZE),
  columns: z.array(z.string().max(1_000)).max(MAX_COLUMNS),
});

/** What the columns hold in the events of these rows: per sequence number, in the order asked for. */
export async function readColumnsAction(
  organizationId: string,
  keys: { seq: number; recordedAt: string }[],
  columns: string[],
): Promise<ActionResult<Record<number, (string | null)[]>>> {
  return runAction(
    "action:readColumns",
    organizationId,
    columnsSchema,
    { keys, columns },
    (scope, input) => {
      const fields = input.columns.map((id) => {
        const field = columnField(id);
        if (!field) throw new AppError("invalid_request", `There is no column \`${id}\`.`);
        return field;
      });
      return readColumnValues(scope, input.keys, fields);
    },
  );
}

export async function readEventAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<EventDetail | null>> {
  return runAction(
    "action:readEvent",
    organizationId,
    z.object({ id: z.string().max(64) }),
    { id },
    async (scope, input) => {
      const event = await getEvent(scope, input.id);
      await recordView(scope, event);
      return event;
    },
  );
}

const copySchema = z.object({
  ids: z.array(z.string().max(64)).min(1).max(MAX_PAGE_SIZE),
  format: z.enum(["csv", "json"]),
});

/** Chosen events as text for the clipboard. */
export async function copyEventsAction(
  organizationId: string,
  ids: string[],
  format: "csv" | "json",
): Promise<ActionResult<string>> {
  return runAction(
    "action:copyEvents",
    organizationId,
    copySchema,
    { ids, format },
    (scope, input) => selectedEvents(scope, input.ids, input.format),
  );
}

export async function readIngestionAction(
  organizationId: string,
): Promise<ActionResult<{ hasEvents: boolean }>> {
  return runAction("action:readIngestion", organizationId, z.object({}), {}, async (scope) => ({
    hasEvents: await hasSentEvents(scope),
  }));
}
