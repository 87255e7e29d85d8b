import { errorResponse } from "./error-response";

/** Any page may ask: the token in the header is the permission, and no cookie is read. */
const CORS = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Expose-Headers": "X-Request-ID, Retry-After",
};

export function preflightResponse(method: "GET" | "POST"): Response {
  return new Response(null, {
    status: 204,
    headers: {
      ...CORS,
      "Access-Control-Allow-Methods": method,
      "Access-Control-Allow-Headers":
        "Authorization, Content-Type, WorkOS-Widgets-Version, WorkOS-Widgets-Type",
      "Access-Control-Max-Age": "600",
    },
  });
}

/** What the work answers, or its error, readable by pages of other origins. */
export async function answerAcrossOrigins(work: () => Promise<Response>): Promise<Response> {
  const response = await work().catch(errorResponse);
  for (const [name, value] of Object.entries(CORS)) response.headers.set(name, value);
  response.headers.set("Cache-Control", "no-store");
  return response;
}
