import { errorResponse, jsonResponse } from "./error-response";

/**
 * A route handler's answer: what the work gives, as JSON that nobody stores, or as the answer that it made
 * itself; what it throws, as an error.
 */
export async function answerJson(work: () => Promise<object>): Promise<Response> {
  try {
    const answer = await work();
    if (answer instanceof Response) return answer;
    return jsonResponse(200, answer, { "Cache-Control": "no-store" });
  } catch (error) {
    return errorResponse(error);
  }
}
