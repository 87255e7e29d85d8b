import { expect, test } from "vitest";
import { draftOf, errorAt, inputOf } from "./draft";

const schema = {
  targets: [{ type: " doc", metadata: { type: "object" } }, { type: "team" }],
  actor: { metadata: { required: ["role"] } },
  metadata: null,
};

test("a form that nobody touched sends the schema it began with", () => {
  const { input, errors } = inputOf(draftOf("a b ", schema));
  expect(errors).toEqual([]);
  expect(JSON.parse(JSON.stringify(input))).toEqual({
    action: "a b ",
    schema: { targets: schema.targets, actor: schema.actor },
  });
});

test("a problem shows at its field, whichever side found it", () => {
  const draft = { ...draftOf("a", schema), metadata: "{" };
  const { errors } = inputOf(draft);
  expect(errorAt(errors, "schema.metadata")).toMatch(/^is not JSON: /);
  const refused = [
    { field: "schema.targets.1.metadata.properties.a.type", code: "must be one of …" },
    { field: "schema.targets.10.metadata", code: "elsewhere" },
  ];
  expect(errorAt(refused, "schema.targets.1.metadata")).toBe("properties.a.type: must be one of …");
  expect(errorAt(refused, "schema.targets.1.type")).toBeNull();
});
