import { handlerScope } from "@/lib/auth/server/require-scope";
import { readOldest } from "@/lib/events/server/restored";
import { errorResponse, jsonResponse } from "@/lib/http/error-response";

/**
 * Since when events are kept.
 * @returns `{ oldest: string | null }`, ISO
 */
export async function GET(
  _request: Request,
  { params }: { params: Promise<{ org: string }> },
): Promise<Response> {
  try {
    const { org } = await params;
    const scope = await handlerScope("handler:/o/[org]/events/oldest", org);
    const headers = { "Cache-Control": "no-store" };
    return jsonResponse(200, { oldest: await readOldest(scope) }, headers);
  } catch (error) {
    return errorResponse(error);
  }
}
