import { AppError } from "@/lib/errors";
import { parseEventSearch } from "../filter/parse-url";
import type { EventSearch } from "../filter/url";

/**
 * The search that a request's parameters describe.
 * @throws AppError invalid_filter or invalid_request, with what is wrong
 */
export function searchOf(params: URLSearchParams): EventSearch {
  const parsed = parseEventSearch(params);
  if (parsed.ok) return parsed.search;
  throw new AppError(
    parsed.diagnostics.length > 0 ? "invalid_filter" : "invalid_request",
    parsed.problems.map(({ message }) => message).join(" "),
  );
}
