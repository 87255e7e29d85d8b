import type { FindingList } from "./findings";
import type { SealedRow } from "./sealed-rows";
import type { RawRow, Snapshot } from "./snapshot";

const BATCH = 4_000;

function targetKey(type: string, id: string, rawOccurredAt: string, rawRecordedAt: string): string {
  return `${type}\u0000${id}\u0000${rawOccurredAt}\u0000${rawRecordedAt}`;
}

/** The event_targets rows that an event must have: one per distinct target. */
function expectedKeys(row: SealedRow): Set<string> {
  const keys = new Set<string>();
  if (!Array.isArray(row.content.targets)) return keys;
  for (const target of row.content.targets as ({ type?: unknown; id?: unknown } | null)[]) {
    if (typeof target?.type !== "string" || typeof target.id !== "string") continue;
    keys.add(targetKey(target.type, target.id, row.rawOccurredAt, row.rawRecordedAt));
  }
  return keys;
}

/** Merges event_targets, ordered by seq, with the events: what one side has, the other must have too. */
export class TargetCheck {
  #waiting: RawRow[] = [];
  #ended = false;
  #bySeq = new Map<number, string[]>();

  constructor(
    private readonly snapshot: Snapshot,
    private readonly findings: FindingList,
  ) {}

  async open(): Promise<void> {
    await this.snapshot.query(
      `DECLARE verified_targets NO SCROLL CURSOR FOR
       SELECT seq, target_type, target_id, occurred_at, recorded_at FROM event_targets
       WHERE organization_id = $1 ORDER BY seq`,
    );
  }

  /** Reads on until every row below `end` is at hand. */
  async readTo(end: number): Promise<void> {
    for (;;) {
      let taken = 0;
      for (const row of this.#waiting) {
        const seq = Number(row[0]);
        if (seq >= end) break;
        const [, type, id, occurredAt, recordedAt] = row as string[];
        const key = targetKey(
          type as string,
          id as string,
          occurredAt as string,
          recordedAt as string,
        );
        const list = this.#bySeq.get(seq);
        if (list) list.push(key);
        else this.#bySeq.set(seq, [key]);
        taken += 1;
      }
      this.#waiting = this.#waiting.slice(taken);
      if (this.#waiting.length > 0 || this.#ended) return;
      this.#waiting = await this.snapshot.query(`FETCH ${BATCH} FROM verified_targets`);
      this.#ended = this.#waiting.length < BATCH;
    }
  }

  compare(row: SealedRow): void {
    const stored = this.#bySeq.get(row.seq) ?? [];
    this.#bySeq.delete(row.seq);
    const expected = expectedKeys(row);
    if (stored.length === expected.size && stored.every((key) => expected.has(key))) return;
    const extra = stored.filter((key) => !expected.has(key)).length;
    const missing = expected.size - (stored.length - extra);
    this.#mismatch(row.seq, `event_targets: ${missing} row(s) missing, ${extra} too many`);
  }

  /** Passes over what belongs to rows that are not the log's. */
  skip(seq: number): void {
    this.#bySeq.delete(seq);
  }

  /** What was read below `end` and belongs to no event. */
  reportOrphans(end: number): void {
    for (const [seq, keys] of this.#bySeq) {
      if (seq >= end) continue;
      this.#mismatch(seq, `event_targets: ${keys.length} row(s) of no event`);
      this.#bySeq.delete(seq);
    }
  }

  /** After the last event: all that is left belongs to none. */
  async finish(): Promise<void> {
    for (;;) {
      const last = this.#waiting.at(-1);
      await this.readTo(last ? Number(last[0]) + 1 : Number.POSITIVE_INFINITY);
      this.reportOrphans(Number.POSITIVE_INFINITY);
      if (this.#waiting.length === 0 && this.#ended) return;
      if (!this.findings.wants("projection_mismatch")) return;
    }
  }

  #mismatch(seq: number, detail: string): void {
    this.findings.add({ kind: "projection_mismatch", seq, detail });
  }
}
