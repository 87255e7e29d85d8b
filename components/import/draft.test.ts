import { describe, expect, test } from "vitest";
import type { Mapping } from "@/lib/import/mapping";
import { draftProblem, newId, toDraft, toMapping } from "./draft";

const mapping: Mapping = {
  mapping_version: 1,
  source: "CRM",
  row_id: ["id", "part"],
  action: { template: "{object}.{verb}" },
  version: { constant: "2" },
  occurred_at: { column: "when", format: "dd.MM.yyyy HH:mm", zone: "Europe/Oslo" },
  actor: {
    type: { constant: "user" },
    id: { column: "who" },
    name: { column: "name" },
    metadata: { role: { column: "role" } },
  },
  targets: [
    { type: { constant: "doc" }, id: { column: "doc" }, metadata: { a: { constant: "b" } } },
  ],
  context: { user_agent: { column: "agent" } },
  metadata: { plan: { column: "plan" } },
  other_columns: "ignore",
};

describe("the form of a mapping", () => {
  test("gives back every member of a mapping that was made elsewhere", () => {
    expect(toMapping(toDraft(mapping))).toEqual(mapping);
  });

  test("leaves out what is not set", () => {
    const bare: Mapping = {
      mapping_version: 1,
      source: "x",
      row_id: [],
      action: { column: "a" },
      occurred_at: { column: "t", format: "iso" },
      actor: { type: { constant: "user" }, id: { column: "u" } },
      targets: [],
      metadata: {},
      other_columns: "metadata",
    };
    expect(toMapping(toDraft(bare))).toEqual(bare);
  });

  test("says where two entries have one name, or one has none: neither overwrites the other", () => {
    const draft = toDraft(mapping);
    expect(draftProblem(draft)).toBeNull();
    draft.metadata.push({ id: newId(), key: " plan", value: { constant: "x" } });
    expect(draftProblem(draft)).toBe("Metadata: “plan” is there twice.");
    const nameless = toDraft(mapping);
    nameless.targets[0]?.metadata.push({ id: newId(), key: "", value: { constant: "x" } });
    expect(draftProblem(nameless)).toBe("Metadata of target 1: give each entry a name.");
  });
});
