import type { Scope } from "@/lib/auth/scope";
import { EVENT_PROOF_FORMAT, type EventProof, verifyEventProof } from "@/lib/chain/event-proof";
import { parseVkey } from "@/lib/chain/note";
import { inTransaction, readPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { getEvent } from "@/lib/events/server/get-event";
import { toBundleEvent } from "./bundle";
import { proveEvent } from "./proofs";
import { selectRow } from "./sealed-rows";
import { vkeysOf } from "./signer";
import { Snapshot } from "./snapshot";

/** A proof holds all of its event. @throws AppError forbidden where fields are hidden from the reader */
export function demandWholeEvents({ sight }: Scope): void {
  if (sight && sight.hidden.size > 0)
    throw new AppError(
      "forbidden",
      "Fields are hidden for you, so the event's hash cannot be recomputed here.",
    );
}

/**
 * All that shows one event in the signed log.
 * @param size of the checkpoint to lead to; by default the first that covers it
 * @throws AppError not_found; forbidden where fields are hidden from the reader; conflict while no checkpoint covers it, or when what is stored is damaged
 */
export async function readEventProof(scope: Scope, id: string, size?: number): Promise<EventProof> {
  const { organizationId } = scope;
  const found = await getEvent(scope, id);
  if (!found)
    throw new AppError("not_found", `Event not found: '${id}'.`, { details: { entity_id: id } });
  demandWholeEvents(scope);
  const { seq } = found;
  const proof = await proveEvent(scope, seq, size);
  if (!proof)
    throw new AppError(
      "conflict",
      "No checkpoint covers this event yet. One is signed within ten seconds: ask again.",
    );
  if (!found.previousHash)
    throw new AppError(
      "conflict",
      "The event before this one is gone: run a verification, it names the damage.",
    );
  return inTransaction(readPool(), async (client) => {
    const snapshot = new Snapshot(client, organizationId);
    await snapshot.prepare();
    const row = await selectRow(snapshot, seq, found.recordedAt);
    const [[origin] = []] = await snapshot.query(
      `SELECT coalesce((SELECT e.origin FROM log_epochs e WHERE e.organization_id = $1 AND e.start_seq <= $2
         ORDER BY e.epoch DESC LIMIT 1), h.origin) FROM log_heads h WHERE h.organization_id = $1`,
      seq,
    );
    if (!row || !origin) throw new AppError("not_found", `Event not found: '${id}'.`);
    return {
      format: EVENT_PROOF_FORMAT,
      origin,
      line: toBundleEvent(organizationId, row),
      previous_hash: found.previousHash as string,
      proof,
    };
  });
}

/** The key of this log that a proof's checkpoint is signed with: an old one, where the key was changed since. */
export async function vkeyOfProof(scope: Scope, proof: EventProof): Promise<string> {
  const vkeys = await vkeysOf(scope);
  const own = vkeys.find((vkey) => verifyEventProof(proof, [parseVkey(vkey)]).ok);
  return own ?? (vkeys[0] as string);
}
