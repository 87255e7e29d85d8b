/** Signature, flags and the length of what may follow them. */
const HEADER_BYTES = 19;
const NOTHING = Buffer.alloc(0);

export const viewOf = ({ buffer, byteOffset, length }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, length);

/**
 * Copies bytes eight at a time: for hundreds of them that is faster than a call of `set` with a view made for it.
 * @returns where they end in the target
 */
export function copyBytes(
  source: DataView,
  start: number,
  end: number,
  target: DataView,
  at: number,
): number {
  let from = start;
  let to = at;
  for (; from + 8 <= end; from += 8, to += 8) {
    target.setInt32(to, source.getInt32(from));
    target.setInt32(to + 4, source.getInt32(from + 4));
  }
  for (; from < end; from += 1, to += 1) target.setUint8(to, source.getUint8(from));
  return to;
}

/** The two digits of every byte, as they lie in memory. */
const HEX = viewOf(
  Buffer.from(Buffer.from(Uint8Array.from({ length: 256 }, (_, byte) => byte)).toString("hex")),
);

/** PostgreSQL counts from 2000. */
const EPOCH_MS = Date.UTC(2000, 0);

/**
 * Reads rows in PostgreSQL's binary format as they come: those of `COPY … TO STDOUT (FORMAT binary)` (manual, COPY,
 * "Binary Format"), and of messages, which are the same without a header (DataRow). A row with another number of fields
 * ends the reading, as the end of the data does: who needs every row counts them.
 */
export class BinaryRows {
  /** Holds the row at hand. */
  data: Buffer = NOTHING;
  #view = viewOf(NOTHING);
  /** Where its fields are; a field that is NULL ends before it starts. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  #isBegun: boolean;
  /** Of a row that is not whole yet. */
  #rest: Buffer = NOTHING;

  /** @param isBegun there is no header */
  constructor(
    private readonly fields: number,
    isBegun = false,
  ) {
    this.#isBegun = isBegun;
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
    const { buffer, byteOffset, length } = this.data;
    const isSame = this.#view.buffer === buffer && this.#view.byteOffset === byteOffset;
    if (!isSame || this.#view.byteLength !== length) this.#view = viewOf(this.data);
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

  /** Writes what follows the first `skipped` bytes. @returns where they end */
  copy(field: number, skipped: number, target: DataView, at: number): number {
    const start = (this.starts[field] as number) + skipped;
    return copyBytes(this.#view, start, this.ends[field] as number, target, at);
  }

  /** Writes a bytea in hexadecimal. @returns where it ends */
  writeHex(field: number, target: DataView, at: number): number {
    const end = this.ends[field] as number;
    let to = at;
    for (let from = this.starts[field] as number; from < end; from += 1, to += 2)
      target.setUint16(to, HEX.getUint16(2 * this.#view.getUint8(from)));
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
  writeTime(field: number, target: DataView, at: number): number {
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
const scratchView = viewOf(scratch);

/** A timestamptz as the log keeps it; null for one that is finer than milliseconds, or of no year of four digits. */
export function timeAt(data: Buffer, at: number): string | null {
  return writeTimeAt(data, at, scratchView, 0) === 0 ? null : scratch.toString("latin1");
}

/** The same as 24 bytes, from `to` on. @returns where they end; `to` for what would be null */
function writeTimeAt(data: Buffer, at: number, target: DataView, to: number): number {
  const microseconds = int8At(data, at);
  if (!Number.isSafeInteger(microseconds)) {
    const far = farTime(data.readBigInt64BE(at));
    return far === null ? to : copyBytes(viewOf(Buffer.from(far)), 0, ISO_LENGTH, target, to);
  }
  if (microseconds % 1_000 !== 0) return to;
  const time = microseconds / 1_000 + EPOCH_MS;
  const day = Math.floor(time / DAY_MS);
  const ms = time - day * DAY_MS;
  const second = Math.floor(ms / 1_000);
  const minute = Math.floor(second / 60);
  const left = ms % 1_000;
  // 2026-01-02T
  copyBytes(dateOf(day), 0, 11, target, to);
  two(Math.floor(minute / 60), target, to + 11);
  target.setUint8(to + 13, COLON);
  two(minute % 60, target, to + 14);
  target.setUint8(to + 16, COLON);
  two(second % 60, target, to + 17);
  target.setUint16(to + 19, DOT * 256 + ZERO + Math.floor(left / 100));
  two(left % 100, target, to + 21);
  target.setUint8(to + 23, Z);
  return to + ISO_LENGTH;
}

const [ZERO, COLON, DOT, Z] = [0x30, 0x3a, 0x2e, 0x5a];
const DIGITS = viewOf(
  Buffer.from(Array.from({ length: 100 }, (_, number) => String(number).padStart(2, "0")).join("")),
);

const two = (number: number, target: DataView, at: number): void =>
  target.setUint16(at, DIGITS.getUint16(2 * number));

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
const dates: DataView[] = [];

/** `2026-01-02T`, by the days since 1970. */
function dateOf(day: number): DataView {
  const place = Math.abs(day) % KEPT_DAYS;
  if (days[place] !== day) {
    days[place] = day;
    dates[place] = viewOf(Buffer.from(new Date(day * DAY_MS).toISOString().slice(0, 11)));
  }
  return dates[place] as DataView;
}
