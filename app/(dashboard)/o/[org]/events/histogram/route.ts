import { z } from "zod";
import { handlerScope } from "@/lib/auth/server/require-scope";
import { timeBounds } from "@/lib/events/filter/url";
import { readHistogram } from "@/lib/events/server/histogram";
import { recordSearch } from "@/lib/events/server/record-read";
import { searchOf } from "@/lib/events/server/search-of";
import { isTimeZone } from "@/lib/events/zoned-time";
import { answerJson } from "@/lib/http/json-handler";
import { parseInput } from "@/lib/http/parse-input";
import { readTrailMarks } from "@/lib/integrity/server/trail-marks";

const zoneSchema = z.object({
  tz: z.string().max(64).refine(isTimeZone, { error: "is not an IANA time zone" }),
});

/**
 * The histogram of the page's search, its days those of the zone `tz`, and the state of the log along it:
 * `{ histogram: Histogram | null, trail: TrailMarks | null }`; of the log nothing to who sees a part of it.
 */
export async function GET(
  request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  return answerJson(async () => {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/events/histogram", org);
    const { searchParams } = new URL(request.url);
    const { filter, time } = searchOf(searchParams);
    await recordSearch(scope, { filter, time }, { isFollowUp: true });
    const { tz: zone } = parseInput(zoneSchema, { tz: searchParams.get("tz") ?? "UTC" });
    const histogram = await readHistogram(scope, {
      filter,
      ...timeBounds(time, Date.now()),
      zone,
    });
    const showsTrail = histogram && !scope.sight;
    return { histogram, trail: showsTrail ? await readTrailMarks(scope, histogram.bounds) : null };
  });
}
