import type { Receipt } from "@/lib/chain/bundle";
import { type Checkpoint, openCheckpoint } from "@/lib/chain/checkpoint";
import type { Frontier } from "@/lib/chain/merkle";
import { type NoteKey, noteKey } from "@/lib/chain/note";
import { HASH_BYTES } from "@/lib/chain/sha256";
import type { Epochs } from "./epochs";
import type { FindingList } from "./findings";
import { bytes, type Snapshot } from "./snapshot";

/** What a verification believes without asking the database. */
export interface Trust {
  /** Of the log's signer, raw: the present one, and those before it. */
  publicKeys: readonly Buffer[];
  /** The logs that keys were given for, where they came from outside. */
  origins?: readonly string[];
  /** The origin that the signer signs under, by its own memory. */
  signedOrigin?: string;
  /** The newest size it signed, by its own memory; null for a verifier who has only the key. */
  signedSize: number | null;
  /** The newest size that it knows to be stored; the same where it is not given. */
  storedSize?: number;
  /** Without that memory: as many events without a checkpoint say that one is gone. */
  mostUncovered?: number;
  /** Signed notes that were kept elsewhere; those of other logs are passed over. */
  checkpoints?: readonly string[];
  /** Sentences on what should be kept elsewhere and could not be had. */
  gaps?: readonly string[];
  /** What senders of events were given; those of other logs are passed over. */
  receipts?: readonly Receipt[];
}

/** Twice what the signer lets gather (CUT_AFTER_EVENTS), for a busy log between two looks. */
const MOST_UNCOVERED = 8_192;

/** Of each epoch (Epochs.holding: $2, $3), the checkpoints that its successor does not say to be of lost events. */
export const THAT_HOLD = `JOIN unnest($2::text[], $3::bigint[]) AS e (origin, holds_to)
  ON e.origin = c.origin AND c.tree_size <= e.holds_to`;

/** Read at once: more than a window of the walk can meet. */
const AT_ONCE = 5_000;

const ELSEWHERE = "a checkpoint that was kept elsewhere";

interface StoredCheckpoint {
  origin: string;
  size: number;
  root: Buffer;
  note: string;
}

interface Contradiction {
  size: number;
  /** The first event that no agreement covers. */
  from: number;
  stored: Buffer;
  recomputed: Buffer;
}

/**
 * Compares the tree that rows give with every checkpoint of the log, those of the database and those that
 * were kept elsewhere. A chain that was sealed anew holds in itself; a signed root is what it cannot meet.
 */
export class CheckpointCheck {
  /** The newest checkpoint that the rows meet. */
  lastGood: Checkpoint | null = null;
  /** How many checkpoints the rows met. */
  met = 0;

  readonly #keys: readonly NoteKey[];
  #tree: Frontier | null;
  /** The tree of the hashes as they are stored, from the first on that is not its event's. */
  #storedTree: Frontier | null = null;
  /** Whether a sealed event follows each changed hash: it holds the hash that its event has. */
  #isBound: "yes" | "not yet" | "never" = "yes";
  #next: StoredCheckpoint[] = [];
  /** Every event below this is proven by a signature. */
  #proven: number;
  /** The first checkpoint in the database that the rows do not meet. */
  #rewritten: Contradiction | null = null;
  /** The last size that was read with the rows. */
  #newest: number;
  /** The largest size that a signature in the database vouches for. */
  #signed: number;
  /** Notes by the size that they claim; opened when the rows reach it. */
  readonly #elsewhere = new Map<number, string[]>();
  /** Every event below this is as a checkpoint from elsewhere says. */
  #agreed: number;
  /** The first checkpoint from elsewhere that the rows do not meet. */
  #contradicted: Contradiction | null = null;
  /** The largest size of a checkpoint in the database that the rows meet. */
  #metInDatabase = 0;

