import type { EventFilter } from "@/lib/events/filter/ast";
import { filterOf } from "@/lib/events/server/filter-of";

/**
 * A stream's filter; null: it takes every event.
 * @throws AppError invalid_filter with where it is wrong
 */
export function parseStreamFilter(text: string): EventFilter | null {
  return text.trim() === "" ? null : filterOf(text);
}
