"use server";

import { z } from "zod";
import { AppError } from "@/lib/errors";
import { timeBounds } from "@/lib/events/filter/url";
import { parseTimelineSearch } from "@/lib/events/parse-subject";
import { recordTimeline } from "@/lib/events/server/record-read";
import { readTimeline } from "@/lib/events/server/timeline";
import type { TimelinePage } from "@/lib/events/timeline";
import { type ActionResult, runAction } from "@/lib/http/action-result";

const inputSchema = z.object({
  query: z.string().max(10_000),
  direction: z.enum(["after", "before"]),
  cursor: z.string().max(64),
});

/** The page beside a cursor of the timeline that `query` (a URL's parameters) describes. */
export async function readTimelineAction(
  organizationId: string,
  query: string,
  direction: "after" | "before",
  cursor: string,
): Promise<ActionResult<TimelinePage>> {
  return runAction(
    "action:readTimeline",
    organizationId,
    inputSchema,
    { query, direction, cursor },
    async (scope, input) => {
      const parsed = parseTimelineSearch(Object.fromEntries(new URLSearchParams(input.query)));
      if (!parsed.ok)
        throw new AppError("invalid_request", "The timeline's address is not complete.");
      const { search, ...timeline } = parsed.search;
      await recordTimeline(scope, timeline.subject, search, { isFollowUp: true });
      return readTimeline(scope, {
        ...timeline,
        ...timeBounds(search.time, Date.now()),
        filter: search.filter,
        [input.direction]: input.cursor,
      });
    },
  );
}