  /**
   * @param start the tree at which the walk begins; null where it is not known
   * @param from checkpoints up to this size were met before
   */
  constructor(
    private readonly snapshot: Snapshot,
    private readonly findings: FindingList,
    private readonly epochs: Epochs,
    private readonly trust: Trust | null,
    start: Frontier | null,
    from = 0,
  ) {
    this.#keys = epochs.origins.flatMap((origin) =>
      (trust?.publicKeys ?? []).map((publicKey) => noteKey(origin, publicKey)),
    );
    this.#tree = start;
    this.#newest = from;
    this.#signed = from;
    this.#proven = start?.size ?? 0;
    this.#agreed = this.#proven;
    for (const note of trust?.checkpoints ?? []) {
      const [origin, text] = note.split("\n", 2) as [string, string];
      const epoch = epochs.of(origin);
      if (!epoch) continue;
      const size = Number(text);
      // Of events that were lost before the next epoch began, which says so.
      if (size > epoch.holdsTo && size <= epoch.signedTo) continue;
      this.#elsewhere.set(size, [...(this.#elsewhere.get(size) ?? []), note]);
    }
  }

  /** Reads the checkpoints of sizes from < size ≤ to, which the next leaves may meet. */
  async readAhead(from: number, to: number): Promise<void> {
    if (this.trust && this.#tree) this.#next.push(...(await this.#read(from, to)));
  }

  /**
   * @param size how far the chain is known with this leaf, its last
   * @param stored the hash in the leaf's row
   * @param holds whether the row is what was sealed behind the one before
   */
  add(size: number, leaf: Buffer | null, stored = leaf, holds = true): void {
    if (!this.#tree || size <= this.#tree.size) return;
    if (!leaf || leaf.length !== HASH_BYTES || size !== this.#tree.size + 1) {
      // Leaves are lost: no root from here on can be computed.
      this.#tree = null;
      return;
    }
    if (!stored?.equals(leaf)) {
      this.#storedTree ??= this.#tree.copy();
      if (this.#isBound === "yes") this.#isBound = "not yet";
    } else if (this.#isBound === "not yet") this.#isBound = holds ? "yes" : "never";
    // What is no hash at all was changed after any signature; its event says what it was.
    this.#storedTree?.append(stored?.length === HASH_BYTES ? stored : leaf);
    this.#tree.append(leaf);
    this.#meetAt(size);
  }

  /** Whether the leaves from ≤ seq < to may be added at once: no checkpoint has to be met among them. */
  takesSubtree(from: number, to: number): boolean {
    if (!this.#tree) return true;
    if (this.#tree.size !== from || (this.#next[0]?.size ?? to) < to) return false;
    for (let size = from + 1; size < to && this.#elsewhere.size > 0; size += 1)
      if (this.#elsewhere.has(size)) return false;
    return true;
  }

  /** As `add` for each leaf of a perfect subtree, where `takesSubtree` allows it. */
  addSubtree(from: number, to: number, root: Buffer): void {
    if (!this.#tree) return;
    if (this.#isBound === "not yet") this.#isBound = "yes";
    this.#storedTree?.appendSubtree(root, to - from);
    this.#tree.appendSubtree(root, to - from);
    this.#meetAt(to);
  }

  #meetAt(size: number): void {
    let own: string | null = null;
    while (this.#next[0] && this.#next[0].size <= size) {
      const stored = this.#next.shift() as StoredCheckpoint;
      if (stored.size === size && this.#meet(stored)) own = stored.note;
    }
    for (const note of this.#elsewhere.get(size) ?? []) {
      // The very note whose signature was just checked need not be opened again.
      if (note === own) this.#agreed = size;
      else this.#meetElsewhere(note);
    }
  }

  /** The tree of all leaves so far; null when leaves are lost. */
  get tree(): Frontier | null {
    return this.#tree;
  }

  async finish(nextSeq: number): Promise<void> {
    if (!this.trust) return;
    if (this.#rewritten) this.#tellRewritten(this.#rewritten, "that were signed");
    await this.#finishStored(nextSeq);
    const { signedSize } = this.trust;
    if (signedSize !== null) await this.#finishMemory(this.trust, signedSize, nextSeq);
    else if (nextSeq - this.#signed >= (this.trust.mostUncovered ?? MOST_UNCOVERED))
      this.findings.add({
        kind: "missing_checkpoint",
        seq: this.#signed,
        detail: `${nextSeq - this.#signed} events without checkpoint`,
      });
    await this.#finishElsewhere(nextSeq);
  }

  /** What was signed and lies beyond the rows. */
  async #finishStored(nextSeq: number): Promise<void> {
    for (let from = this.#newest; ; ) {
      const later = await this.#read(from, Number.MAX_SAFE_INTEGER);
      for (const stored of later) {
        const opened = this.#open(stored);
        if (opened && opened.size > nextSeq) this.#truncated(opened.size, nextSeq);
      }
      const last = later.at(-1);
      if (!last) return;
      from = last.size;
    }
  }

  async #finishMemory({ storedSize }: Trust, signedSize: number, nextSeq: number): Promise<void> {
    if (signedSize > nextSeq) return this.#truncated(signedSize, nextSeq);
    const size = storedSize ?? signedSize;
    if (size === 0 || (await this.#stored([size])).length > 0) return;
    this.findings.add({
      kind: "missing_checkpoint",
      seq: this.#signed,
      detail: `the signer signed ${size} events, and that checkpoint is gone`,
    });
  }

  async #finishElsewhere(nextSeq: number): Promise<void> {
    const sizes = [...this.#elsewhere.keys()].sort((left, right) => left - right);
    const last = sizes.at(-1);
    if (last === undefined) return;
    if (last > nextSeq && this.#openElsewhere(last)) this.#truncated(last, nextSeq);
    if (this.#contradicted) this.#contradiction(this.#contradicted);
    const stored = new Set(await this.#stored(sizes));
    const missing = sizes.find((size) => !stored.has(size));
    if (missing !== undefined && this.#openElsewhere(missing))
      this.findings.add({
        kind: "missing_checkpoint",
        seq: missing,
        detail: `a checkpoint of ${missing} events was kept elsewhere, and is not stored here`,
      });
  }

  #contradiction(contradiction: Contradiction): void {
    const { size, from, stored, recomputed } = contradiction;
    if (this.#metInDatabase < size) {
      if (!this.#rewritten)
        this.#tellRewritten(contradiction, "of the checkpoint that was kept elsewhere");
      return;
    }
    this.findings.add({
      kind: "forked_checkpoint",
      seq: from,
      detail: `two histories were signed: the rows meet the checkpoint of ${this.#metInDatabase} events here, and not the one of ${size} that was kept elsewhere`,
      stored: stored.toString("hex"),
      recomputed: recomputed.toString("hex"),
    });
  }

  #tellRewritten({ size, from, stored, recomputed }: Contradiction, which: string): void {
    // The Merkle tiles may have placed it already, to the event.
    if (this.findings.isRewrittenWithin(from, size)) return;
    this.findings.add({
      kind: "history_rewritten",
      seq: from,
      detail: `events ${from} to ${size - 1} are not those ${which}`,
      stored: stored.toString("hex"),
      recomputed: recomputed.toString("hex"),
    });
  }

  /** Which of these sizes have a row. */
  async #stored(sizes: number[]): Promise<number[]> {
    const rows = await this.snapshot.query(
      `SELECT tree_size FROM checkpoints c ${THAT_HOLD} WHERE organization_id = $1 AND tree_size = ANY($4)`,
      ...this.epochs.holding(),
      sizes,
    );
    return rows.map(([size]) => Number(size));
  }

  async #read(above: number, to: number): Promise<StoredCheckpoint[]> {
    const rows = await this.snapshot.query(
      `SELECT c.origin, tree_size, root, note FROM checkpoints c ${THAT_HOLD}
       WHERE organization_id = $1 AND tree_size > $4 AND tree_size <= $5
       ORDER BY tree_size LIMIT ${AT_ONCE}`,
      ...this.epochs.holding(),
      above,
      to,
    );
    return rows.map(([origin, size, root, note]) => ({
      origin: origin as string,
      size: Number(size),
      root: bytes(root as string),
      note: note as string,
    }));
  }

  /** Whether the rows meet it. */
  #meet(stored: StoredCheckpoint): boolean {
    this.#newest = stored.size;
    const opened = this.#open(stored);
    if (!opened || !this.#tree || this.#rewritten) return false;
    const isMet = this.#isMet(opened);
    if (isMet || this.#isMetAsStored(opened)) {
      this.#metInDatabase = opened.size;
      return isMet;
    }
    this.#rewritten = {
      size: stored.size,
      from: this.#proven,
      stored: opened.root,
      recomputed: this.#tree.root(),
    };
    return false;
  }

  #openElsewhere(size: number): Checkpoint | null {
    const [note] = this.#elsewhere.get(size) ?? [];
    return note ? this.#openNote(note, null, ELSEWHERE) : null;
  }

  #meetElsewhere(note: string): void {
    if (!this.#tree || this.#contradicted) return;
    const known = this.#openNote(note, null, ELSEWHERE);
    if (!known) return;
    if (this.#isMet(known) || this.#isMetAsStored(known)) this.#agreed = known.size;
    else
      this.#contradicted = {
        size: known.size,
        from: this.#agreed,
        stored: known.root,
        recomputed: this.#tree.root(),
      };
  }

  #isMet(checkpoint: Checkpoint): boolean {
    if (!this.#tree?.root().equals(checkpoint.root)) return false;
    this.#proven = checkpoint.size;
    this.met += 1;
    if (!this.#contradicted) this.lastGood = checkpoint;
    return true;
  }

  /**
   * Whether hashes were changed before they were signed: the signature then covers the rows as they stand, and
   * the changed hashes, which the walk has named, are all that is wrong. What was sealed behind them vouches for
   * their events.
   */
  #isMetAsStored({ size, root }: Checkpoint): boolean {
    if (this.#isBound !== "yes" || !this.#storedTree?.root().equals(root)) return false;
    this.#proven = size;
    return true;
  }

  /** The checkpoint that the note proves, where its row says the same. */
  #open({ origin, size, root, note }: StoredCheckpoint): Checkpoint | null {
    const opened = this.#openNote(note, size, `the checkpoint of ${size} events`, origin);
    if (!opened) return null;
    if (opened.size === size && opened.root.equals(root)) {
      this.#signed = Math.max(this.#signed, size);
      return opened;
    }
    this.findings.add({
      kind: "checkpoint_row_mismatch",
      seq: size,
      detail: `the row says ${size} events, its note ${opened.size}, or another root`,
    });
    return null;
  }

  #openNote(
    note: string,
    seq: number | null,
    what: string,
    origin = note.split("\n", 1)[0] as string,
  ): Checkpoint | null {
    try {
      return openCheckpoint(note, origin, this.#keys);
    } catch (error) {
      const detail = `${what}: ${(error as Error).message}`;
      this.findings.add({ kind: "bad_signature", seq, detail });
      return null;
    }
  }

  #truncated(signed: number, nextSeq: number): void {
    const detail = `${signed} events were signed, the log head says ${nextSeq}`;
    this.findings.add({ kind: "truncated_tail", seq: nextSeq, detail });
  }
}
