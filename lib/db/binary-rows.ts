/** Signature, flags and the length of what may follow them. */
const HEADER_BYTES = 19;
const NOTHING = Buffer.alloc(0);
/** PostgreSQL counts from 2000. */
const EPOCH_MS = Date.UTC(2000, 0);

/**
 * Reads rows of `COPY … TO STDOUT (FORMAT binary)` as they come (PostgreSQL manual, COPY, "Binary Format"). A row
 * with another number of fields ends the reading, as the end of the data does: who needs every row counts them.
 */
export class BinaryRows {
  /** Holds the row at hand. */
  data: Buffer = NOTHING;
  /** Where its fields are; a field that is NULL ends before it starts. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  #isBegun = false;
  /** Of a row that is not whole yet. */
  #rest: Buffer = NOTHING;

  constructor(private readonly fields: number) {
    this.starts = new Int32Array(fields);
    this.ends = new Int32Array(fields);
  }

  /** Calls `onRow` for each row that is whole with what is at these places of this chunk. */
  take(chunk: Buffer, onRow: () => void, from = 0, to = chunk.length): void {
    const rest = this.#rest;
    let [at, end] = [from, to];
    this.data = chunk;
    if (rest.length > 0) {
      this.data = Buffer.concat([rest, chunk.subarray(from, to)]);
      [at, end] = [0, this.data.length];
    }
    this.#rest = NOTHING;
    if (!this.#isBegun && end - at >= HEADER_BYTES) {
      // What may follow the header is empty in every version so far.
      at += HEADER_BYTES;
      this.#isBegun = true;
    }
    for (let next = this.#isBegun ? this.#find(at, end) : 0; next > 0; next = this.#find(at, end)) {
      onRow();
      at = next;
    }
    if (at < end) this.#rest = this.data.subarray(at, end);
  }

  /** Finds the fields of the row at `at`. @returns where the next one begins; 0 when it is not whole */
  #find(at: number, end: number): number {
    const { data, fields } = this;
    let next = at + 2;
    // −1 fields end the data.
    if (next > end || data.readInt16BE(at) !== fields) return 0;
    for (let field = 0; field < fields; field += 1) {
      if (next + 4 > end) return 0;
      const length = data.readInt32BE(next);
      next += 4;
      this.starts[field] = next;
      this.ends[field] = next + length;
      if (length > 0) next += length;
    }
    return next <= end ? next : 0;
  }

  isNull(field: number): boolean {
    return (this.ends[field] as number) < (this.starts[field] as number);
  }

  text(field: number): string {
    return this.data.toString("utf8", this.starts[field], this.ends[field]);
  }

  bytes(field: number): Buffer {
    return this.data.subarray(this.starts[field], this.ends[field]);
  }

  length(field: number): number {
    return Math.max(0, (this.ends[field] as number) - (this.starts[field] as number));
  }

  /** Writes what follows the first `skipped` bytes: one by one, which is faster than a call for so few. @returns where they end */
  copy(field: number, skipped: number, target: Uint8Array, at: number): number {
    const { data } = this;
    const end = this.ends[field] as number;
    let to = at;
    for (let from = (this.starts[field] as number) + skipped; from < end; from += 1)
      target[to++] = data[from] as number;
    return to;
  }

  hex(field: number): string {
    return this.data.toString("hex", this.starts[field], this.ends[field]);
  }

  int4(field: number): number {
    return this.data.readInt32BE(this.#fixed(field, 4));
  }

  int8(field: number): number {
    return int8At(this.data, this.#fixed(field, 8));
  }

  /** A timestamptz, see timeAt. */
  time(field: number): string | null {
    return timeAt(this.data, this.#fixed(field, 8));
  }

  /** The same as bytes. @returns where they end; `at` for what would be null */
  writeTime(field: number, target: Buffer, at: number): number {
    return writeTimeAt(this.data, this.#fixed(field, 8), target, at);
  }

  /** Where a value of so many bytes begins: what follows a NULL is of another field. */
  #fixed(field: number, length: number): number {
    const start = this.starts[field] as number;
    if ((this.ends[field] as number) - start !== length)
      throw new RangeError(`field ${field} is not of ${length} bytes`);
    return start;
  }
}

/** A bigint; beyond 2^53 about that. */
export const int8At = (data: Buffer, at: number): number =>
  data.readInt32BE(at) * 2 ** 32 + data.readUInt32BE(at + 4);

const ISO_LENGTH = 24;
const scratch = Buffer.alloc(ISO_LENGTH);

/** A timestamptz as the log keeps it; null for one that is finer than milliseconds, or of no year of four digits. */
export function timeAt(data: Buffer, at: number): string | null {
  return writeTimeAt(data, at, scratch, 0) === 0 ? null : scratch.toString("latin1");
}

/** The same as 24 bytes, from `to` on. @returns where they end; `to` for what would be null */
function writeTimeAt(data: Buffer, at: number, target: Buffer, to: number): number {
  const microseconds = int8At(data, at);
  if (!Number.isSafeInteger(microseconds)) {
    const far = farTime(data.readBigInt64BE(at));
    return far === null ? to : to + target.write(far, to, "latin1");
  }
  if (microseconds % 1_000 !== 0) return to;
  const time = microseconds / 1_000 + EPOCH_MS;
  const day = Math.floor(time / DAY_MS);
  const date = dateOf(day);
  const ms = time - day * DAY_MS;
  const second = Math.floor(ms / 1_000);
  const minute = Math.floor(second / 60);
  for (let place = 0; place < date.length; place += 1) target[to + place] = date.charCodeAt(place);
  target[to + 10] = 0x54; // T
  two(Math.floor(minute / 60), target, to + 11);
  target[to + 13] = 0x3a; // :
  two(minute % 60, target, to + 14);
  target[to + 16] = 0x3a;
  two(second % 60, target, to + 17);
  target[to + 19] = 0x2e; // .
  target[to + 20] = ZERO + Math.floor((ms % 1_000) / 100);
  two(ms % 100, target, to + 21);
  target[to + 23] = 0x5a; // Z
  return to + ISO_LENGTH;
}

const ZERO = 0x30;

function two(number: number, target: Buffer, at: number): void {
  target[at] = ZERO + Math.floor(number / 10);
  target[at + 1] = ZERO + (number % 10);
}

/** Centuries from 2000, where a number is not exact any more. */
function farTime(microseconds: bigint): string | null {
  const time = new Date(Number(microseconds / 1_000n) + EPOCH_MS);
  if (microseconds % 1_000n !== 0n || Number.isNaN(time.getTime())) return null;
  const text = time.toISOString();
  return text.length === ISO_LENGTH ? text : null;
}

const DAY_MS = 86_400_000;

// A log's times are of few years, and a Date takes longer to write than all else that is done with a time.
const KEPT_DAYS = 4_096;
const days = new Float64Array(KEPT_DAYS).fill(Number.NaN);
const dates: string[] = [];

/** `2026-01-02`, by the days since 1970. */
function dateOf(day: number): string {
  const place = Math.abs(day) % KEPT_DAYS;
  if (days[place] !== day) {
    days[place] = day;
    dates[place] = new Date(day * DAY_MS).toISOString().slice(0, 10);
  }
  return dates[place] as string;
}
