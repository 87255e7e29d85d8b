import type { Batch, Reply, StreamEvent } from "../destination";

/** What the destinations' tests share; no test itself. */

export const wire = {
  id: "audit_event_01KARQ9Z5W8Y3M6N2P4T7V0X1B",
  organization_id: "org_01KARQ9Z5W8Y3M6N2P4T7V0X1A",
  action: "user.signed_in",
  version: 1,
  occurred_at: "2026-11-23T14:02:08.114Z",
  actor: { type: "user", id: "u1", name: "Zoë" },
  targets: [{ type: "team", id: "t1" }],
  context: { location: "192.0.2.7" },
  metadata: { n: 1 },
};
export const item = (seq: number): StreamEvent => ({
  kind: "event",
  seq,
  chainHash: "ab".repeat(32),
  previousHash: null,
  recordedAt: "2026-11-23T14:02:09.000Z",
  event: wire,
});
export const batch = (...seqs: number[]): Batch => ({
  events: seqs.map(item),
  deliveryId: `msg_X_${seqs[0]}-${seqs.at(-1)}`,
  sentAt: new Date("2026-11-23T14:02:10.000Z"),
  format: "trailseal",
});
export const reply = (status: number, body: string, retryAfterS: number | null = null): Reply => ({
  ...{ status, headers: {}, body, retryAfterS },
});

/** The event of a test send, or of a checkpoint: outside the chain. */
export const unchained = (kind: "test" | "checkpoint"): StreamEvent => ({
  ...item(0),
  ...{ kind, seq: null, chainHash: null },
});

/** An event of about so many bytes. */
export const large = (seq: number, bytes: number): StreamEvent => ({
  ...item(seq),
  event: { ...wire, metadata: { text: "x".repeat(bytes) } },
});
