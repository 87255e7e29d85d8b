import { contractTypeOf } from "./registry";
import type { StreamState, StreamSummary } from "./schema";

/** Our streams in the words of the compatible API: contract §9. */

/** error: waiting may cure it; invalid: somebody has to change something. */
export const CONTRACT_STATE: Record<StreamState, "active" | "inactive" | "error" | "invalid"> = {
  active: "active",
  degraded: "error",
  error: "invalid",
  paused: "inactive",
  disabled: "invalid",
};

export function streamOfContract(stream: StreamSummary): object {
  return {
    id: stream.id,
    type: contractTypeOf(stream.destination),
    state: CONTRACT_STATE[stream.state],
    last_synced_at: stream.lastSuccessAt,
    created_at: stream.createdAt,
  };
}
