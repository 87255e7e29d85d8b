import { handlerScope } from "@/lib/auth/server/require-scope";
import { errorResponse } from "@/lib/http/error-response";
import { toWebBody } from "@/lib/http/web-body";
import { openRejects } from "@/lib/import/server/imports";

/** The rejected rows of an import with their reasons, one JSON document a line. */
export async function GET(
  _request: Request,
  { params }: { params: Promise<{ org: string; id: string }> },
): Promise<Response> {
  try {
    const { org, id } = await params;
    const scope = await handlerScope("handler:/o/[org]/import/[id]/rejects", org);
    const { content, fileName } = await openRejects(scope, id);
    return new Response(toWebBody(content), {
      headers: {
        "Content-Type": "application/x-ndjson",
        "Content-Disposition": `attachment; filename="${fileName}"`,
        "Cache-Control": "no-store",
      },
    });
  } catch (error) {
    return errorResponse(error);
  }
}
