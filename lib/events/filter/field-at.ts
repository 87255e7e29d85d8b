import { fields } from "../fields";
import type { FieldRef } from "./ast";

/** Where a value stands in an event as it leaves the system. */
export type JsonPath = readonly (string | number)[];

/** The field that finds the value at a place of the event; null where none does. */
export function fieldAt(path: JsonPath): FieldRef | null {
  const keys = path.map(String);
  for (const { id, source } of fields) {
    if (source.from === "document") {
      const prefix = [source.column, ...source.prefix];
      if (keys.length > prefix.length && prefix.every((key, index) => key === keys[index]))
        return { id, path: keys.slice(prefix.length) };
      continue;
    }
    const own = source.from === "event" ? source.path : ["targets", keys[1] ?? "", source.key];
    if (own.length === keys.length && own.every((key, index) => key === keys[index]))
      return { id, path: [] };
  }
  return null;
}
