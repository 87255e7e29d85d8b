import { z } from "zod";
import { AppError } from "@/lib/errors";

/** Text that a database can be asked for: PostgreSQL knows no NUL and no half characters. */
export function storableText(maxLength: number) {
  return z
    .string()
    .max(maxLength)
    .refine((text) => !text.includes("\0"), { error: "must not contain NUL" })
    .refine((text) => text.isWellFormed(), { error: "must be valid Unicode" });
}

/** @throws AppError invalid_request naming every field that is wrong. */
export function parseInput<S extends z.ZodType>(schema: S, input: unknown): z.infer<S> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((issue) => ({
    field: issue.path.join("."),
    code: issue.message,
  }));
  const message = errors.map(({ field, code }) => (field ? `${field} ${code}` : code)).join("; ");
  throw new AppError("invalid_request", `${message}.`, { errors });
}

/**
 * The same for the compatible API, which answers 422 with a code per field that reads on its own: SDKs show
 * nothing else.
 * @throws AppError validation_failed naming every field that is wrong.
 */
export function parseFields<S extends z.ZodType>(schema: S, input: unknown): z.infer<S> {
  const parsed = schema.safeParse(input, {
    error: (issue) => (issue.input === undefined ? "required" : undefined),
  });
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map(({ path, message }) => {
    const field = path.join(".") || "body";
    return { field, code: message === "required" ? message : `${field} ${lowerFirst(message)}` };
  });
  throw new AppError("validation_failed", "Validation failed.", { errors });
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);
