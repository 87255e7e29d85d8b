import { type Change, compare } from "@/lib/events/changes";
import type { ActionSchema } from "./schema";

type Compared = Pick<ActionSchema, "targets" | "actor" | "metadata">;

/** What a version says otherwise than another, element by element: `metadata.properties.total.type`. */
export function compareSchemas(before: Compared, after: Compared): Change[] {
  return compare(comparable(before), comparable(after)).map((change) => ({
    ...change,
    // A place in a list that is a set says nothing.
    path: change.path.filter((part) => typeof part === "string"),
  }));
}

/** Targets by their type, and sets in one order: what cannot be told apart makes no difference. */
function comparable({ targets, actor, metadata }: Compared): Record<string, unknown> {
  const counts = new Map<string, number>();
  const named = targets.map((target) => {
    const count = (counts.get(target.type) ?? 0) + 1;
    counts.set(target.type, count);
    return { ...target, name: count === 1 ? target.type : `${target.type} #${count}` };
  });
  return {
    targets: ordered(named.map(({ name }) => name)),
    ...Object.fromEntries(
      named.flatMap(({ name, metadata: own }) =>
        own ? [[`target ${name}`, { metadata: ordered(own) }]] : [],
      ),
    ),
    ...(actor ? { actor: { metadata: ordered(actor.metadata) } } : {}),
    ...(metadata ? { metadata: ordered(metadata) } : {}),
  };
}

/** Every list of a schema but a constant is a set: types, required names, allowed values. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value))
    return value.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key, key === "const" ? member : ordered(member)]),
  );
}
