import type { Batch, StreamEvent } from "../destination";

/** What tests of destinations frame; no test itself. */

export const ORG = "org_01KARQ9Z5W8Y3M6N2P4T7V0X1A";

export const item = (seq: number | null, more: Partial<StreamEvent> = {}): StreamEvent => ({
  kind: seq === null ? "test" : "event",
  seq,
  chainHash: seq === null ? null : "ab".repeat(32),
  previousHash: null,
  recordedAt: "2026-11-23T14:02:09.000Z",
  event: {
    id: `audit_event_01KARQ9Z5W8Y3M6N2P4T7V0X${String(seq ?? 0).padStart(2, "0")}`,
    organization_id: ORG,
    action: "user.signed_in",
    version: 1,
    occurred_at: "2026-11-23T14:02:08.114Z",
    actor: { type: "user", id: "u1", name: "Zoë" },
    targets: [{ type: "team", id: "t1" }],
    context: { location: "192.0.2.7" },
    metadata: { n: 1 },
  },
  ...more,
});

export const batchOf = (events: StreamEvent[], format: Batch["format"] = "trailseal"): Batch => ({
  events,
  deliveryId: `msg_X_${events[0]?.seq}-${events.at(-1)?.seq}`,
  sentAt: new Date("2026-11-23T14:02:10.000Z"),
  format,
});
