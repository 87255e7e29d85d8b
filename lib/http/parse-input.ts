import { z } from "zod";
import { AppError } from "@/lib/errors";

/** Text that a database can be asked for: PostgreSQL knows no NUL. */
export function storableText(maxLength: number) {
  return z
    .string()
    .max(maxLength)
    .refine((text) => !text.includes("\0"), { error: "must not contain NUL" });
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
