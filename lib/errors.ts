/**
 * Every failure that a caller can cause or should understand. `message` is shown to people; anything
 * that is not an AppError becomes a generic message with a request id.
 */
export type ErrorCode =
  | "invalid_request"
  | "invalid_filter"
  | "invalid_event"
  | "schema_mismatch"
  | "validation_failed"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "conflict"
  | "too_large"
  | "rate_limited"
  | "unavailable"
  | "timeout";

export interface FieldError {
  /** Dotted path, `event.actor.id`. */
  field: string;
  /** Readable on its own: SDKs show nothing else. */
  code: string;
}

export class AppError extends Error {
  readonly code: ErrorCode;
  readonly errors: FieldError[];
  /** Whole seconds after which the same request may succeed. */
  readonly retryAfterS: number | undefined;
  /** Further members of the answer's body. */
  readonly details: Record<string, unknown>;

  constructor(
    code: ErrorCode,
    message: string,
    options: {
      errors?: FieldError[];
      retryAfterS?: number;
      details?: Record<string, unknown>;
      cause?: unknown;
    } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "AppError";
    this.code = code;
    this.errors = options.errors ?? [];
    this.retryAfterS = options.retryAfterS;
    this.details = options.details ?? {};
  }
}
