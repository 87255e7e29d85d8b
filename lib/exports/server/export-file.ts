import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { leafOf, RowSplitter, rowHash } from "../rows";
import { partOf, rowsOf } from "./files";
import { ManifestData } from "./manifest-data";

/** What was written for good: a later attempt begins behind it. */
export interface Written {
  bytes: number;
  events: number;
  /** Of these bytes, hex. */
  sha256: string;
}

/** Sequence numbers of a log, `end` exclusive. */
export interface Sequence {
  first: number;
  end: number;
}

const BLOCK_BYTES = 1_048_576;

/**
 * A file of rows under way, beside its final name: a file under its own name is whole. Counts and hashes its rows as
 * they pass, for the manifest, and marks their places in the log where that is to be proven.
 */
export class ExportFile {
  private readonly hash = createHash("sha256");
  private readonly splitter: RowSplitter;
  /** A bit for each place of the log; null where nobody asks for them. */
  private readonly places: Uint8Array | null;
  private hasHeader: boolean;
  private bytes = 0;
  private block: Buffer[] = [];
  private blockBytes = 0;
  /** The block before, on its way: the database goes on meanwhile. */
  private writing: Promise<void> = Promise.resolve();

  private constructor(
    private readonly name: string,
    private readonly handle: FileHandle,
    private readonly rows: ManifestData,
    private readonly format: "csv" | "ndjson",
    private readonly sequence: Sequence,
    isProven: boolean,
  ) {
    this.splitter = new RowSplitter(format);
    this.hasHeader = format === "csv";
    this.places = isProven ? new Uint8Array(Math.ceil((sequence.end - sequence.first) / 8)) : null;
  }

  /** @param isProven it is going to be asked which events are in it */
  static async create(
    name: string,
    format: "csv" | "ndjson",
    sequence: Sequence,
    isProven: boolean,
  ): Promise<ExportFile> {
    await mkdir(path.dirname(name), { recursive: true, mode: 0o700 });
    const rows = await ManifestData.create("rows", rowsOf(name));
    const handle = await open(partOf(name), "w", 0o600).catch(async (error: Error) => {
      await rows.close();
      throw error;
    });
    return new ExportFile(name, handle, rows, format, sequence, isProven);
  }

  async write(chunk: Buffer): Promise<void> {
    this.bytes += chunk.length;
    this.hash.update(chunk);
    this.splitter.add(chunk, (row) => this.count(row));
    this.block.push(chunk);
    this.blockBytes += chunk.length;
    if (this.blockBytes >= BLOCK_BYTES) await this.flush();
  }

  /** What came so far is with the operating system, or on its way there. */
  private async flush(): Promise<void> {
    await this.writing;
    const block = Buffer.concat(this.block);
    this.block = [];
    this.blockBytes = 0;
    this.writing = this.rows.flush().then(() => this.handle.writeFile(block));
    // Whoever waits for it next is told.
    this.writing.catch(() => undefined);
  }

  /** What was written survives this process. */
  async settle(): Promise<Written> {
    await this.flush();
    await this.writing;
    return this.written;
  }

  /** Begins with what an earlier attempt wrote. @returns false where that is not there any more as it was */
  async takeOver(name: string, { bytes, sha256 }: Written): Promise<boolean> {
    // It was renamed if the attempt came as far as its end.
    for (const file of [partOf(name), name]) {
      if (bytes === 0 || this.bytes > 0) break;
      try {
        const earlier = createReadStream(file, { end: bytes - 1, highWaterMark: BLOCK_BYTES });
        for await (const chunk of earlier) await this.write(chunk as Buffer);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    }
    return this.bytes === bytes && this.written.sha256 === sha256;
  }

  private get written(): Written {
    return { bytes: this.bytes, events: this.rows.count, sha256: this.hash.copy().digest("hex") };
  }

  /** Whether the event at this place of the log is in the file; only where rows say their place. */
  holds(seq: number): boolean {
    const place = seq - this.sequence.first;
    return (((this.places?.[place >>> 3] ?? 0) >>> (place & 7)) & 1) === 1;
  }

  /** On disk, under its own name. @returns what it is, and of its rows, for the manifest */
  async finish(): Promise<{ written: Written; rows: { count: number; sha256: string } }> {
    const written = await this.settle();
    const rows = await this.rows.finish();
    await this.handle.sync();
    await this.handle.close();
    await rename(partOf(this.name), this.name);
    return { written, rows };
  }

  /** @param isKept the part stays, for another attempt to go on behind */
  async giveUp(isKept: boolean): Promise<void> {
    await this.writing.catch(() => undefined);
    await this.rows.close();
    await this.handle.close().catch(() => undefined);
    await rm(rowsOf(this.name), { force: true });
    if (!isKept) await rm(partOf(this.name), { force: true });
  }

  private count(row: Buffer): void {
    if (this.hasHeader) {
      this.hasHeader = false;
      return;
    }
    this.rows.add(rowHash(row));
    if (!this.places) return;
    const leaf = leafOf(this.format, row);
    if (!leaf) return;
    const place = leaf.seq - this.sequence.first;
    this.places[place >>> 3] = (this.places[place >>> 3] as number) | (1 << (place & 7));
  }
}
