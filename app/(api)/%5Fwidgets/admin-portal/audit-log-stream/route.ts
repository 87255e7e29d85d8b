import { authenticateWidget } from "@/lib/auth/server/widget-token";
import { answerAcrossOrigins, preflightResponse } from "@/lib/http/cors";
import { jsonResponse } from "@/lib/http/error-response";
import { readWidgetStream } from "@/lib/streams/server/widget-stream";

export const OPTIONS = () => preflightResponse("GET");

export function GET(request: Request): Promise<Response> {
  return answerAcrossOrigins(async () => {
    const scope = await authenticateWidget(
      request,
      "handler:/_widgets/admin-portal/audit-log-stream",
    );
    return jsonResponse(200, await readWidgetStream(scope));
  });
}
