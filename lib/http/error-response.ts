import { explainDatabaseError } from "@/lib/db/explain";
import { AppError, type ErrorCode } from "@/lib/errors";
import { log } from "@/lib/log";
import { currentRequest } from "./request-context";

const STATUS: Record<ErrorCode, number> = {
  invalid_request: 400,
  invalid_filter: 400,
  invalid_event: 422,
  schema_mismatch: 400,
  validation_failed: 422,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  rate_limited: 429,
  unavailable: 503,
  timeout: 504,
};

/** Codes that the compatible API spells in its own way (contract §3, §6). */
const WIRE_CODE: Partial<Record<ErrorCode, string>> = {
  schema_mismatch: "invalid_audit_log_event",
  not_found: "entity_not_found",
  rate_limited: "rate_limit_exceeded",
  too_large: "payload_too_large",
};

export function jsonResponse(
  status: number,
  body: object,
  headers: Record<string, string> = {},
): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "Content-Type": "application/json; charset=utf-8", ...headers },
  });
}

/**
 * An error in the shape that SDKs turn into their exceptions (contract §6): always `message` and `code`,
 * never `error`; `errors` in every 400, in a 422 only when there are any.
 */
export function errorResponse(thrown: unknown): Response {
  const error = explainDatabaseError(thrown);
  const requestId = currentRequest()?.requestId ?? "";
  if (!(error instanceof AppError)) {
    log().error({ err: error }, "a request failed");
    return jsonResponse(500, {
      message: `Something failed here. Request ${requestId}.`,
      code: "internal_error",
    });
  }
  const status = STATUS[error.code];
  const listsErrors = status === 400 || error.errors.length > 0;
  const body = {
    message: error.message,
    code: WIRE_CODE[error.code] ?? error.code,
    ...(listsErrors ? { errors: error.errors } : {}),
    ...error.details,
  };
  const headers: Record<string, string> = {};
  if (error.retryAfterS !== undefined)
    headers["Retry-After"] = String(Math.ceil(error.retryAfterS));
  return jsonResponse(status, body, headers);
}
