import { describe, expect, test } from "vitest";
import type { EventFilter } from "./ast";
import {
  clearField,
  excludeValue,
  fieldRef,
  includeValue,
  invertClause,
  onlyValue,
  removeClause,
  removeValue,
  valueState,
} from "./edit";
import { parseFilter } from "./parse";
import { serializeFilter } from "./serialize";

const actor = fieldRef("actor");
const edited = (query: string, edit: (filter: EventFilter) => EventFilter) => {
  const parsed = parseFilter(query);
  return parsed.ok ? serializeFilter(edit(parsed.filter)) : parsed.diagnostics[0]?.code;
};

describe("editing a filter", () => {
  test("including values of one field joins them by OR", () => {
    expect(edited("", (filter) => includeValue(filter, actor, "a"))).toBe("actor:a");
    expect(edited("actor:a x", (filter) => includeValue(filter, actor, "b"))).toBe(
      "actor:(a OR b) x",
    );
    expect(edited("actor:a", (filter) => includeValue(filter, actor, "a"))).toBe("actor:a");
  });

  test("excluding takes an inclusion back, and the other way round", () => {
    expect(edited("actor:(a OR b)", (filter) => excludeValue(filter, actor, "a"))).toBe(
      "actor:b -actor:a",
    );
    expect(edited("-actor:a", (filter) => includeValue(filter, actor, "a"))).toBe("actor:a");
  });

  test("only this value drops every other clause on the field", () => {
    expect(
      edited("actor:a -actor:b has:actor action:x", (filter) => onlyValue(filter, actor, "c")),
    ).toBe("action:x actor:c");
  });

  test("a clause can be removed and inverted, a field cleared, a value removed", () => {
    expect(edited("actor:a x", (filter) => removeClause(filter, 0))).toBe("x");
    expect(edited("actor:a x", (filter) => invertClause(filter, 1))).toBe("actor:a -x");
    expect(edited("actor:a x", (filter) => clearField(filter, actor))).toBe("x");
    expect(edited("actor:(a OR b)", (filter) => removeValue(filter, actor, "a", false))).toBe(
      "actor:b",
    );
    expect(edited("actor:a", (filter) => removeValue(filter, actor, "a", false))).toBe("");
  });

  test("a value's state is read off the filter; keyed fields differ by path", () => {
    const parsed = parseFilter("metadata.plan:pro -metadata.tier:pro");
    if (!parsed.ok) throw new Error("does not parse");
    expect(valueState(parsed.filter, fieldRef("metadata", "plan"), "pro")).toBe("include");
    expect(valueState(parsed.filter, fieldRef("metadata", "tier"), "pro")).toBe("exclude");
    expect(valueState(parsed.filter, fieldRef("metadata", "other"), "pro")).toBeNull();
  });

  test("values that look like syntax stay values", () => {
    expect(edited("", (filter) => includeValue(filter, actor, "a*"))).toBe('actor:"a\\*"');
    expect(edited("", (filter) => includeValue(filter, fieldRef("ip"), "10.0.0.0/8"))).toBe(
      'ip:"10.0.0.0/8"',
    );
  });

  test("text that does not parse is not edited", () => {
    expect(edited("actr:x", (filter) => filter)).toBe("unknown_field");
  });
});
