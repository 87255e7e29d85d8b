import { setImmediate } from "node:timers/promises";
import type { Checkpoint } from "@/lib/chain/checkpoint";
import { genesisHash } from "@/lib/chain/event-hash";
import { Frontier } from "@/lib/chain/merkle";
import { HASH_BYTES } from "@/lib/chain/sha256";
import {
  type ChainBreak,
  type ChainState,
  classifyBreak,
  LOOK_AHEAD,
  LOOK_BEHIND,
  rowHolds,
} from "../classify";
import { addLeaves } from "./add-leaves";
import { CheckpointCheck, type Trust } from "./checkpoint-check";
import { ControlEvents, frontierOf, loadPrune, type Prune } from "./control-events";
import { Epochs } from "./epochs";
import { FindingList } from "./findings";
import { type Bounds, findFarRow, type Head, loadHead, otherOrigin, readBounds } from "./log-head";
import { notCovered } from "./not-covered";
import type { PlainWindow } from "./plain-window";
import { wrongProjection } from "./projections";
import { ReceiptCheck } from "./receipt-check";
import { checkRollups } from "./rollup-check";
import { type SealedRow, sealedRows, sealRow, selectRows } from "./sealed-rows";
import type { SignedTree } from "./signer-memory";
import type { RawRow, Snapshot } from "./snapshot";
import { TargetCheck } from "./target-check";
import { TileCheck } from "./tile-check";
import { checkUnfinishedPruning } from "./unfinished-pruning";
import { openWindows, WINDOW, type Windows } from "./window-threads";

const ROWS_BETWEEN_READS = 64;
/** Breaks that are looked at closely; beyond them only the kind is guessed. */
const MAX_CLASSIFIED = 32;
const MAX_TRIES_PER_ROW = 4;

/** One walk along a log: every row once, in order, each compared with everything that speaks of it. */
export class LogWalk {
  readonly findings = new FindingList();
  checked = 0;
  total = 0;
  firstSeq = 0;
  lastSeq: number | null = null;
  nextSeq = 0;
  lastGood: Checkpoint | null = null;
  evidence = { checkpoints: 0, receipts: 0 };
  /** What the walk could not say, in sentences. */
  notCovered: string[] = [];

  #head!: Head;
  #epochs!: Epochs;
  #state!: ChainState;
  #tiles!: TileCheck;
  /** Null where earlier events were verified before. */
  #targets: TargetCheck | null = null;
  /** Events below this are counted in the rollups. */
  #rolledUpTo = 0;
  /** Where the log begins by its head. */
  #prunedTo = 0;
  #control!: ControlEvents;
  #checkpoints!: CheckpointCheck;
  #receipts!: ReceiptCheck;
  #classified = 0;
  /** Events that are pruned and still there. */
  #unfinished = 0;
  /** Of the last row that held. */
  #lastRecordedAt = "";
  /** Rows at numbers that the head has not given out. */
  #beyond: { from: number; count: number } | null = null;
  #lastRow: { recordedAt: string; verified: boolean } | null = null;

  constructor(
    private readonly snapshot: Snapshot,
    private readonly trust: Trust | null,
    private readonly signal?: AbortSignal,
    /** What was verified before: the walk begins there, and reads nothing that came earlier. */
    private readonly since?: SignedTree,
    /** Takes no window in at a stretch. */
    private readonly isRowByRow = false,
  ) {}

