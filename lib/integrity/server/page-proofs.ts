import type { Scope } from "@/lib/auth/scope";
import { genesisHash } from "@/lib/chain/event-hash";
import { EVENT_PROOF_FORMAT, type EventProof } from "@/lib/chain/event-proof";
import { inclusionRanges } from "@/lib/chain/merkle";
import { formatTlogProof } from "@/lib/chain/tlog-proof";
import { inTransaction, readPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { seenSeqs } from "@/lib/events/server/get-event";
import type { ProofBatch } from "../proof-page/checked";
import { toBundleEvent } from "./bundle";
import { Epochs } from "./epochs";
import { demandWholeEvents } from "./event-proof";
import { loadHead } from "./log-head";
import { listCheckpoints, TreeReader } from "./proofs";
import { selectRowsAt } from "./sealed-rows";
import { vkeysOf } from "./signer";
import { Snapshot } from "./snapshot";

/**
 * Proofs of the events on a page, all to the newest checkpoint, for the browser to check. Nothing is judged
 * here: an event that was changed is given out as it stands.
 * @param asked numbers of at most a page's events; of those that the reader does not see nothing is said
 * @throws AppError not_found for an organization without a log, forbidden where fields are hidden
 */
export async function readPageProofs(scope: Scope, asked: number[]): Promise<ProofBatch> {
  demandWholeEvents(scope);
  const seqs = await seenSeqs(scope, asked);
  const { organizationId } = scope;
  const [vkeys, [newest]] = await Promise.all([
    vkeysOf(scope),
    listCheckpoints(scope, { limit: 1 }),
  ]);
  const size = newest?.size ?? 0;
  const batch: ProofBatch = { vkeys, proofs: [], pending: [], broken: [] };
  const covered = seqs.filter((seq) => seq < size);
  batch.pending = seqs.filter((seq) => seq >= size);
  if (!newest || covered.length === 0) return batch;
  const { rows, epochs } = await inTransaction(
    readPool(),
    async (client) => {
      const snapshot = new Snapshot(client, organizationId);
      await snapshot.prepare();
      const head = await loadHead(snapshot);
      if (!head) throw new AppError("not_found", `There is no log of '${organizationId}'.`);
      return {
        rows: await selectRowsAt(snapshot, covered),
        epochs: await Epochs.load(snapshot, head),
      };
    },
    "ISOLATION LEVEL REPEATABLE READ READ ONLY",
  );
  const tree = new TreeReader(scope);
  const lines = new Map(
    rows.map((row) => [Number(row[0]), toBundleEvent(organizationId, row)] as const),
  );
  for (const seq of covered) {
    const line = lines.get(seq);
    // Gone since the page was read: erased with its log's beginning, or damage; not for this to say.
    if (!line) continue;
    try {
      const previous =
        seq === 0 ? genesisHash(epochs.originAt(0)) : ((await tree.leaf(seq - 1)) as Buffer);
      const hashes = await tree.rangeRoots(inclusionRanges(seq, size));
      const proof: EventProof = {
        format: EVENT_PROOF_FORMAT,
        origin: epochs.originAt(seq),
        line,
        previous_hash: previous.toString("hex"),
        proof: formatTlogProof({ index: seq, hashes, note: newest.note }),
      };
      batch.proofs.push(proof);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      batch.broken.push(seq);
    }
  }
  return batch;
}
