import { hash } from "node:crypto";

/** Rows of an export's file, as its manifest counts them. */

const LF = 0x0a;
const QUOTE = 0x22;

/** Cuts bytes into rows with their line ends. In CSV a line end within quotes belongs to a cell (RFC 4180). */
export class RowSplitter {
  private isQuoted = false;
  private parts: Buffer[] = [];

  constructor(private readonly format: "csv" | "ndjson") {}

  /** Hands out each row that is whole now; it may share memory with the chunk. */
  add(chunk: Buffer, onRow: (row: Buffer) => void): void {
    let from = 0;
    let at = 0;
    for (;;) {
      const end = this.format === "csv" ? this.endOfRow(chunk, at) : chunk.indexOf(LF, at);
      if (end < 0) break;
      at = end + 1;
      const part = chunk.subarray(from, at);
      onRow(this.parts.length === 0 ? part : Buffer.concat([...this.parts, part]));
      this.parts = [];
      from = at;
    }
    // The chunk's memory may be used again by whoever reads.
    if (from < chunk.length) this.parts.push(Buffer.from(chunk.subarray(from)));
  }

  /** Bytes behind the last line end. */
  get unfinished(): number {
    return this.parts.reduce((bytes, { length }) => bytes + length, 0);
  }

  private endOfRow(chunk: Buffer, from: number): number {
    let { isQuoted } = this;
    let at = from;
    for (; at < chunk.length; at += 1) {
      const byte = chunk[at];
      if (byte === QUOTE) isQuoted = !isQuoted;
      else if (byte === LF && !isQuoted) break;
    }
    this.isQuoted = isQuoted;
    return at < chunk.length ? at : -1;
  }
}

/** Of each row's SHA-256: the file's own hash proves, these only tell which row it is. */
export const ROW_HASH_BYTES = 8;

/** In hex. */
export const rowHash = (row: Buffer): string => hash("sha256", row).slice(0, 2 * ROW_HASH_BYTES);

export interface Leaf {
  seq: number;
  /** In hex: the event's chain hash, which is its leaf. */
  hash: string;
}

const TAIL_BYTES = 128;
const TAILS = {
  csv: /(?:^|,)(\d{1,16}),([0-9a-f]{64})\n$/,
  ndjson: /,"seq":(\d{1,16}),"chain_hash":"([0-9a-f]{64})"\}\n$/,
};

/** The place in the log that ends a row whose last columns are it; null for a row that has none. */
export function leafOf(format: "csv" | "ndjson", row: Buffer): Leaf | null {
  const tail = row.toString("latin1", Math.max(0, row.length - TAIL_BYTES));
  const [, seq, hex] = TAILS[format].exec(tail) ?? [];
  return seq && hex ? { seq: Number(seq), hash: hex } : null;
}
