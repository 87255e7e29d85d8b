import type { Scope } from "@/lib/auth/scope";
import {
  BUNDLE_FORMAT,
  type BundleEpoch,
  type BundleEvent,
  type BundleLine,
} from "@/lib/chain/bundle";
import { inTransaction, longPool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { THAT_HOLD } from "./checkpoint-check";
import { loadPrune } from "./control-events";
import { Epochs } from "./epochs";
import { loadHead } from "./log-head";
import { sealRow, selectRows } from "./sealed-rows";
import { bytes, type RawRow, Snapshot } from "./snapshot";

const WINDOW = 1_000;

/** A row of `selectRows` as a bundle has it. */
export function toBundleEvent(organizationId: string, raw: RawRow): BundleEvent {
  const { seq, recordedAt, stored, content, erased } = sealRow(organizationId, raw);
  const present = Object.entries(content).filter(([, value]) => value !== null);
  return {
    seq,
    recorded_at: recordedAt,
    event: Object.fromEntries(present) as unknown as BundleEvent["event"],
    salts: bytes(raw[10] as string).toString("hex"),
    ...(erased ? { erased } : {}),
    chain_hash: stored.toString("hex"),
  };
}

const headerEpochs = ({ list }: Epochs): BundleEpoch[] =>
  list.map(({ number, startSeq, origin }, at) => {
    const previous = list[at - 1];
    return {
      epoch: number,
      start_seq: startSeq,
      origin,
      ...(previous ? { last_good_size: previous.holdsTo, signed_size: previous.signedTo } : {}),
    };
  });

/**
 * Writes a log in the format of lib/chain/bundle, as it stands in one snapshot. Damaged rows are written as
 * they are: whoever checks the bundle judges them.
 * @param write takes one line without its line feed
 * @throws AppError not_found for an organization without a log
 */
export async function writeBundle(
  scope: Scope,
  write: (line: string) => Promise<void>,
): Promise<{ events: number; checkpoints: number }> {
  const { organizationId } = scope;
  const put = (line: BundleLine) => write(JSON.stringify(line));
  return inTransaction(
    longPool(),
    async (client) => {
      const snapshot = new Snapshot(client, organizationId);
      await snapshot.prepare();
      const head = await loadHead(snapshot);
      if (!head) throw new AppError("not_found", `There is no log of '${organizationId}'.`);
      const { origin, nextSeq } = head;
      const epochs = await Epochs.load(snapshot, head);
      const prune = await loadPrune(snapshot);
      const written = { events: 0, checkpoints: 0 };
      await put({
        format: BUNDLE_FORMAT,
        origin,
        organization_id: organizationId,
        first_seq: prune?.size ?? 0,
        next_seq: nextSeq,
        ...(epochs.list.length > 1 ? { epochs: headerEpochs(epochs) } : {}),
      });
      if (prune)
        await put({
          prune: {
            size: prune.size,
            chain_hash: prune.chainHash.toString("hex"),
            frontier: prune.frontier.map((hash) => hash.toString("hex")),
            event_seq: prune.eventSeq,
          },
        });
      for (let from = prune?.size ?? 0; from < nextSeq; from += WINDOW) {
        const to = Math.min(from + WINDOW, nextSeq);
        const rows = await selectRows(snapshot, from, to);
        const notes = await snapshot.query(
          `SELECT tree_size, note FROM checkpoints c ${THAT_HOLD} WHERE organization_id = $1
             AND tree_size > $4 AND tree_size <= $5 ORDER BY tree_size`,
          ...epochs.holding(),
          from,
          to,
        );
        const writeNotes = async (size: number) => {
          while (notes[0] && Number(notes[0][0]) <= size) {
            await put({ checkpoint: notes.shift()?.[1] as string });
            written.checkpoints += 1;
          }
        };
        for (const raw of rows) {
          const line = toBundleEvent(organizationId, raw);
          await writeNotes(line.seq);
          await put(line);
          written.events += 1;
        }
        await writeNotes(to);
      }
      await put({ end: written });
      return written;
    },
    "ISOLATION LEVEL REPEATABLE READ READ ONLY",
  );
}
