import { linkScope } from "@/lib/auth/server/signed-link";
import { answerFile } from "@/lib/exports/server/answer-file";
import { errorResponse } from "@/lib/http/error-response";

type Context = { params: Promise<{ id: string }> };

/** The file of an export, for whoever has a link to it that has not run out and was not revoked. */
export async function GET(request: Request, { params }: Context): Promise<Response> {
  try {
    const { scope, epoch } = linkScope(request, "handler:/audit_logs/exports/[id]/file");
    return await answerFile(scope, (await params).id, { linkEpoch: epoch });
  } catch (error) {
    return errorResponse(error);
  }
}
