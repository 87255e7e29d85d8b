import { type Checkpoint, openCheckpoint } from "@/lib/chain/checkpoint";
import type { Frontier } from "@/lib/chain/merkle";
import { type NoteKey, noteKey } from "@/lib/chain/note";
import type { FindingList } from "./findings";
import { bytes, type Snapshot } from "./snapshot";

/** What a verification believes without asking the database. */
export interface SignerTrust {
  /** Of the signer, raw. */
  publicKey: Buffer;
  /** The newest size it signed, by its own memory. */
  signedSize: number;
}

interface StoredCheckpoint {
  size: number;
  root: Buffer;
  note: string;
}

/**
 * Compares the tree that rows give with every checkpoint of the log. A chain that was sealed anew holds in
 * itself; a signed root is what it cannot meet.
 */
export class CheckpointCheck {
  readonly #key: NoteKey | null;
  #tree: Frontier | null;
  #next: StoredCheckpoint[] = [];
  /** Every event below this is proven by a signature. */
  #proven: number;
  #isRewritten = false;
  #newest = 0;

  /** @param start the tree at which the walk begins; null where it is not known */
  constructor(
    private readonly snapshot: Snapshot,
    private readonly findings: FindingList,
    private readonly origin: string,
    private readonly trust: SignerTrust | null,
    start: Frontier | null,
  ) {
    this.#key = trust && noteKey(origin, trust.publicKey);
    this.#tree = trust && start;
    this.#proven = start?.size ?? 0;
  }

  /** Reads the checkpoints of sizes from < size ≤ to, which the next leaves may meet. */
  async readAhead(from: number, to: number): Promise<void> {
    if (this.#tree) this.#next.push(...(await this.#read(from, to)));
  }

  /** @param size how far the chain is known with this leaf, its last */
  add(size: number, leaf: Buffer | null): void {
    if (!this.#tree || size <= this.#tree.size) return;
    if (!leaf || size !== this.#tree.size + 1) {
      // Leaves are lost: no root from here on can be computed.
      this.#tree = null;
      return;
    }
    this.#tree.append(leaf);
    while (this.#next[0] && this.#next[0].size <= size) {
      const stored = this.#next.shift() as StoredCheckpoint;
      if (stored.size === size) this.#meet(stored);
    }
  }

  async finish(nextSeq: number): Promise<void> {
    if (!this.trust) return;
    for (let from = this.#newest; ; ) {
      const later = await this.#read(from, Number.MAX_SAFE_INTEGER);
      for (const stored of later) {
        const opened = this.#open(stored);
        if (opened && opened.size > nextSeq) this.#truncated(opened.size, nextSeq);
      }
      const last = later.at(-1);
      if (!last) break;
      from = last.size;
    }
    const { signedSize } = this.trust;
    const [kept] = await this.snapshot.query(
      "SELECT 1 FROM checkpoints WHERE organization_id = $1 AND origin = $2 AND tree_size = $3",
      this.origin,
      signedSize,
    );
    if (kept) return;
    if (signedSize > nextSeq) this.#truncated(signedSize, nextSeq);
    else
      this.findings.add({
        kind: "missing_checkpoint",
        seq: signedSize - 1,
        detail: `the signer signed ${signedSize} events, and that checkpoint is gone`,
      });
  }

  async #read(above: number, to: number): Promise<StoredCheckpoint[]> {
    const rows = await this.snapshot.query(
      `SELECT tree_size, root, note FROM checkpoints
       WHERE organization_id = $1 AND origin = $2 AND tree_size > $3 AND tree_size <= $4
       ORDER BY tree_size LIMIT 2000`,
      this.origin,
      above,
      to,
    );
    return rows.map(([size, root, note]) => ({
      size: Number(size),
      root: bytes(root as string),
      note: note as string,
    }));
  }

  #meet(stored: StoredCheckpoint): void {
    this.#newest = stored.size;
    const opened = this.#open(stored);
    if (!opened || !this.#tree || this.#isRewritten) return;
    if (opened.root.equals(this.#tree.root())) {
      this.#proven = stored.size;
      return;
    }
    this.#isRewritten = true;
    this.findings.add({
      kind: "history_rewritten",
      seq: this.#proven,
      detail: `events ${this.#proven} to ${stored.size - 1} are not those that were signed`,
      stored: opened.root.toString("hex"),
      recomputed: this.#tree.root().toString("hex"),
    });
  }

  /** The checkpoint that the note proves, where its row says the same. */
  #open({ size, root, note }: StoredCheckpoint): Checkpoint | null {
    let opened: Checkpoint;
    try {
      opened = openCheckpoint(note, this.origin, this.#key ? [this.#key] : []);
    } catch (error) {
      this.findings.add({
        kind: "bad_signature",
        seq: size - 1,
        detail: `checkpoint of ${size} events: ${(error as Error).message}`,
      });
      return null;
    }
    if (opened.size === size && opened.root.equals(root)) return opened;
    this.findings.add({
      kind: "checkpoint_row_mismatch",
      seq: size - 1,
      detail: `the row says ${size} events, its note ${opened.size}, or another root`,
    });
    return null;
  }

  #truncated(signed: number, nextSeq: number): void {
    const detail = `${signed} events were signed, the log head says ${nextSeq}`;
    this.findings.add({ kind: "truncated_tail", seq: nextSeq, detail });
  }
}
