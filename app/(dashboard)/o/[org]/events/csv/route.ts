import { handlerScope } from "@/lib/auth/server/require-scope";
import { AppError } from "@/lib/errors";
import { timeBounds } from "@/lib/events/filter/url";
import { streamCsv } from "@/lib/events/server/csv";
import { recordDownload, searchWords } from "@/lib/events/server/record-read";
import { searchOf } from "@/lib/events/server/search-of";
import { errorResponse } from "@/lib/http/error-response";
import { toWebBody } from "@/lib/http/web-body";

/**
 * Everything that the page's filter matches, as a file: the same `q`, `range`, `from` and `to`; `raw=1`
 * leaves cells that look like formulas as they are. A download that fails part-way breaks off: its body
 * has no clean end.
 */
export async function GET(
  request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  try {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/events/csv", org);
    const { searchParams } = new URL(request.url);
    const search = searchOf(searchParams);
    const raw = searchParams.get("raw");
    if (raw !== null && raw !== "1")
      throw new AppError("invalid_request", "`raw` is either left out or `1`.");
    const bounds = timeBounds(search.time, Date.now());
    const csv = await streamCsv(scope, { filter: search.filter, ...bounds, raw: raw === "1" });
    await recordDownload(scope, {
      action: "trailseal.events_downloaded",
      metadata: { format: "csv", ...searchWords(search) },
    }).catch((error: Error) => {
      csv.destroy(error);
      throw error;
    });
    const day = new Date().toISOString().slice(0, 10);
    return new Response(toWebBody(csv), {
      headers: {
        "Content-Type": "text/csv; charset=utf-8; header=present",
        "Content-Disposition": `attachment; filename="${scope.organizationId}-events-${day}.csv"`,
        "Cache-Control": "no-store",
        // A buffering proxy would hide both progress and a break.
        "X-Accel-Buffering": "no",
      },
    });
  } catch (error) {
    return errorResponse(error);
  }
}
