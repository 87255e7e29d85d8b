import type { Receipt } from "@/lib/chain/bundle";
import type { FindingList } from "./findings";

/** Holds the rows against what senders of events were given for them. */
export class ReceiptCheck {
  /** How many were compared. */
  met = 0;
  readonly #open = new Map<number, Receipt[]>();

  constructor(
    private readonly findings: FindingList,
    origin: string,
    receipts: readonly Receipt[],
  ) {
    for (const receipt of receipts) {
      if (receipt.origin !== origin) continue;
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

  /** After the last row. @returns receipts of events that were pruned, which nothing is left to compare with */
  finish(firstSeq: number): number {
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