  async run(): Promise<void> {
    await this.snapshot.prepare();
    const head = await loadHead(this.snapshot);
    if (!head) {
      const detail = "no head row for organization";
      this.findings.add({ kind: "missing_log", seq: 0, detail });
      return;
    }
    this.#head = head;
    this.nextSeq = head.nextSeq;
    const prune = await loadPrune(this.snapshot);
    this.firstSeq = this.since?.tree.size ?? prune?.size ?? 0;
    this.total = Math.max(0, head.nextSeq - this.firstSeq);
    const bounds = await readBounds(this.snapshot, this.since?.tree.size);
    this.#epochs = await Epochs.load(this.snapshot, head);
    const other = await otherOrigin(this.snapshot, this.#epochs, this.trust, bounds);
    if (other) {
      this.findings.add({ kind: "wrong_origin", seq: 0, detail: other });
      return;
    }
    await this.#open(prune);
    const far = await findFarRow(this.snapshot);
    if (far) this.findings.add(far);
    if (bounds) await this.#walk(bounds);
    await this.#finish();
  }

  /** Whether earlier events were verified before. */
  get isSince(): boolean {
    return this.since !== undefined;
  }

  /** Where the next walk may begin, after one that found nothing. */
  get state(): SignedTree | null {
    const { tree } = this.#checkpoints;
    const head = tree && tree.size > 0 ? this.#state.previous : null;
    return head && tree ? { origin: this.#head.origin, tree, head } : null;
  }

  async #open(prune: Prune | null): Promise<void> {
    const rows = await this.snapshot.query(
      "SELECT name, next_seq FROM followers WHERE organization_id = $1",
    );
    const followed = new Map(rows.map(([name, next]) => [name, Number(next)]));
    const tilesTo = followed.get("tiles") ?? 0;
    const rollupsTo = followed.get("rollups") ?? 0;
    const { snapshot, findings } = this;
    this.#tiles = new TileCheck(snapshot, findings, tilesTo);
    this.#rolledUpTo = rollupsTo;
    // A pruning whose event was verified before is not judged again.
    const judged = prune && prune.eventSeq >= (this.since?.tree.size ?? 0) ? prune : null;
    this.#control = new ControlEvents(findings, judged);
    this.#prunedTo = judged || !this.since ? this.#head.firstSeq : 0;
    if (!this.since) this.#targets = new TargetCheck(snapshot, findings);
    const start = this.since ? this.since.tree.copy() : prune ? frontierOf(prune) : new Frontier();
    this.#checkpoints = new CheckpointCheck(
      snapshot,
      findings,
      this.#epochs,
      this.trust,
      start,
      this.since?.tree.size,
    );
    this.#receipts = new ReceiptCheck(findings, this.#epochs, this.trust?.receipts ?? []);
    await this.#targets?.open();
    this.#state = {
      position: this.firstSeq,
      offset: 0,
      previous: this.since?.head ?? prune?.chainHash ?? genesisHash(this.#epochs.originAt(0)),
    };
    const followedTo = Math.max(tilesTo, rollupsTo, this.since?.tree.size ?? 0);
    if (followedTo > this.nextSeq) {
      findings.add({
        kind: "truncated_tail",
        seq: this.nextSeq,
        detail: `${followedTo} events were seen before, the log head says ${this.nextSeq}`,
      });
    }
  }

  async #walk({ min, max }: Bounds): Promise<void> {
    if (min < this.firstSeq) {
      this.#unfinished = await checkUnfinishedPruning(
        { min, firstSeq: this.firstSeq, chainHash: this.#state.previous },
        {
          ...{ snapshot: this.snapshot, findings: this.findings, signal: this.signal },
          ...{ epochs: this.#epochs, tiles: this.#tiles },
          ...{ targets: this.#targets, control: this.#control },
        },
      );
    }
    const { snapshot } = this;
    const windows = this.isRowByRow
      ? null
      : await openWindows(snapshot, this.#epochs.list, max - min + 1);
    try {
      await this.#walkFrom(Math.max(min, this.firstSeq), max, windows);
    } finally {
      await windows?.close();
    }
  }

  async #walkFrom(first: number, max: number, windows: Windows | null): Promise<void> {
    const window = windows?.window ?? WINDOW;
    let start = first;
    let reading = this.#read(start, windows, max);
    while (start <= max) {
      this.signal?.throwIfAborted();
      const plain = await reading;
      const end = start + window;
      const isAccepted = plain !== null && this.#acceptPlain(plain);
      const rows = isAccepted ? [] : await selectRows(this.snapshot, start, end);
      let next = end;
      if (!isAccepted && rows.length === 0) next = (await this.#seqFrom(end)) ?? max + 1;
      // The next window is read while this one is looked at.
      reading = next <= max ? this.#read(next, windows, max) : Promise.resolve(null);
      reading.catch(() => undefined);
      await this.#checkWindow(rows);
      this.#targets?.reportOrphans(end);
      await this.#tiles.check(this.#state.position + this.#state.offset);
      start = next;
    }
  }

  /** Has a window checked, and reads what it is held against; null when it is not plain. */
  async #read(from: number, windows: Windows | null, max: number): Promise<PlainWindow | null> {
    const window = windows?.window ?? WINDOW;
    const to = from + window;
    // Renumbered rows are never plain.
    const width = this.#state.offset === 0 ? (windows?.width ?? 0) : 0;
    for (let ahead = 0; ahead < width; ahead += 1) {
      const start = from + ahead * window;
      if (start > max) break;
      const previous = start === this.firstSeq ? this.#state.previous : null;
      windows?.ask({ from: start, to: Math.min(start + window, max + 1), previous });
    }
    const plain = windows?.take(from);
    plain?.catch(() => undefined);
    await this.#targets?.readTo(to);
    await this.#tiles.readAhead(from, to);
    await this.#checkpoints.readAhead(from, to);
    return (await plain) ?? null;
  }

  async #seqFrom(seq: number): Promise<number | null> {
    const [row] = await this.snapshot.query(
      "SELECT min(seq) FROM events WHERE organization_id = $1 AND seq >= $2",
      seq,
    );
    return row?.[0] ? Number(row[0]) : null;
  }

