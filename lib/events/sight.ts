import { type FieldId, getField } from "./fields";
import type { EventFilter, FieldRef } from "./filter/ast";

/**
 * What somebody sees of a log who does not see all of it: the events that match a filter, without some of
 * what they hold. Their scope carries it; server/plan.ts and server/seen.ts, through which every read goes,
 * apply it.
 */
export interface Sight {
  /** Only events that match it; without clauses all of them. */
  filter: EventFilter;
  hidden: ReadonlySet<Hideable>;
}

/** What can be hidden: fields as filters name them, and what none finds. In this order. */
export const hideables = [
  "actor",
  "actor.name",
  "actor.metadata",
  "target",
  "target.name",
  "target.metadata",
  "ip",
  "agent",
  "context",
  "metadata",
] as const;

export type Hideable = (typeof hideables)[number];

/** `actor name, IP` */
export const fieldNamesOf = (hidden: readonly string[]): string =>
  hideables
    .filter((name) => hidden.includes(name))
    .map((name) => hideableLabel(name).replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase()))
    .join(", ");

/** What stands in its place at every exit. */
export const HIDDEN = "[hidden]";

export function hideableLabel(name: Hideable): string {
  if (name === "target.metadata") return "Target metadata";
  if (name === "context") return "Everything in context";
  return name === "actor" || name === "target"
    ? `${getField(name).label} id`
    : getField(name).label;
}

/** As it is stored with a member. */
export interface StoredSight {
  /** In the explorer's language; null: every event. */
  filter: string | null;
  hidden: readonly string[];
}

export const SEES_EVERYTHING: StoredSight = { filter: null, hidden: [] };

export const seesEverything = ({ filter, hidden }: StoredSight): boolean =>
  filter === null && hidden.length === 0;

/** As lists say it. */
export const sightWords = ({ filter, hidden }: StoredSight) => ({
  sees: filter ?? "all events",
  hidden: fieldNamesOf(hidden),
});

const IN_CONTEXT: readonly FieldId[] = ["ip", "agent"];

export function isHidden(hidden: ReadonlySet<string>, { id }: Pick<FieldRef, "id">): boolean {
  return hidden.has(id) || (IN_CONTEXT.includes(id) && hidden.has("context"));
}
