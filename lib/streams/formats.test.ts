import { describe, expect, it } from "vitest";
import type { Destination } from "./destination";
import { fieldsOf, holds } from "./form";
import { itemOf, outside, voided } from "./formats/test-items";
import { previewText } from "./preview-text";
import { destinations, openDestination } from "./registry";

/** Configured as the form's placeholders suggest, and no further than it has to be. */
function opened({ id, configSchema }: Destination) {
  const config: Record<string, unknown> = {};
  for (const field of fieldsOf(configSchema)) {
    const { name, initial, required, kind, placeholder, options, when } = field;
    config[name] = initial;
    if (!(when ? holds(when, config) : required)) continue;
    config[name] ??= options?.[0]?.id ?? (kind === "number" ? 1 : (placeholder ?? "example"));
  }
  return openDestination(id, config);
}

describe.each(destinations.map((each) => [each.id, each] as const))("%s", (_, destination) => {
  it.each(destination.formats)(
    "%s: what is sent holds the event, one outside the chain too",
    (format) => {
      for (const item of [voided, outside("test"), outside("checkpoint")]) {
        const text = previewText(opened(destination), format, item);
        expect(text).toContain("01JZ8QF2M4P6R8T0V2X4Z6B8D0");
        expect(text).toContain(item.event.action);
      }
    },
  );
});

/** "EVT" as the contract's worked example 12 has it, with the version that §15 adds where there is one. */
const EVT = {
  id: "01JZ8QF2M4P6R8T0V2X4Z6B8D0",
  action: "invoice.voided",
  targets: [{ type: "invoice", id: "inv_4410" }],
  actor: { type: "user", id: "usr_88" },
  context: { location: "203.0.113.9" },
  occurred_at: "2026-03-05T07:59:40.512Z",
  version: 1,
};

/**
 * What WorkOS sends for one event (contract §15, §16), by the contract's name of the destination. Arrays and
 * lines hold any number of these.
 */
const NATIVE: Record<string, object> = {
  GenericHttps: {
    event: EVT,
    keySuffix: "5b1e0c9a77d2",
    timestamp: "2026-03-05T07:59:41.003Z",
    source: "globex",
  },
  Splunk: { event: EVT, time: 1772697580.512, source: "globex" },
  Datadog: { message: EVT, ddsource: "globex", service: "audit-logs" },
  S3: EVT,
  GoogleCloudStorage: EVT,
  AzureSentinel: {
    TimeGenerated: "2026-03-05T07:59:40.512Z",
    id: EVT.id,
    event_type: "invoice.voided",
    organization_id: "org_01JZ8Q4M7N2V5X9C3B6T0R1KDH",
    data: EVT,
  },
};

/** Members and the types of their values, in any order. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, shapeOf(member)]));
}

describe("WorkOS native", () => {
  const native = destinations.filter(({ formats }) => formats.includes("workos"));
  const { action, occurred_at, actor, targets, context } = EVT;
  const event = itemOf({ action, occurred_at, actor, targets, context });

  it("every destination that has the format is held to the contract", () => {
    const types = native.map(({ contractType }) => contractType);
    expect(Object.keys(NATIVE)).toEqual(expect.arrayContaining(types));
    expect(types).toEqual(expect.arrayContaining(["GenericHttps", "Splunk"]));
  });

  for (const [type, example] of Object.entries(NATIVE)) {
    const destination = native.find(({ contractType }) => contractType === type);
    it.skipIf(!destination)(`${type} equals the contract's example in shape`, () => {
      const sent = JSON.parse(previewText(opened(destination as Destination), "workos", event));
      expect(shapeOf(sent)).toEqual(shapeOf(example));
      expect(sent.event ?? sent.message ?? sent.data ?? sent).toEqual(EVT);
    });
  }
});
