import type { Clause } from "./filter/ast";
import { fieldRef } from "./filter/edit";
import { type EventSearch, toSearchParams } from "./filter/url";

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

/** The parameters of a timeline; absent ones left out. */
export function toTimelineParams({ subject, lane, at, search }: TimelineSearch): URLSearchParams {
  const params = new URLSearchParams({ [subject.role]: `${subject.type}:${subject.id}` });
  if (lane) params.set("lane", lane);
  if (at) params.set("at", at);
  for (const [name, value] of toSearchParams({ ...search, after: null, before: null }))
    params.set(name, value);
  return params;
}
