import * as z from "zod/mini";
import type { Clause } from "./filter/ast";
import { fieldRef } from "./filter/edit";
import {
  type EventSearch,
  parseEventSearch,
  type SearchParams,
  toSearchParams,
} from "./filter/url";

/** Whose timeline: an actor or a target, written `type:id` in a URL; an id may hold further colons. */
export interface Subject {
  role: "actor" | "target";
  type: string;
  id: string;
}

/** What the subject did as an actor, and what was done to it as a target. */
export type Lane = "did" | "done";
export const LANES = ["did", "done"] as const satisfies readonly Lane[];

export function primaryLane(subject: Subject): Lane {
  return subject.role === "actor" ? "did" : "done";
}

/** What the events of a lane have in common: in the subject's own role its type too, else the id alone. */
export function laneClauses(subject: Subject, lane: Lane): Clause[] {
  const field = lane === "did" ? "actor" : "target";
  const clauses = [isClause(field, subject.id)];
  if (lane === primaryLane(subject)) clauses.push(isClause(`${field}.type`, subject.type));
  return clauses;
}

/** The field is one of these values. */
export function isClause(id: Parameters<typeof fieldRef>[0], ...values: string[]): Clause {
  const matches = values.map((value) => ({ operator: "is" as const, value }));
  return { negated: false, condition: { kind: "any", field: fieldRef(id), matches } };
}

/** A timeline's state in its URL: the subject, `lane`, `at`, and of a search `q`, time and open event. */
export interface TimelineSearch {
  subject: Subject;
  /** null: both. */
  lane: Lane | null;
  /** ISO time that the first page starts before; null: the newest event. */
  at: string | null;
  search: EventSearch;
}

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

/** The parameters of a timeline; absent ones left out. */
export function toTimelineParams({ subject, lane, at, search }: TimelineSearch): URLSearchParams {
  const params = new URLSearchParams({ [subject.role]: `${subject.type}:${subject.id}` });
  if (lane) params.set("lane", lane);
  if (at) params.set("at", at);
  for (const [name, value] of toSearchParams({ ...search, after: null, before: null }))
    params.set(name, value);
  return params;
}
