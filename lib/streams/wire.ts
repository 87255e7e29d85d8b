import type { DestinationId, StreamState, StreamSummary } from "./schema";

/** A stream as the compatible API names it (contract §9): its types and states are fixed there. */

const TYPES: Record<DestinationId, string> = { webhook: "GenericHttps", splunk: "Splunk" };
const STATES: Record<StreamState, string> = {
  active: "active",
  degraded: "error",
  error: "invalid",
  paused: "inactive",
  disabled: "inactive",
};

export function toWireStream(stream: StreamSummary) {
  return {
    id: stream.id,
    type: TYPES[stream.destination],
    state: STATES[stream.state],
    last_synced_at: stream.lastSuccessAt,
    created_at: stream.createdAt,
  };
}
