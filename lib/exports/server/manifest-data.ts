import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { DATA_LINE_BYTES, dataLine } from "../manifest";

/** The `rows` or `left` lines of a manifest on their way to a file of their own: the note in front of them comes last. */
export class ManifestData {
  count = 0;
  private readonly hash = createHash("sha256");
  private waiting: Buffer[] = [];
  private waitingBytes = 0;

  private constructor(
    private readonly name: "rows" | "left",
    private readonly handle: FileHandle,
  ) {}

  static async create(name: "rows" | "left", file: string): Promise<ManifestData> {
    return new ManifestData(name, await open(file, "w", 0o600));
  }

  /** One item; `flush` writes it. */
  add(bytes: Buffer): void {
    this.count += 1;
    this.waiting.push(bytes);
    this.waitingBytes += bytes.length;
  }

  /** Writes whole lines; the rest too when it is the last. */
  async flush(isLast = false): Promise<void> {
    if (this.waitingBytes < DATA_LINE_BYTES && !isLast) return;
    let bytes = Buffer.concat(this.waiting);
    let lines = "";
    while (bytes.length >= DATA_LINE_BYTES || (isLast && bytes.length > 0)) {
      const line = bytes.subarray(0, DATA_LINE_BYTES);
      this.hash.update(line);
      lines += dataLine(this.name, line);
      bytes = bytes.subarray(line.length);
    }
    this.waiting = bytes.length > 0 ? [bytes] : [];
    this.waitingBytes = bytes.length;
    if (lines !== "") await this.handle.writeFile(lines);
  }

  async finish(): Promise<{ count: number; sha256: string }> {
    await this.flush(true);
    await this.handle.close();
    return { count: this.count, sha256: this.hash.digest("hex") };
  }

  async close(): Promise<void> {
    await this.handle.close().catch(() => undefined);
  }
}
