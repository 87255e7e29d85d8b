import { EMPTY_FILTER } from "@/lib/events/filter/ast";
import { fieldRef, onlyValue } from "@/lib/events/filter/edit";
import { serializeFilter } from "@/lib/events/filter/serialize";
import { toSearchParams } from "@/lib/events/filter/url";
import type { Period, Range } from "./period";

/** The overview over a period, by its URL. */
export function overviewHref(organizationId: string, period: Period | Range): string {
  const search =
    typeof period === "string"
      ? `range=${period}`
      : `from=${period.from.slice(0, 10)}&to=${period.to.slice(0, 10)}`;
  return `/o/${organizationId}?${search}`;
}

/** The explorer with exactly the events that a number counts. */
export function eventsHref(
  organizationId: string,
  { q = "", from, to }: { q?: string; from: string; to: string },
): string {
  const time = { kind: "absolute", from, to } as const;
  return `/o/${organizationId}/events?${toSearchParams({ q, time, event: null, after: null, before: null })}`;
}

/** The query for one exact value. */
export function queryOf(field: "actor" | "action", value: string): string {
  return serializeFilter(onlyValue(EMPTY_FILTER, fieldRef(field), value));
}
