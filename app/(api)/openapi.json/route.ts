import { openApiDocument } from "@/lib/api/openapi";
import { publicUrl } from "@/lib/env";
import { jsonResponse } from "@/lib/http/error-response";

export const dynamic = "force-dynamic";

export function GET(): Response {
  return jsonResponse(200, openApiDocument(publicUrl()), { "Access-Control-Allow-Origin": "*" });
}
