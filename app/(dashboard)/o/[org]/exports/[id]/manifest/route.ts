import { handlerScope } from "@/lib/auth/server/require-scope";
import { answerFile } from "@/lib/exports/server/answer-file";
import { errorResponse } from "@/lib/http/error-response";

/** What was signed of an export, for somebody signed in who may export. */
export async function GET(
  _request: Request,
  { params }: { params: Promise<{ org: string; id: string }> },
): Promise<Response> {
  try {
    const { org, id } = await params;
    const scope = await handlerScope("handler:/o/[org]/exports/[id]/manifest", org);
    return await answerFile(scope, id, { isManifest: true });
  } catch (error) {
    return errorResponse(error);
  }
}
