import * as z from "zod/mini";
import { type Diagnostic, describeDiagnostics } from "./ast";
import { parseFilter } from "./parse";
import { type EventSearch, PARAMS, type Param, type TimeRange } from "./url";

/** Reads the state in a URL. Whatever is malformed is an explicit error; nothing is dropped. */

const rangeSchema = z.string().check(
  z.regex(/^[1-9]\d{0,3}(?:mo|[mhdwy])$/, {
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

interface SearchProblem {
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
