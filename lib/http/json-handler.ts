import { errorResponse, jsonResponse } from "./error-response";

/** A route handler's answer: what the work gives, as JSON that nobody stores; what it throws, as an error. */
export async function answerJson(work: () => Promise<object>, status = 200): Promise<Response> {
  try {
    return jsonResponse(status, await work(), { "Cache-Control": "no-store" });
  } catch (error) {
    return errorResponse(error);
  }
}
