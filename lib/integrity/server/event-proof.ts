import type { Scope } from "@/lib/auth/scope";
import { genesisHash } from "@/lib/chain/event-hash";
import { EVENT_PROOF_FORMAT, type EventProof } from "@/lib/chain/event-proof";
import { inTransaction, readPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { getEvent } from "@/lib/events/server/get-event";
import { toBundleEvent } from "./bundle";
import { loadPrune } from "./control-events";
import { proveEvent } from "./proofs";
import { selectRows } from "./sealed-rows";
import { bytes, Snapshot } from "./snapshot";

/**
 * All that shows one event in the signed log.
 * @throws AppError not_found; conflict while no checkpoint covers it, or when what is stored is damaged
 */
export async function readEventProof(scope: Scope, id: string): Promise<EventProof> {
  const { organizationId } = scope;
  const found = await getEvent(scope, id);
  if (!found)
    throw new AppError("not_found", `Event not found: '${id}'.`, { details: { entity_id: id } });
  const { seq } = found;
  const proof = await proveEvent(scope, seq);
  if (!proof)
    throw new AppError(
      "conflict",
      "No checkpoint covers this event yet. One is signed within ten seconds: ask again.",
    );
  return inTransaction(readPool(), async (client) => {
    const snapshot = new Snapshot(client, organizationId);
    await snapshot.prepare();
    const rows = await selectRows(snapshot, seq, seq + 1);
    const [[origin, previous] = []] = await snapshot.query(
      `SELECT origin, (SELECT chain_hash FROM events e WHERE e.organization_id = $1 AND e.seq = $2 - 1)
       FROM log_heads WHERE organization_id = $1`,
      seq,
    );
    const [row] = rows;
    if (!row || !origin) throw new AppError("not_found", `Event not found: '${id}'.`);
    const hash = previous ? bytes(previous) : await startingHash(snapshot, origin, seq);
    return {
      format: EVENT_PROOF_FORMAT,
      origin,
      line: toBundleEvent(organizationId, row),
      previous_hash: hash.toString("hex"),
      proof,
    };
  });
}

/** What the first event of a log, or of what is left of it, was sealed after. */
async function startingHash(snapshot: Snapshot, origin: string, seq: number): Promise<Buffer> {
  if (seq === 0) return genesisHash(origin);
  const prune = await loadPrune(snapshot);
  if (prune?.size === seq) return prune.chainHash;
  throw new AppError(
    "conflict",
    "The event before this one is gone: run a verification, it names the damage.",
  );
}
