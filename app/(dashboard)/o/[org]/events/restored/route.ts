import { handlerScope } from "@/lib/auth/server/require-scope";
import { timeBounds } from "@/lib/events/filter/url";
import { readRestored } from "@/lib/events/server/restored";
import { searchOf } from "@/lib/events/server/search-of";
import { errorResponse, jsonResponse } from "@/lib/http/error-response";

/**
 * What the page's search would match without each of its parts.
 * @returns `{ restored: Restored[] }`
 */
export async function GET(
  request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  try {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/events/restored", org);
    const { filter, time } = searchOf(new URL(request.url).searchParams);
    const restored = await readRestored(scope, { filter, ...timeBounds(time, Date.now()) });
    return jsonResponse(200, { restored }, { "Cache-Control": "no-store" });
  } catch (error) {
    return errorResponse(error);
  }
}
