import { z } from "zod";
import { handlerScope } from "@/lib/auth/server/require-scope";
import { AppError } from "@/lib/errors";
import { parseTimelineSearch } from "@/lib/events/parse-subject";
import { recordTimeline } from "@/lib/events/server/record-read";
import { countDays } from "@/lib/events/server/timeline";
import { answerJson } from "@/lib/http/json-handler";

/** Comma-separated epoch milliseconds at which days begin; the last one ends the last day. */
const startsSchema = z
  .string()
  .regex(/^-?\d{1,15}(,-?\d{1,15}){1,99}$/)
  .transform((text) => text.split(",").map(Number))
  .refine((starts) =>
    starts.every((at, index) => index === 0 || at > (starts[index - 1] as number)),
  )
  .transform((starts) => starts.map((at) => new Date(at).toISOString()));

/** Events per day of a timeline, under its filter. */
export async function GET(
  request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  return answerJson(async () => {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/timeline/days", org);
    const { starts, ...query } = Object.fromEntries(new URL(request.url).searchParams);
    const parsed = parseTimelineSearch(query);
    const days = startsSchema.safeParse(starts);
    if (!parsed.ok || !days.success)
      throw new AppError("invalid_request", "The days' address is not complete.");
    const { subject, lane, search } = parsed.search;
    await recordTimeline(scope, subject, search, { isFollowUp: true });
    const counts = await countDays(scope, { subject, lane, filter: search.filter }, days.data);
    return counts;
  });
}
