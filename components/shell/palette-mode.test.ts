import { describe, expect, it } from "vitest";
import { addRecent, MAX_RECENT, parsePalette, parseRecent } from "./palette-mode";

describe("the text in the palette", () => {
  it.each([
    ["", { kind: "commands", text: "" }],
    [" integrity ", { kind: "commands", text: "integrity" }],
    ["a/b", { kind: "commands", text: "a/b" }],
    ["/", { kind: "filter", text: "" }],
    [" / actor:usr_3 -ip:10.0.0.1 ", { kind: "filter", text: "actor:usr_3 -ip:10.0.0.1" }],
    ["@mei", { kind: "subjects", role: "actor", text: "mei" }],
    ["@ a@b.example", { kind: "subjects", role: "actor", text: "a@b.example" }],
    ["# plan 4", { kind: "subjects", role: "target", text: "plan 4" }],
  ])("%j chooses by its first character", (input, mode) => {
    expect(parsePalette(input)).toEqual(mode);
  });

  it.each([
    "audit_event_01JZ8Q4M7N2V5X9C3B6T0R1KDH",
    "01JZ8Q4M7N2V5X9C3B6T0R1KDH",
    " 01jz8q4m7n2v5x9c3b6t0r1kdh\n",
  ])("%j is an event", (input) => {
    const id = "audit_event_01JZ8Q4M7N2V5X9C3B6T0R1KDH";
    expect(parsePalette(input)).toEqual({ kind: "event", id });
  });

  it.each([
    "01JZ8Q4M7N2V5X9C3B6T0R1KD",
    "81JZ8Q4M7N2V5X9C3B6T0R1KDH",
    "org_01JZ8Q4M7N2V5X9C3B6T0R1KDH",
  ])("%j is no event", (input) => expect(parsePalette(input).kind).toBe("commands"));
});

describe("recent places", () => {
  it("stand once each, the last one first, eight at most", () => {
    const place = (number: number) => ({ label: `${number}`, href: `/o/x/${number}` });
    const many = Array.from({ length: 12 }, (_, number) => place(number));
    const recent = many.reduce(addRecent, []);
    expect(recent).toHaveLength(MAX_RECENT);
    expect(
      addRecent(recent, place(5))
        .map(({ label }) => label)
        .join(),
    ).toBe("5,11,10,9,8,7,6,4");
  });

  it("that were not kept by this program lead nowhere", () => {
    for (const stored of [null, "", "{", "7", "[null]", '[{"href":"javascript:1","label":"x"}]'])
      expect(parseRecent(stored)).toEqual([]);
    const kept = [{ label: "Events", href: "/o/org_1/events" }];
    expect(parseRecent(JSON.stringify(kept))).toEqual(kept);
  });
});
