import type { SealedContent } from "@/lib/chain/event-hash";
import type { FindingList } from "./findings";
import type { SealedRow } from "./sealed-rows";
import { bytes, type Snapshot } from "./snapshot";
import {
  digestOf,
  recordEnd,
  recordRow,
  recordSeq,
  TARGET_ORDER,
  TARGET_RECORD,
  type TargetRow,
} from "./target-records";

/** Events whose records come as one row: a row costs more to take in than its records. */
const EVENTS_AT_ONCE = 256;
const ROWS_AT_ONCE = 8;

/** The distinct targets that an event must have rows for: type, NUL, id. */
export function targetKeys({ targets }: Pick<SealedContent, "targets">): Set<string> {
  const keys = new Set<string>();
  if (!Array.isArray(targets)) return keys;
  for (const target of targets as ({ type?: unknown; id?: unknown } | null)[]) {
    if (typeof target?.type !== "string" || typeof target.id !== "string") continue;
    keys.add(`${target.type}\u0000${target.id}`);
  }
  return keys;
}

/** Merges event_targets, ordered by seq, with the events: what one side has, the other must have too. */
export class TargetCheck {
  /** Records at hand (target-records.ts), the next at #at; all of them below the end that was last read to. */
  #records: Buffer = Buffer.alloc(0);
  #at = 0;
  /** The number of the last record at hand. */
  #last = Number.NaN;
  #ended = false;

  constructor(
    private readonly snapshot: Snapshot,
    private readonly findings: FindingList,
  ) {}

  async open(): Promise<void> {
    await this.snapshot.query(
      `DECLARE verified_targets NO SCROLL CURSOR FOR
       SELECT max(t.seq), string_agg(${TARGET_RECORD}, '' ORDER BY ${TARGET_ORDER})
       FROM event_targets t WHERE t.organization_id = $1
       GROUP BY t.seq / ${EVENTS_AT_ONCE} ORDER BY t.seq / ${EVENTS_AT_ONCE}`,
    );
  }

  /** Reads on until every row below `end` is at hand. */
  async readTo(end: number): Promise<void> {
    while (!this.#ended && !(this.#last >= end)) {
      const more = await this.snapshot.query(`FETCH ${ROWS_AT_ONCE} FROM verified_targets`);
      this.#ended = more.length < ROWS_AT_ONCE;
      const records = more.map(([, hex]) => bytes(hex as string));
      this.#records = Buffer.concat([this.#records.subarray(this.#at), ...records]);
      this.#at = 0;
      this.#last = Number(more.at(-1)?.[0] ?? this.#last);
    }
  }

  /** The number of the next record; NaN when there is none at hand. */
  get #seq(): number {
    return this.#at < this.#records.length ? recordSeq(this.#records, this.#at) : Number.NaN;
  }

  /** Passes over the rows below `end` if they are those that `digest` (see digestOf) is of. */
  passIf(digest: string, end: number): boolean {
    const records = this.#records;
    let to = this.#at;
    while (to < records.length && recordSeq(records, to) < end) to = recordEnd(records, to);
    if (digestOf(records.subarray(this.#at, to)) !== digest) return false;
    this.#at = to;
    return true;
  }

  /** Compares the rows at an event's number with the event; rows before it belong to none. */
  compare(row: SealedRow): void {
    this.reportOrphans(row.seq);
    const wanted = targetKeys(row.content);
    let extra = 0;
    for (const { key, occurredAt, recordedAt } of this.#takeAt(row.seq)) {
      const same = occurredAt === row.occurredAt && recordedAt === row.recordedAt;
      if (!same || !wanted.delete(key)) extra += 1;
    }
    const missing = wanted.size;
    if (missing === 0 && extra === 0) return;
    this.#mismatch(row.seq, `event_targets: ${missing} row(s) missing, ${extra} too many`);
  }

  /** Passes over the rows at a number whose event is in doubt. */
  skip(seq: number): void {
    this.reportOrphans(seq);
    for (const _ of this.#takeAt(seq));
  }

  *#takeAt(seq: number): Generator<TargetRow> {
    while (this.#seq === seq) yield this.#take();
  }

  #take(): TargetRow {
    const at = this.#at;
    this.#at = recordEnd(this.#records, at);
    return recordRow(this.#records, at);
  }

  /** Rows below `end` that no event claimed. */
  reportOrphans(end: number): void {
    for (; this.#seq < end; this.#take()) {
      this.#mismatch(this.#seq, "event_targets: a row of no event");
    }
  }

  /** After the last event: all that is left belongs to none. */
  async finish(): Promise<void> {
    do {
      this.reportOrphans(Number.POSITIVE_INFINITY);
      if (!this.findings.wants("projection_mismatch")) return;
      await this.readTo((this.#last || 0) + 1);
    } while (this.#at < this.#records.length);
  }

  #mismatch(seq: number, detail: string): void {
    this.findings.add({ kind: "projection_mismatch", seq, detail });
  }
}