  /** Takes a window in at a stretch, if it goes on where the walk stands and all that speaks of it agrees. */
  #acceptPlain(plain: PlainWindow): boolean {
    const { position, offset, previous } = this.#state;
    const { from, to, hashes } = plain;
    const fits =
      from === position &&
      offset === 0 &&
      to <= this.nextSeq &&
      previous?.equals(plain.previous) &&
      plain.firstRecordedAt >= this.#lastRecordedAt;
    if (!fits || !previous || this.#targets?.passIf(plain.targets, to) === false) return false;
    const leaves = Buffer.from(hashes.buffer);
    addLeaves(from, leaves, this.#tiles, this.#checkpoints);
    this.#receipts.addAll(from, leaves);
    // A copy: the window's memory is let go.
    this.#state = { position: to, offset, previous: Buffer.from(leaves.subarray(-HASH_BYTES)) };
    this.#lastRecordedAt = plain.lastRecordedAt;
    this.#lastRow = { recordedAt: plain.lastRecordedAt, verified: true };
    this.checked += to - from;
    this.lastSeq = to - 1;
    return true;
  }

  async #checkWindow(rows: RawRow[]): Promise<void> {
    for (let at = 0; at < rows.length; at += 1) {
      const raw = rows[at] as RawRow;
      // The window under way is taken in meanwhile: the server writes on only as its socket is read.
      if (at % ROWS_BETWEEN_READS === 0) await setImmediate();
      // One row at a time: what outlives a row costs more to collect than to compute.
      const row = sealRow(this.snapshot.organizationId, raw);
      const twin = rows[at - 1]?.[0] === raw[0] || rows[at + 1]?.[0] === raw[0];
      const verified = this.#holds(row, twin) || (await this.#follow(row, twin));
      if (verified) this.#accept(row);
      const { position, offset, previous } = this.#state;
      this.#checkpoints.add(position + offset, previous, row.stored, verified);
      this.checked += 1;
      this.lastSeq = row.seq;
      if (row.seq >= this.nextSeq) {
        this.#beyond ??= { from: row.seq, count: 0 };
        this.#beyond.count += 1;
      }
      this.#lastRow = { recordedAt: row.recordedAt, verified };
      this.#receipts.add(row.seq, row.stored);
      this.#control.add(row, verified);
      const column = wrongProjection(row);
      if (column) {
        const detail = `${column} column differs from the sealed event`;
        this.findings.add({ kind: "projection_mismatch", seq: row.seq, detail });
      }
      if (twin) this.#targets?.skip(row.seq);
      else this.#targets?.compare(row);
    }
  }

  #holds(row: SealedRow, twin: boolean): boolean {
    const { position, offset, previous } = this.#state;
    if (twin || row.seq !== position || !previous) return false;
    return rowHolds(this.#epochs.originAt, row, row.seq + offset, previous);
  }

