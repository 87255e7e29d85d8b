import type { FindingList } from "./findings";
import type { SealedRow } from "./sealed-rows";
import type { RawRow, Snapshot } from "./snapshot";

const BATCH = 4_000;

/** The distinct targets that an event must have rows for. */
function expectedTargets({ content: { targets } }: SealedRow): Set<string> {
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
  /** Rows at hand, the next at #at; all of them below the end that was last read to, but for the rest. */
  #rows: RawRow[] = [];
  #at = 0;
  #ended = false;

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
    while (!this.#ended && !(Number(this.#rows.at(-1)?.[0] ?? Number.NaN) >= end)) {
      const more = await this.snapshot.query(`FETCH ${BATCH} FROM verified_targets`);
      this.#ended = more.length < BATCH;
      this.#rows = this.#rows.slice(this.#at).concat(more);
      this.#at = 0;
    }
  }

  /** Compares the rows at an event's number with the event; rows before it belong to none. */
  compare(row: SealedRow): void {
    this.reportOrphans(row.seq);
    const wanted = expectedTargets(row);
    let found = 0;
    let extra = 0;
    for (const [, type, id, occurredAt, recordedAt] of this.#takeAt(row.seq)) {
      const same = occurredAt === row.rawOccurredAt && recordedAt === row.rawRecordedAt;
      if (same && wanted.has(`${type}\u0000${id}`)) found += 1;
      else extra += 1;
    }
    if (found === wanted.size && extra === 0) return;
    const missing = wanted.size - found;
    this.#mismatch(row.seq, `event_targets: ${missing} row(s) missing, ${extra} too many`);
  }

  /** Passes over the rows at a number whose event is in doubt. */
  skip(seq: number): void {
    this.reportOrphans(seq);
    for (const _ of this.#takeAt(seq));
  }

  *#takeAt(seq: number): Generator<RawRow> {
    for (; Number(this.#rows[this.#at]?.[0]) === seq; this.#at += 1) {
      yield this.#rows[this.#at] as RawRow;
    }
  }

  /** Rows below `end` that no event claimed. */
  reportOrphans(end: number): void {
    for (; Number(this.#rows[this.#at]?.[0]) < end; this.#at += 1) {
      this.#mismatch(Number(this.#rows[this.#at]?.[0]), "event_targets: a row of no event");
    }
  }

  /** After the last event: all that is left belongs to none. */
  async finish(): Promise<void> {
    do {
      this.reportOrphans(Number.POSITIVE_INFINITY);
      if (!this.findings.wants("projection_mismatch")) return;
      await this.readTo(Number(this.#rows.at(-1)?.[0] ?? 0) + 1);
    } while (this.#at < this.#rows.length);
  }

  #mismatch(seq: number, detail: string): void {
    this.findings.add({ kind: "projection_mismatch", seq, detail });
  }
}
