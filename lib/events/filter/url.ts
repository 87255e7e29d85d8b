import * as z from "zod/mini";
import { type Diagnostic, describeDiagnostics, type EventFilter, type Span } from "./ast";
import { parseFilter } from "./parse";
import { serializeFilter } from "./serialize";

/**
 * The event list's state in its URL: `q`, `range` or `from`/`to`, `event` (open drawer) and one of the
 * cursors `after`/`before`. Whatever is malformed is an explicit error; nothing is dropped.
 */

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, y: 31_536_000_000 };

const rangeSchema = z.string().check(
  z.regex(/^[1-9]\d{0,3}[mhdwy]$/, {
    error: "A range is a number and a unit, as in `15m`, `24h` or `7d`.",
  }),
);

const TIME_HINT = "A time is an ISO 8601 date or date and time with an offset, as in";

/** Accepts a date (UTC midnight) or a time with an offset; gives `YYYY-MM-DDTHH:mm:ss.sssZ`. */
const instantSchema = z.pipe(
  z.string().check(
    z.regex(/^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/, {
      error: `${TIME_HINT} \`2026-08-01\` or \`2026-08-01T12:00:00Z\`.`,
      abort: true,
    }),
    z.refine((text) => toInstant(text) !== null, { error: "There is no such date or time." }),
  ),
  z.transform((text) => toInstant(text) as string),
);

const paramsSchema = z.object({
  range: z.optional(rangeSchema),
  from: z.optional(instantSchema),
  to: z.optional(instantSchema),
  event: z.optional(
    z
      .string()
      .check(
        z.regex(/^audit_event_[0-9A-HJKMNP-TV-Z]{26}$/, { error: "That is not an event id." }),
      ),
  ),
  after: z.optional(
    z.string().check(z.regex(/^[\w-]{1,64}$/, { error: "That is not a page position." })),
  ),
  before: z.optional(
    z.string().check(z.regex(/^[\w-]{1,64}$/, { error: "That is not a page position." })),
  ),
});

const PARAMS = ["q", "range", "from", "to", "event", "after", "before"] as const;
type Param = (typeof PARAMS)[number];

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

export interface SearchProblem {
  param: Param;
  message: string;
}

export type ParsedEventSearch =
  | { ok: true; search: EventSearch }
  /** `q` is kept for the filter bar; `diagnostics` are about it, `problems` about any parameter. */
  | { ok: false; q: string; diagnostics: Diagnostic[]; problems: SearchProblem[] };

export type SearchParams =
  | URLSearchParams
  | Readonly<Record<string, string | string[] | undefined>>;

export function parseEventSearch(params: SearchParams): ParsedEventSearch {
  const problems: SearchProblem[] = [];
  const given: Partial<Record<Param, string>> = {};
  for (const param of PARAMS) {
    const values = valuesOf(params, param);
    if (values.length > 1) problems.push({ param, message: `\`${param}\` is given twice.` });
    // An empty parameter is what a form sends for a field left empty.
    if (values[0]) given[param] = values[0];
  }
  const { q = "", ...rest } = given;
  const parsed = paramsSchema.safeParse(rest);
  if (!parsed.success)
    for (const issue of parsed.error.issues)
      problems.push({ param: issue.path[0] as Param, message: issue.message });
  const filter = parseFilter(q);
  const diagnostics = filter.ok ? [] : filter.diagnostics;
  if (!filter.ok) problems.unshift({ param: "q", message: describeDiagnostics(diagnostics) });
  if (rest.range && (rest.from || rest.to))
    problems.push({ param: "range", message: "Give either `range` or `from` and `to`." });
  if (rest.after && rest.before)
    problems.push({ param: "before", message: "Give either `after` or `before`." });
  const { range, from = null, to = null, ...data } = parsed.data ?? {};
  if (from && to && from >= to)
    problems.push({ param: "to", message: "`to` must be later than `from`." });
  if (problems.length > 0 || !filter.ok) return { ok: false, q, diagnostics, problems };
  const search: EventSearch = {
    q,
    filter: filter.filter,
    spans: filter.spans,
    time: toTimeRange(range, from, to),
    event: data.event ?? null,
    after: data.after ?? null,
    before: data.before ?? null,
  };
  return { ok: true, search };
}

function toTimeRange(range: string | undefined, from: string | null, to: string | null): TimeRange {
  if (range) return { kind: "relative", range };
  return from || to ? { kind: "absolute", from, to } : { kind: "all" };
}

function valuesOf(params: SearchParams, name: string): string[] {
  if (params instanceof URLSearchParams) return params.getAll(name);
  const value = params[name];
  return value === undefined ? [] : [value].flat();
}

function toInstant(text: string): string | null {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) return null;
  const iso = new Date(ms).toISOString();
  // Date.parse rolls 30 February over; years outside 0001–9999 cannot be stored.
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split("-").map(Number);
  const days = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  return /^\d{4}-/.test(iso) && !iso.startsWith("0000") && day <= days ? iso : null;
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
      const unit = time.range.slice(-1) as keyof typeof UNIT_MS;
      const spanMs = Number(time.range.slice(0, -1)) * UNIT_MS[unit];
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

/** The search over another time, from its first page. */
export function withTime(search: EventSearch, time: TimeRange): URLSearchParams {
  return toSearchParams({ ...search, time, after: null, before: null });
}
