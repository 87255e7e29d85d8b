import { handlerScope } from "@/lib/auth/server/require-scope";
import { timeBounds } from "@/lib/events/filter/url";
import { recordSearch } from "@/lib/events/server/record-read";
import { readRestored } from "@/lib/events/server/restored";
import { searchOf } from "@/lib/events/server/search-of";
import { answerJson } from "@/lib/http/json-handler";

/**
 * What the page's search would match without each of its parts.
 * @returns `{ restored: Restored[] }`
 */
export async function GET(
  request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  return answerJson(async () => {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/events/restored", org);
    const { filter, time } = searchOf(new URL(request.url).searchParams);
    await recordSearch(scope, { filter, time }, { isFollowUp: true });
    const restored = await readRestored(scope, { filter, ...timeBounds(time, Date.now()) });
    return { restored };
  });
}
