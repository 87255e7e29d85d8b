import { AppError } from "@/lib/errors";
import { describeDiagnostics, type EventFilter } from "../filter/ast";
import { parseFilter } from "../filter/parse";

/** @throws AppError invalid_filter: each problem with its place in the text, and `diagnostics` in the details */
export function filterOf(text: string): EventFilter {
  const parsed = parseFilter(text);
  if (parsed.ok) return parsed.filter;
  const { diagnostics } = parsed;
  const errors = diagnostics.map(({ message, span }) => ({
    field: "filter",
    code: `${message} (characters ${span.start + 1} to ${Math.max(span.end, span.start + 1)})`,
  }));
  const options = { errors, details: { diagnostics } };
  throw new AppError("invalid_filter", describeDiagnostics(diagnostics), options);
}
