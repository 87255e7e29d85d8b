"use server";

import { z } from "zod";
import type { Page } from "@/components/events/explorer";
import { AppError } from "@/lib/errors";
import { parseEventSearch, timeBounds } from "@/lib/events/filter/url";
import type { EventDetail } from "@/lib/events/schema";
import { getEvent } from "@/lib/events/server/get-event";
import { hasEvents } from "@/lib/events/server/ingestion-status";
import { listEvents } from "@/lib/events/server/list";
import { type ActionResult, runAction } from "@/lib/http/action-result";

const listSchema = z.object({ query: z.string().max(10_000), after: z.string().max(64) });

/** The next page of the search that `query` (a URL's parameters) describes. */
export async function listEventsAction(
  organizationId: string,
  query: string,
  after: string,
): Promise<ActionResult<Page>> {
  return runAction(
    "action:listEvents",
    organizationId,
    listSchema,
    { query, after },
    async (scope, input) => {
      const parsed = parseEventSearch(new URLSearchParams(input.query));
      if (!parsed.ok)
        throw new AppError(
          "invalid_filter",
          parsed.problems.map(({ message }) => message).join(" "),
        );
      const { filter, time } = parsed.search;
      const { rows, next, searchedTo } = await listEvents(scope, {
        filter,
        ...timeBounds(time, Date.now()),
        after: input.after,
      });
      return { rows, next, searchedTo };
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
    (scope, input) => getEvent(scope, input.id),
  );
}

export async function readIngestionAction(
  organizationId: string,
): Promise<ActionResult<{ hasEvents: boolean }>> {
  return runAction("action:readIngestion", organizationId, z.object({}), {}, async (scope) => ({
    hasEvents: await hasEvents(scope),
  }));
}
