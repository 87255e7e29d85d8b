import { linkScope } from "@/lib/auth/server/signed-link";
import { openExport } from "@/lib/exports/server/exports";
import { errorResponse } from "@/lib/http/error-response";
import { toWebBody } from "@/lib/http/web-body";

type Context = { params: Promise<{ id: string }> };

/** The file of an export, for whoever has a link to it that has not run out. */
export async function GET(request: Request, { params }: Context): Promise<Response> {
  try {
    const scope = linkScope(request, "handler:/audit_logs/exports/[id]/file");
    const { id } = await params;
    const { file, bytes } = await openExport(scope, id);
    return new Response(toWebBody(file), {
      headers: {
        "Content-Type": "text/csv; charset=utf-8; header=present",
        "Content-Disposition": `attachment; filename="${id}.csv"`,
        "Content-Length": String(bytes),
        "Cache-Control": "no-store",
      },
    });
  } catch (error) {
    return errorResponse(error);
  }
}
