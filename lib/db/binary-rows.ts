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

  constructor(private readonly fields: number) {
    this.starts = new Int32Array(fields);
    this.ends = new Int32Array(fields);
  }

  /** Calls `onRow` for each row that is whole with this chunk. */
  take(chunk: Buffer, onRow: () => void): void {
    const data = this.data.length > 0 ? Buffer.concat([this.data, chunk]) : chunk;
    this.data = data;
    let at = 0;
    if (!this.#isBegun) {
      if (data.length < HEADER_BYTES) return;
      // What may follow the header is empty in every version so far.
      at = HEADER_BYTES;
      this.#isBegun = true;
    }
    for (let next = this.#find(at); next > 0; next = this.#find(at)) {
      onRow();
      at = next;
    }
    this.data = data.subarray(at);
  }

  /** Finds the fields of the row at `at`. @returns where the next one begins; 0 when it is not whole */
  #find(at: number): number {
    const { data, fields } = this;
    let next = at + 2;
    // −1 fields end the data.
    if (next > data.length || data.readInt16BE(at) !== fields) return 0;
    for (let field = 0; field < fields; field += 1) {
      if (next + 4 > data.length) return 0;
      const length = data.readInt32BE(next);
      next += 4;
      this.starts[field] = next;
      this.ends[field] = next + length;
      if (length > 0) next += length;
    }
    return next <= data.length ? next : 0;
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

/** A timestamptz as the log keeps it; null for one that is finer than milliseconds, or of no year of four digits. */
export function timeAt(data: Buffer, at: number): string | null {
  const microseconds = int8At(data, at);
  if (!Number.isSafeInteger(microseconds)) return farTime(data.readBigInt64BE(at));
  if (microseconds % 1_000 !== 0) return null;
  const time = microseconds / 1_000 + EPOCH_MS;
  const day = Math.floor(time / DAY_MS);
  const date = dateOf(day);
  const ms = time - day * DAY_MS;
  const [hours, minutes, seconds] = [ms / 3_600_000, (ms / 60_000) % 60, (ms / 1_000) % 60];
  return `${date}T${two(hours)}:${two(minutes)}:${two(seconds)}.${two((ms / 10) % 100)}${ms % 10}Z`;
}

/** Centuries from 2000, where a number is not exact any more. */
function farTime(microseconds: bigint): string | null {
  const time = new Date(Number(microseconds / 1_000n) + EPOCH_MS);
  if (microseconds % 1_000n !== 0n || Number.isNaN(time.getTime())) return null;
  const text = time.toISOString();
  return text.length === ISO_LENGTH ? text : null;
}

const ISO_LENGTH = 24;
const DAY_MS = 86_400_000;
const DIGITS = Array.from({ length: 100 }, (_, number) => String(number).padStart(2, "0"));
const two = (number: number) => DIGITS[Math.floor(number)];

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
