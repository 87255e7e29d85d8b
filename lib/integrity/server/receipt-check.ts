import type { Receipt } from "@/lib/chain/bundle";
import { HASH_BYTES } from "@/lib/chain/sha256";
import type { Epochs } from "./epochs";
import type { FindingList } from "./findings";

/** Holds the rows against what senders of events were given for them. */
export class ReceiptCheck {
  /** How many were compared. */
  met = 0;
  readonly #open = new Map<number, Receipt[]>();
  /** Of events that an earlier epoch lost. */
  readonly #lost: Receipt[] = [];

  constructor(
    private readonly findings: FindingList,
    epochs: Epochs,
    receipts: readonly Receipt[],
  ) {
    for (const receipt of receipts) {
      if (!epochs.of(receipt.origin)) continue;
      if (epochs.originAt(receipt.seq) !== receipt.origin) {
        this.#lost.push(receipt);
        continue;
      }
      this.#open.set(receipt.seq, [...(this.#open.get(receipt.seq) ?? []), receipt]);
    }
  }

  add(seq: number, chainHash: Buffer): void {
    if (this.#open.size === 0) return;
    for (const receipt of this.#open.get(seq) ?? []) {
      this.met += 1;
      if (receipt.chain_hash === chainHash.toString("hex")) continue;
      this.findings.add({
        kind: "receipt_mismatch",
        seq,
        detail: "another event was acknowledged under this number",
        stored: chainHash.toString("hex"),
        recomputed: receipt.chain_hash,
      });
    }
    this.#open.delete(seq);
  }

  /** @param leaves chain hashes of from ≤ seq, one after another */
  addAll(from: number, leaves: Buffer): void {
    for (let at = 0; at < leaves.length && this.#open.size > 0; at += HASH_BYTES)
      this.add(from + at / HASH_BYTES, leaves.subarray(at, at + HASH_BYTES));
  }

  /** After the last row. @returns receipts of events that were pruned, which nothing is left to compare with */
  finish(firstSeq: number): number {
    for (const { seq, origin } of this.#lost)
      this.findings.add({
        kind: "receipt_missing",
        seq,
        detail: `an event that was acknowledged as #${seq} of ${origin} was lost before the next epoch began`,
      });
    let pruned = 0;
    for (const seq of this.#open.keys()) {
      if (seq < firstSeq) pruned += 1;
      else
        this.findings.add({
          kind: "receipt_missing",
          seq,
          detail: "an event that was acknowledged is gone",
        });
    }
    return pruned;
  }
}
