import { AppError } from "@/lib/errors";
import type { FieldId } from "../fields";
import { type Condition, EMPTY_FILTER, type EventFilter, type FieldRef } from "../filter/ast";
import { parseFilter } from "../filter/parse";
import { serializeFilter } from "../filter/serialize";
import { hideables, isHidden, type Sight, type StoredSight } from "../sight";

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

/** Whether a filter chooses what they see, beside what may be hidden in it. */
export const isPart = (sight: Sight | undefined): sight is Sight =>
  sight !== undefined && sight.filter.clauses.length > 0;
