import type { EventFilter, Span } from "./ast";
import { serializeFilter } from "./serialize";

/**
 * The event list's state in its URL: `q`, `range` or `from`/`to`, `event` (open drawer) and one of the
 * cursors `after`/`before`. Reading one is parse-url.ts, which browsers do not load.
 */

const UNIT_MS = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  mo: 2_592_000_000,
  y: 31_536_000_000,
};

export const PARAMS = ["q", "range", "from", "to", "event", "after", "before"] as const;
export type Param = (typeof PARAMS)[number];

export type TimeRange =
  | { kind: "all" }
  /** Ends now; `range` as in the URL. */
  | { kind: "relative"; range: string }
  /** ISO with milliseconds; `from` included, `to` not. */
  | { kind: "absolute"; from: string | null; to: string | null };

export interface EventSearch {
  /** The query as typed; `filter` is what it means. */
  q: string;
  filter: EventFilter;
  /** Where each clause stands in `q`. */
  spans: Span[];
  time: TimeRange;
  event: string | null;
  after: string | null;
  before: string | null;
}

/** The bounds of `occurred_at` at a moment: `from` included, `to` not; null is unbounded. */
export function timeBounds(
  time: TimeRange,
  nowMs: number,
): { from: string | null; to: string | null } {
  switch (time.kind) {
    case "all":
      return { from: null, to: null };
    case "relative": {
      const unit = time.range.replace(/^\d+/, "") as keyof typeof UNIT_MS;
      const spanMs = Number.parseInt(time.range, 10) * UNIT_MS[unit];
      // The year 1 is the earliest time an event can have.
      const fromMs = Math.max(nowMs - spanMs, Date.parse("0001-01-01T00:00:00Z"));
      return { from: new Date(fromMs).toISOString(), to: null };
    }
    case "absolute":
      return { from: time.from, to: time.to };
  }
}

/** The parameters of a search, in a fixed order; absent ones left out. */
export function toSearchParams(search: Omit<EventSearch, "filter" | "spans">): URLSearchParams {
  const { q, time, event, after, before } = search;
  const values: Record<Param, string | null> = {
    q,
    range: time.kind === "relative" ? time.range : null,
    from: time.kind === "absolute" ? time.from : null,
    to: time.kind === "absolute" ? time.to : null,
    event,
    after,
    before,
  };
  const params = new URLSearchParams();
  for (const param of PARAMS) {
    const value = values[param];
    if (value) params.set(param, value);
  }
  return params;
}

/** The search with another filter, from its first page, nothing open. */
export function withFilter(search: EventSearch, filter: EventFilter): URLSearchParams {
  const q = serializeFilter(filter);
  return toSearchParams({ ...search, q, event: null, after: null, before: null });
}
