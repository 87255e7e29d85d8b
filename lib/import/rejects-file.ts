import { open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { AppError } from "@/lib/errors";
import { hasRoom, SPARE_BYTES } from "./free-room";

export interface Rejection {
  file: string;
  number: number;
  reasons: string[];
  record: unknown;
}

/** A file of a few megabytes unpacks to terabytes of rows that are no events: what is kept of them has an end. */
const LIMITS = {
  /** Characters of a record's JSON. */
  record: 65_536,
  /** Bytes of the file. */
  file: 268_435_456,
  /** Bytes that stay free on its disk. */
  spare: SPARE_BYTES,
};
/** How much is written before the disk is looked at again. */
const LOOK_BYTES = 4_194_304;

/** Rejected records, one JSON document a line, written beside their final place and moved there whole. */
export class RejectsFile {
  /** Rejections that came when the file was full. */
  leftOut = 0;
  private readonly draft: string;
  private handle: Awaited<ReturnType<typeof open>> | null = null;
  private bytes = 0;
  private lookAt = LOOK_BYTES;

  constructor(
    private readonly file: string,
    private readonly limits: typeof LIMITS = LIMITS,
  ) {
    this.draft = `${file}.${process.pid}.part`;
  }

  /** @throws AppError too_large when its disk has no room for more */
  async add(rejection: Rejection): Promise<void> {
    const line = this.leftOut > 0 ? null : this.lineOf(rejection);
    if (!line || this.bytes + line.length > this.limits.file) {
      this.leftOut += 1;
      return;
    }
    await this.write(line);
    if (this.bytes < this.lookAt) return;
    this.lookAt = this.bytes + LOOK_BYTES;
    if (!(await hasRoom(path.dirname(this.file), 0, this.limits.spare)))
      throw new AppError(
        "too_large",
        "The server's disk has no room left for rejected rows: most of this file cannot be imported this way. Have some freed, or mend the file, then import it again: nothing is stored twice.",
      );
  }

  private lineOf(rejection: Rejection): Buffer {
    const record = JSON.stringify(rejection.record);
    const { record: most } = this.limits;
    const kept =
      record.length <= most
        ? rejection
        : {
            ...rejection,
            record: record.slice(0, most).toWellFormed(),
            cut: `The record is ${record.length} characters of JSON, of which these are the first ${most}.`,
          };
    return Buffer.from(`${JSON.stringify(kept)}\n`);
  }

  private async write(line: Buffer): Promise<void> {
    this.handle ??= await open(this.draft, "w", 0o600);
    await this.handle.writeFile(line);
    this.bytes += line.length;
  }

  async close(): Promise<void> {
    if (!this.handle) return;
    if (this.leftOut > 0) {
      const note = `${this.leftOut} further rejected records are not in this file, which takes ${this.limits.file} bytes at most. Mend what is wrong with these, and import the file again.`;
      await this.write(Buffer.from(`${JSON.stringify({ left_out: this.leftOut, note })}\n`));
    }
    await this.handle.close();
    await rename(this.draft, this.file);
  }

  async discard(): Promise<void> {
    await this.handle?.close();
    await rm(this.draft, { force: true });
  }
}
