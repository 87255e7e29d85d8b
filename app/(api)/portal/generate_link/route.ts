import { authenticateApiKey } from "@/lib/auth/server/api-key";
import { createPortalLink } from "@/lib/auth/server/portal-links";
import { AppError } from "@/lib/errors";
import { errorResponse, jsonResponse } from "@/lib/http/error-response";
import { parseFields } from "@/lib/http/parse-input";
import { readJson } from "@/lib/http/read-body";
import { generateLinkSchema } from "@/lib/portal/schema";

export async function POST(request: Request): Promise<Response> {
  try {
    const key = await authenticateApiKey(request, "handler:/portal/generate_link");
    const body = parseFields(generateLinkSchema, await readJson(request));
    const scope = await key.scopeFor(body.organization).catch((error: unknown) => {
      if (!(error instanceof AppError) || error.code !== "not_found") throw error;
      // SDKs' own tests expect these words, with 400.
      throw new AppError(
        "invalid_request",
        `Could not find an organization with the id, ${body.organization}.`,
      );
    });
    const link = await createPortalLink(scope, {
      intent: body.intent ?? null,
      returnUrl: body.return_url ?? null,
      successUrl: body.success_url ?? null,
      mailTo: [...(body.admin_emails ?? []), ...(body.it_contact_emails ?? [])],
    });
    return jsonResponse(201, { link });
  } catch (error) {
    return errorResponse(error);
  }
}
