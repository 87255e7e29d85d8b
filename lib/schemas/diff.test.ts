import { describe, expect, test } from "vitest";
import { compareSchemas } from "./diff";

const object = (properties: object, rest: object = {}) => ({
  type: "object",
  properties,
  ...rest,
});
const base = {
  targets: [{ type: "invoice", metadata: object({ total: { type: "number" } }) }, { type: "team" }],
  actor: null,
  metadata: object({ plan: { enum: ["free", "paid"] } }, { required: ["plan"] }),
};
const words = (after: typeof base | object) =>
  compareSchemas(base, { ...base, ...after }).map(({ kind, path, before, after: now }) =>
    [kind, path.join("."), before, now].filter((part) => part !== undefined),
  );

describe("the difference between two versions", () => {
  test("names each element that came, went or is another", () => {
    expect(
      words({
        targets: [
          { type: "invoice", metadata: object({ total: { type: "string", maxLength: 9 } }) },
          { type: "account" },
        ],
        actor: { metadata: object({}) },
        metadata: object({ plan: { enum: ["free", "paid", "trial"] } }, { required: ["by"] }),
      }),
    ).toEqual([
      ["added", "targets", "account"],
      ["removed", "targets", "team"],
      ["changed", "target invoice.metadata.properties.total.type", "number", "string"],
      ["added", "target invoice.metadata.properties.total.maxLength", 9],
      ["added", "metadata.properties.plan.enum", "trial"],
      ["removed", "metadata.required", "plan"],
      ["added", "metadata.required", "by"],
      ["added", "actor", { metadata: object({}) }],
    ]);
    expect(words({ metadata: null })).toEqual([["removed", "metadata", base.metadata]]);
  });

  test("is none where only the order of what is a set changed, or null stands for nothing", () => {
    expect(
      words({
        targets: [{ type: "team", metadata: null }, base.targets[0]],
        metadata: { ...object({ plan: { enum: ["paid", "free"] } }), required: ["plan"] },
      }),
    ).toEqual([]);
  });

  test("holds targets of one type apart, and the order within a constant for a difference", () => {
    expect(words({ targets: [...base.targets, { type: "team" }] })).toEqual([
      ["added", "targets", "team #2"],
    ]);
    const listed = (items: number[]) => ({ ...base, metadata: { const: items } });
    expect(compareSchemas(listed([1, 2]), listed([2, 1]))).not.toEqual([]);
  });
});
