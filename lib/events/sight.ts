import { AppError } from "../errors";
import { type FieldId, getField } from "./fields";
import { type Condition, EMPTY_FILTER, type EventFilter, type FieldRef } from "./filter/ast";
import { parseFilter } from "./filter/parse";
import { serializeFilter } from "./filter/serialize";

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

/** As it was stored, for who is told of it. */
export const storedSight = ({ filter, hidden }: Sight): StoredSight => ({
  filter: serializeFilter(filter) || null,
  hidden: [...hidden],
});

/** @returns null for what this version does not understand: then nothing may be shown. */
export function readSight({ filter, hidden }: StoredSight): Sight | null {
  const parsed =
    filter === null ? { ok: true as const, filter: EMPTY_FILTER } : parseFilter(filter);
  const known = hideables.filter((name) => hidden.includes(name));
  if (!parsed.ok || known.length !== hidden.length) return null;
  return { filter: parsed.filter, hidden: new Set(known) };
}

const IN_CONTEXT: readonly FieldId[] = ["ip", "agent"];

export function isHidden(hidden: ReadonlySet<string>, { id }: Pick<FieldRef, "id">): boolean {
  return hidden.has(id) || (IN_CONTEXT.includes(id) && hidden.has("context"));
}

/** What free text looks into besides the action. */
const IN_TEXT: readonly FieldId[] = ["actor", "actor.name", "target", "target.name"];

/** Why a condition cannot be asked: what it finds would say what is hidden. Null: it can. */
export function whyRefused(hidden: ReadonlySet<string>, condition: Condition): string | null {
  if (condition.kind !== "text")
    return isHidden(hidden, condition.field)
      ? `${condition.field.id} is hidden for you, so no filter can ask for it.`
      : null;
  const inside = IN_TEXT.find((id) => isHidden(hidden, { id }));
  return inside
    ? `Free text looks into ${inside}, which is hidden for you. Name a field, as in action:user.*`
    : null;
}

/** @throws AppError invalid_filter */
export function demandField(sight: Sight | undefined, { id }: Pick<FieldRef, "id">): void {
  if (sight && isHidden(sight.hidden, { id }))
    throw new AppError("invalid_filter", `${id} is hidden for you.`);
}

/** @throws AppError invalid_filter */
export function demandUnhidden(sight: Sight | undefined, { clauses }: EventFilter): void {
  if (!sight) return;
  const refused = clauses.flatMap(({ condition }) => whyRefused(sight.hidden, condition) ?? []);
  if (refused.length > 0) throw new AppError("invalid_filter", [...new Set(refused)].join(" "));
}

/** Whether they see a part of the events, beside what may be hidden in them. */
export const isPart = (sight: Sight | undefined): sight is Sight =>
  sight !== undefined && sight.filter.clauses.length > 0;
