import type { WireEvent } from "./schema";

type Unit = Record<string, unknown>;

/** An event's units as stored: null for an erased actor, target or context, or an absent one. */
export interface StoredEvent {
  id: string;
  action: string;
  version: number;
  /** ISO 8601, milliseconds, Z. */
  occurredAt: string;
  actor: Unit | null;
  targets: (Unit | null)[];
  context: Unit | null;
  metadata: Unit | null;
}

const PARTICIPANT_KEYS = ["id", "type", "name", "metadata"];
const CONTEXT_KEYS = ["location", "user_agent"];

/** The event as it leaves the system: keys in the order of the event schema, erased participants marked. */
export function toWireEvent(organizationId: string, event: StoredEvent): WireEvent {
  return {
    id: event.id,
    organization_id: organizationId,
    action: event.action,
    version: event.version,
    occurred_at: event.occurredAt,
    actor: participant(event.actor),
    targets: event.targets.map(participant),
    ...(event.context ? { context: ordered(event.context, CONTEXT_KEYS) } : {}),
    ...(event.metadata ? { metadata: event.metadata } : {}),
  };
}

function participant(unit: Unit | null): Unit {
  return unit ? ordered(unit, PARTICIPANT_KEYS) : { type: "erased", id: "erased" };
}

/** jsonb keeps keys by length: known ones first, the others as they come. */
function ordered(unit: Unit, known: readonly string[]): Unit {
  const first = known.filter((key) => Object.hasOwn(unit, key));
  const others = Object.keys(unit).filter((key) => !known.includes(key));
  return Object.fromEntries([...first, ...others].map((key) => [key, unit[key]]));
}
