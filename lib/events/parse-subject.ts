import * as z from "zod/mini";
import { parseEventSearch, type SearchParams } from "./filter/parse-url";
import { LANES, type Lane, type Subject, type TimelineSearch } from "./subject";

const textSchema = z.string().check(z.minLength(3), z.maxLength(1_300), z.regex(/^[^:]+:./s));

/** @returns null unless exactly one of `actor` and `target` is given and well-formed. */
export function parseSubject(params: { actor?: unknown; target?: unknown }): Subject | null {
  const roles = (["actor", "target"] as const).filter((role) => params[role] !== undefined);
  const [role] = roles;
  if (roles.length !== 1 || !role) return null;
  const text = textSchema.safeParse(params[role]);
  if (!text.success) return null;
  const colon = text.data.indexOf(":");
  return { role, type: text.data.slice(0, colon), id: text.data.slice(colon + 1) };
}

export type ParsedTimelineSearch =
  | { ok: true; search: TimelineSearch }
  /** `subject` is null when the URL names nobody; `problems` are about the rest. */
  | { ok: false; subject: Subject | null; problems: string[] };

export function parseTimelineSearch(
  params: Exclude<SearchParams, URLSearchParams>,
): ParsedTimelineSearch {
  const { q, range, from, to, event, lane, at } = params;
  const subject = parseSubject(params);
  const parsed = parseEventSearch({ q, range, from, to, event });
  // A place in time is written like the end of a range.
  const place = parseEventSearch({ to: at });
  const problems = parsed.ok ? [] : parsed.problems.map(({ message }) => message);
  if (!place.ok) problems.push("`at` is not a time.");
  const isLane = lane === undefined || (LANES as readonly unknown[]).includes(lane);
  if (!isLane) problems.push("`lane` is `did` or `done`.");
  if (!subject || !parsed.ok || !place.ok || !isLane) return { ok: false, subject, problems };
  const { time } = place.search;
  return {
    ok: true,
    search: {
      subject,
      lane: (lane as Lane | undefined) ?? null,
      at: time.kind === "absolute" ? time.to : null,
      search: parsed.search,
    },
  };
}
