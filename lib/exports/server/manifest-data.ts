import { createHash } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { DATA_LINE_BYTES, dataLine } from "../manifest";

/** The `rows` or `left` lines of a manifest on their way to a file of their own: the note in front of them comes last. */
export class ManifestData {
  count = 0;
  private readonly hash = createHash("sha256");
  private block = Buffer.allocUnsafe(DATA_LINE_BYTES);
  private at = 0;
  private full: Buffer[] = [];

  private constructor(
    private readonly name: "rows" | "left",
    private readonly handle: FileHandle,
  ) {}

  static async create(name: "rows" | "left", file: string): Promise<ManifestData> {
    return new ManifestData(name, await open(file, "w", 0o600));
  }

  /** One item, in hex: a row's hash, or a leaf's; lines end between items. `flush` writes it. */
  add(hex: string): void {
    this.count += 1;
    this.at += this.block.write(hex, this.at, "hex");
    if (this.at < DATA_LINE_BYTES) return;
    this.full.push(this.block);
    this.block = Buffer.allocUnsafe(DATA_LINE_BYTES);
    this.at = 0;
  }

  /** Writes the lines that are full. */
  async flush(): Promise<void> {
    for (const block of this.full.splice(0)) await this.write(block);
  }

  async finish(): Promise<{ count: number; sha256: string }> {
    await this.flush();
    if (this.at > 0) await this.write(this.block.subarray(0, this.at));
    await this.handle.close();
    return { count: this.count, sha256: this.hash.digest("hex") };
  }

  async close(): Promise<void> {
    await this.handle.close().catch(() => undefined);
  }

  private async write(block: Buffer): Promise<void> {
    this.hash.update(block);
    await this.handle.writeFile(dataLine(this.name, block));
  }
}
