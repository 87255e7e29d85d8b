import type { Scope } from "@/lib/auth/scope";
import { readPool } from "@/lib/db/pool";
import { CONTRACT_STATE } from "../contract";
import { contractTypeOf } from "../registry";
import { listStreams } from "./streams";

/** The oldest stream as widgets show it (contract §14); without an id there is none. */
export async function readWidgetStream(scope: Scope): Promise<object> {
  const [stream] = await listStreams(scope);
  if (!stream) return {};
  const state = CONTRACT_STATE[stream.state];
  const lastId = await readEventId(scope, stream.delivered > 0 ? stream.cursorSeq - 1 : -1);
  return {
    id: stream.id,
    state: state.charAt(0).toUpperCase() + state.slice(1),
    type: contractTypeOf(stream.destination),
    auditLogTrailId: scope.organizationId,
    ...(stream.lastError && state !== "active" ? { errorMessage: stream.lastError.message } : {}),
    // Bare: widgets read the time out of its first ten characters.
    ...(lastId ? { lastSyncedEventId: lastId.replace(/^audit_event_/, "") } : {}),
  };
}

async function readEventId(scope: Scope, seq: number): Promise<string | null> {
  const { rows } = await readPool().query<{ id: string }>(
    "SELECT id FROM events WHERE organization_id = $1 AND seq = $2 LIMIT 1",
    [scope.organizationId, seq],
  );
  return rows[0]?.id ?? null;
}
