"use server";

import { z } from "zod";
import type { Page } from "@/components/events/use-event-list";
import { AppError } from "@/lib/errors";
import { parseEventSearch, timeBounds } from "@/lib/events/filter/url";
import { readTimeline } from "@/lib/events/server/timeline";
import { parseSubject } from "@/lib/events/subject";
import { type ActionResult, runAction } from "@/lib/http/action-result";

const inputSchema = z.object({ query: z.string().max(10_000), after: z.string().max(64) });

/** The next page of the timeline that `query` (a URL's parameters) describes. */
export async function readTimelineAction(
  organizationId: string,
  query: string,
  after: string,
): Promise<ActionResult<Page>> {
  return runAction(
    "action:readTimeline",
    organizationId,
    inputSchema,
    { query, after },
    async (scope, input) => {
      const params = Object.fromEntries(new URLSearchParams(input.query));
      const subject = parseSubject(params);
      const search = parseEventSearch({ range: params.range, from: params.from, to: params.to });
      if (!subject || !search.ok)
        throw new AppError("invalid_request", "The timeline's address is not complete.");
      const bounds = timeBounds(search.search.time, Date.now());
      return readTimeline(scope, subject, {
        ...bounds,
        after: input.after,
      });
    },
  );
}
