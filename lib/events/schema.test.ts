import { describe, expect, test } from "vitest";
import { parseEventRequest, parseImportedEvent } from "./schema";

const options = {
  metadata: { maxKeys: 50, maxKeyLength: 40, maxValueLength: 500 },
  requireContext: false,
};
const base = {
  action: "user.signed_in",
  occurred_at: "2026-01-02T03:04:05Z",
  actor: { type: "user", id: "u1" },
  targets: [{ type: "team", id: "t1" }],
};

const request = (event: unknown, extra: object = {}) =>
  parseEventRequest({ organization_id: "org_1", event, ...extra }, options);
const fieldsOf = (event: unknown) => {
  const parsed = request(event);
  return parsed.ok ? [] : parsed.errors.map(({ field }) => field);
};
const deep = (levels: number): unknown => (levels === 0 ? 1 : { a: deep(levels - 1) });

describe("a request to the compatible endpoint", () => {
  test.each([
    ["no action", { ...base, action: undefined }, "event.action"],
    ["an empty actor id", { ...base, actor: { type: "user", id: "" } }, "event.actor.id"],
    ["a target without type", { ...base, targets: [{ id: "t1" }] }, "event.targets.0.type"],
    ["targets that are no list", { ...base, targets: {} }, "event.targets"],
    ["a version of zero", { ...base, version: 0 }, "event.version"],
    ["a version with a fraction", { ...base, version: 1.5 }, "event.version"],
    ["a leap second", { ...base, occurred_at: "2026-01-02T03:04:60Z" }, "event.occurred_at"],
    [
      "a day that does not exist",
      { ...base, occurred_at: "2026-02-30T00:00:00Z" },
      "event.occurred_at",
    ],
    ["a time as a number", { ...base, occurred_at: 1_767_000_000 }, "event.occurred_at"],
    ["a reserved action", { ...base, action: "trailseal.pruned" }, "event.action"],
    ["an action of 256 bytes", { ...base, action: "é".repeat(128) }, "event.action"],
    ["nested metadata", { ...base, metadata: { a: { b: 1 } } }, "event.metadata.a"],
    ["null in metadata", { ...base, metadata: { a: null } }, "event.metadata.a"],
    [
      "a metadata value of 501 characters",
      { ...base, metadata: { a: "x".repeat(501) } },
      "event.metadata.a",
    ],
    [
      "51 metadata entries",
      {
        ...base,
        metadata: Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`k${at}`, 1])),
      },
      "event.metadata",
    ],
    [
      "a metadata name with a space",
      { ...base, actor: { ...base.actor, metadata: { "a b": 1 } } },
      "event.actor.metadata.a b",
    ],
    ["a number beyond 2^53−1", { ...base, metadata: { a: 2 ** 53 } }, "event.metadata"],
    ["U+0000", { ...base, actor: { type: "user", id: "a\u0000b" } }, "event.actor"],
    ["a lone surrogate", { ...base, context: { location: "\ud800" } }, "event.context"],
  ])("%s is refused, naming the field", (_, event, field) => {
    expect(fieldsOf(event)).toContain(field);
  });

  test("all that is wrong is said at once, each readable on its own", () => {
    const parsed = parseEventRequest({ event: {} }, options);
    expect(parsed.ok ? [] : parsed.errors).toEqual(
      expect.arrayContaining([
        { field: "organization_id", code: "required" },
        { field: "event.action", code: "required" },
        { field: "event.targets", code: "required" },
      ]),
    );
    expect(parseEventRequest([], options)).toMatchObject({ ok: false });
    expect(parseEventRequest(null, options)).toMatchObject({ ok: false });
  });

  test("null is absent, times are cut to milliseconds, {} stays, unknown fields are reported", () => {
    const parsed = request({
      ...base,
      occurred_at: "2026-01-02T03:04:05.9999999",
      actor: { ...base.actor, name: null, metadata: null, extra: { kept: true } },
      context: null,
      metadata: {},
      version: null,
      surprise: 1,
    });
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        ignored: ["surprise"],
        event: {
          version: 1,
          occurredAt: "2026-01-02T03:04:05.999Z",
          actor: { type: "user", id: "u1", extra: { kept: true } },
          context: null,
          metadata: {},
        },
      },
    });
    if (parsed.ok) expect(Object.keys(parsed.value.event.actor)).not.toContain("name");
  });

  test("an id or organization inside the event has no effect there, and the answer says so", () => {
    const parsed = request({ ...base, id: "evt_1", organization_id: "org_2" });
    expect(parsed.ok && parsed.value.ignored).toEqual(["id", "organization_id"]);
    expect(parseImportedEvent({ ...base, id: "evt_1", organization_id: "org_2" }).ok).toBe(true);
  });

  test("a context can be demanded", () => {
    const parsed = parseEventRequest(
      { organization_id: "o", event: base },
      { ...options, requireContext: true },
    );
    expect(parsed).toMatchObject({
      ok: false,
      errors: [{ field: "event.context", code: "required" }],
    });
  });
});

describe("an imported event", () => {
  test("may nest metadata 16 deep and no deeper", () => {
    expect(parseImportedEvent({ ...base, metadata: deep(15) }).ok).toBe(true);
    expect(parseImportedEvent({ ...base, metadata: deep(17) }).ok).toBe(false);
  });

  test("of more than 64 KB is refused", () => {
    expect(parseImportedEvent({ ...base, metadata: { a: "x".repeat(70_000) } })).toMatchObject({
      ok: false,
    });
  });

  test("with a field that no event has is refused: nothing is dropped in silence", () => {
    expect(parseImportedEvent({ ...base, surprise: 1 })).toMatchObject({
      ok: false,
      errors: [{ field: "surprise" }],
    });
    expect(parseImportedEvent({ ...base, metadata: JSON.parse('{"__proto__": 1}') })).toMatchObject(
      { ok: false },
    );
  });
});
