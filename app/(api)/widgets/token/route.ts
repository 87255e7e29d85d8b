import { z } from "zod";
import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { issueWidgetToken, WIDGET_SCOPE } from "@/lib/auth/server/widget-token";
import { errorResponse, jsonResponse } from "@/lib/http/error-response";
import { parseFields } from "@/lib/http/parse-input";
import { readJson } from "@/lib/http/read-body";

/** Other widgets' scopes are taken and not granted: a page may have several, and we serve one. */
const tokenSchema = z.object({
  organization_id: z.string().min(1, "must not be empty"),
  user_id: z.string().max(255).nullish(),
  scopes: z.array(z.string().max(255)).max(50).nullish(),
});

export async function POST(request: Request): Promise<Response> {
  try {
    const key = await authenticateApiKey(request, "handler:/widgets/token");
    const body = parseFields(tokenSchema, await readJson(request));
    const scope = await key.scopeFor(body.organization_id);
    const granted = (body.scopes ?? []).filter((name) => name === WIDGET_SCOPE);
    return jsonResponse(201, { token: issueWidgetToken(scope, granted) });
  } catch (error) {
    return errorResponse(error);
  }
}
