import { z } from "zod";
import { createPortalLink } from "@/lib/auth/server/portal-links";
import { authenticateWidget } from "@/lib/auth/server/widget-token";
import { answerAcrossOrigins, preflightResponse } from "@/lib/http/cors";
import { jsonResponse } from "@/lib/http/error-response";
import { parseFields } from "@/lib/http/parse-input";

const querySchema = z.object({ intent: z.enum(["log_streams"], "must be log_streams") });

export const OPTIONS = () => preflightResponse("POST");

export function POST(request: Request): Promise<Response> {
  return answerAcrossOrigins(async () => {
    const scope = await authenticateWidget(request, "handler:/_widgets/admin-portal/generate-link");
    const { searchParams } = new URL(request.url);
    const { intent } = parseFields(querySchema, Object.fromEntries(searchParams));
    const link = await createPortalLink(scope, { intent, returnUrl: null, successUrl: null });
    return jsonResponse(201, { link });
  });
}
