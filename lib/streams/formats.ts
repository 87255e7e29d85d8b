import type { StreamEvent, WireEvent } from "./destination";
import { cef } from "./formats/cef";
import { ecs } from "./formats/ecs";
import { ocsf } from "./formats/ocsf";

/** What one event looks like at the receiver. */

export const formatIds = ["trailseal", "ocsf", "ecs", "cef", "workos"] as const;
export type FormatId = (typeof formatIds)[number];

export const FORMATS: Record<FormatId, { label: string; about: string }> = {
  trailseal: {
    label: "Audit event",
    about: "The event as the log has it, with its sequence number and chain hash.",
  },
  ocsf: {
    label: "OCSF 1.8.0",
    about:
      "Open Cybersecurity Schema Framework: Authentication for signing in and out, API Activity for everything else.",
  },
  ecs: {
    label: "ECS",
    about: "Elastic Common Schema, for Elastic Security and OpenSearch; metadata under labels.",
  },
  cef: {
    label: "CEF",
    about: "ArcSight Common Event Format: one line of text with the usual keys.",
  },
  workos: {
    label: "WorkOS native",
    about:
      "What WorkOS log streams send to this destination, for receivers that are set up already.",
  },
};

/** What destinations of objects can take, and those of lines of text, beside what is their own. */
export const OBJECT_FORMATS = ["trailseal", "ocsf", "ecs"] as const;
export const LINE_FORMATS = [...OBJECT_FORMATS, "cef"] as const;

/** One event in a format: an object, or a line of text. What WorkOS puts around it is the destination's. */
export function encodeItem(format: FormatId, item: StreamEvent): object | string {
  switch (format) {
    case "workos":
      return workosEvent(item);
    case "trailseal":
      return auditEvent(item);
    case "ocsf":
      return ocsf(item);
    case "ecs":
      return ecs(item);
    case "cef":
      return cef(item);
  }
}

/** The event itself with `seq`, `chain_hash` and `recorded_at` beside its members, so that it still satisfies the event schema. */
function auditEvent({ kind, seq, chainHash, recordedAt, event }: StreamEvent): object {
  return {
    ...event,
    seq,
    chain_hash: chainHash,
    recorded_at: recordedAt,
    ...(kind === "test" ? { test: true } : {}),
  };
}

/** "EVT" of the contract, §15: the event with its bare ULID, without the organization. */
export function workosEvent({ event }: StreamEvent): Omit<WireEvent, "organization_id"> {
  const { organization_id: _, id, ...rest } = event;
  return { id: id.replace(/^audit_event_/, ""), ...rest };
}