  #accept(row: SealedRow): void {
    const { position, offset } = this.#state;
    this.#tiles.add(position + offset, row.stored);
    this.#state = { position: position + 1, offset, previous: row.stored };
    if (row.recordedAt < this.#lastRecordedAt) {
      const detail = "recorded before its predecessor";
      this.findings.add({ kind: "reordered", seq: row.seq, detail });
    }
    this.#lastRecordedAt = row.recordedAt;
  }

  /** Names the break at a row and moves on behind it; true when the row then holds after all. */
  async #follow(row: SealedRow, twin: boolean): Promise<boolean> {
    for (let tries = 0; row.seq >= this.#state.position; tries += 1) {
      if (this.#holds(row, twin)) return true;
      const { position, offset, previous } = this.#state;
      if (row.seq === position && !previous && !twin) {
        // What came before is lost: the row is taken at its word.
        this.#state = { position: position + 1, offset, previous: row.stored };
        return false;
      }
      const broken =
        tries < MAX_TRIES_PER_ROW && this.#classified < MAX_CLASSIFIED
          ? await this.#classify(row)
          : this.#guess(row);
      // Whatever else it looks like, a row that was never numbered was put there.
      if (row.seq >= this.nextSeq && broken.finding.kind !== "inserted_row") return false;
      this.findings.add(broken.finding);
      this.#state = broken.next;
    }
    return false;
  }

  async #classify(row: SealedRow): Promise<ChainBreak> {
    this.#classified += 1;
    const { position, offset } = this.#state;
    const rows = await sealedRows(this.snapshot, position - LOOK_BEHIND, row.seq + LOOK_AHEAD);
    const looked = [position - LOOK_BEHIND, position, row.seq - 1, row.seq];
    const sealedAs = looked.map((seq) => seq + offset);
    return classifyBreak({
      originAt: this.#epochs.originAt,
      state: this.#state,
      rows,
      tileLeaf: await this.#tiles.lookUp(sealedAs),
      headHash: this.#head.hash,
    });
  }

  #guess(row: SealedRow): ChainBreak {
    const { position, offset } = this.#state;
    const kind = row.seq > position ? "deleted_row" : "edited_content";
    return {
      finding: { kind, seq: Math.min(position, row.seq), detail: "one of many breaks" },
      next: { position: row.seq + 1, offset, previous: row.stored },
    };
  }

  async #finish(): Promise<void> {
    this.#checkHead();
    await this.#tiles.finish(this.firstSeq);
    if (this.#targets) {
      await this.#targets.finish();
      await checkRollups(this.snapshot, this.findings, this.#rolledUpTo, this.firstSeq > 0);
    }
    await this.#checkpoints.finish(this.nextSeq);
    const prunedReceipts = this.#receipts.finish(this.firstSeq);
    this.evidence = { checkpoints: this.#checkpoints.met, receipts: this.#receipts.met };
    this.lastGood = this.#checkpoints.lastGood;
    const { trust, firstSeq, nextSeq, isSince } = this;
    this.notCovered = notCovered({
      ...{ trust, firstSeq, nextSeq, isSince, prunedReceipts, unfinished: this.#unfinished },
      signedTo: this.lastGood?.size ?? 0,
      losses: this.#epochs.losses(),
    });
    this.#control.finish(this.#prunedTo);
  }

  #checkHead(): void {
    const { nextSeq, hash, lastRecordedAt } = this.#head;
    const { position, previous } = this.#state;
    if (this.#beyond) {
      const { from, count } = this.#beyond;
      const detail = `${count} row(s) beyond the log head, which says ${nextSeq} events`;
      this.findings.add({ kind: "inserted_row", seq: from, detail });
    }
    if (position < nextSeq) {
      const detail = `log head says ${nextSeq} events`;
      this.findings.add({ kind: "truncated_tail", seq: position, detail });
    } else if (position > nextSeq) {
      // The rows beyond were sealed after the head's: they are reported already.
    } else if (previous && !previous.equals(hash)) {
      this.findings.add({
        kind: "truncated_tail",
        seq: nextSeq,
        detail: "the log head's hash is no row's: later rows are gone, or the head was changed",
        stored: hash.toString("hex"),
        recomputed: previous.toString("hex"),
      });
    } else if (this.#lastRow?.verified && this.#lastRow.recordedAt !== lastRecordedAt) {
      const detail = "the log head's last_recorded_at is not the last row's";
      this.findings.add({ kind: "projection_mismatch", seq: nextSeq - 1, detail });
    }
  }
}
