import { sha256Hex } from "@/lib/chain/sha256";
import { type BinaryRows, int8At, timeAt } from "@/lib/db/binary-rows";
import { copyBytes, grown, moveBack } from "./move-bytes";

const TIME_BYTES = 8;
const FIXED_BYTES = 3 * TIME_BYTES;
/** More than an event of 64 kB can have; putting so many in order takes its time. */
const MOST_TARGETS = 4_096;

/**
 * A row of event_targets as bytes: its number and its times as PostgreSQL sends them, type, NUL, id, NUL. No text
 * holds NUL, so that the same bytes are the same rows; a row with a NULL is like none that an event has. In SQL, of
 * rows named t; the records of a log stand in the order of TARGET_ORDER.
 */
export const TARGET_RECORD = `coalesce(int8send(t.seq) || timestamptz_send(t.occurred_at)
  || timestamptz_send(t.recorded_at) || textsend(t.target_type) || '\\x00' || textsend(t.target_id) || '\\x00',
  int8send(coalesce(t.seq, 0)) || '\\x7fffffffffffffff7fffffffffffffff0000')`;
export const TARGET_ORDER = "t.seq, t.target_type, t.target_id";

export interface TargetRow {
  /** Type, NUL, id. */
  key: string;
  occurredAt: string | null;
  recordedAt: string | null;
}

export const recordSeq: (bytes: Buffer, at: number) => number = int8At;

/** Where the record at `at` ends. */
export function recordEnd(bytes: Buffer, at: number): number {
  let end = at + FIXED_BYTES;
  for (let left = 2; left > 0 && end < bytes.length; end += 1) if (bytes[end] === 0) left -= 1;
  return end;
}

export function recordRow(bytes: Buffer, at: number): TargetRow {
  return {
    key: bytes.toString("utf8", at + FIXED_BYTES, recordEnd(bytes, at) - 1),
    occurredAt: timeAt(bytes, at + TIME_BYTES),
    recordedAt: timeAt(bytes, at + 2 * TIME_BYTES),
  };
}

/** Bytes of a text: from ≤ i < to. */
export type Range = readonly [from: number, to: number];

/** Makes the records that event_targets must have for events, which come in order. */
export class TargetRecords {
  #bytes: Buffer = Buffer.allocUnsafeSlow(65_536);
  #end = 0;
  /** Where the records of the event at hand begin. */
  #starts: number[] = [];

  /** Begins the next event. */
  begin(): void {
    this.#starts.length = 0;
  }

  /** Drops what was added since `begin`. */
  undo(): void {
    this.#end = this.#starts[0] ?? this.#end;
    this.#starts.length = 0;
  }

  /** Adds a target, once. @param fields those of seq, occurred_at and recorded_at in `rows` */
  add(texts: Buffer, type: Range, id: Range, rows: BinaryRows, fields: readonly number[]): void {
    const start = this.#end;
    const length = type[1] - type[0] + id[1] - id[0] + 2 + FIXED_BYTES;
    const bytes = grown(this.#bytes, start, start + length);
    let end = start;
    for (const field of fields) {
      const from = rows.starts[field] as number;
      end = copyBytes(bytes, end, rows.data, from, from + TIME_BYTES);
    }
    end = copyBytes(bytes, end, texts, type[0], type[1]);
    bytes[end++] = 0;
    end = copyBytes(bytes, end, texts, id[0], id[1]);
    bytes[end++] = 0;
    this.#bytes = bytes;
    this.#place(start, end);
  }

  /** Puts the last record in its order; one that is there already is dropped. */
  #place(start: number, end: number): void {
    const [bytes, starts] = [this.#bytes, this.#starts];
    if (starts.length >= MOST_TARGETS) throw new RangeError("no event has so many targets");
    let index = starts.length;
    for (; index > 0; index -= 1) {
      const before = starts[index - 1] as number;
      const order = bytes.compare(bytes, start, end, before, starts[index] ?? start);
      if (order === 0) return;
      if (order < 0) break;
    }
    this.#end = end;
    const place = starts[index] ?? start;
    starts.splice(index, 0, place);
    if (place === start) return;
    moveBack(bytes, place, start, end);
    for (let later = index + 1; later < starts.length; later += 1)
      starts[later] = (starts[later] as number) + end - start;
  }

  /** See digestOf. */
  digest(): string {
    return digestOf(this.#bytes.subarray(0, this.#end));
  }
}

/** Stands for records one after the other: SHA-256, lower-case hex. */
export const digestOf = (records: Uint8Array): string => sha256Hex(records);
