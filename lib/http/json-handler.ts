import { errorResponse, jsonResponse } from "./error-response";
import { readJson } from "./read-body";

const MAX_BODY_BYTES = 1_048_576;

/** A route handler's answer: what the work gives, as JSON that nobody stores; what it throws, as an error. */
export async function answerJson(work: () => Promise<object>): Promise<Response> {
  try {
    const answer = await work();
    if (answer instanceof Response) return answer;
    return jsonResponse(200, answer, { "Cache-Control": "no-store" });
  } catch (error) {
    return errorResponse(error);
  }
}

/** The JSON body of an API request; see readJson. */
export const readApiBody = (request: Request) => readJson(request, MAX_BODY_BYTES);
