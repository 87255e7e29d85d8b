const BLOCK = 65_536;

/** Numbers of a log that a file's rows led to: a bit each, so that millions of rows take little room. */
export class SeenRows {
  private readonly blocks = new Map<number, Uint8Array>();

  /** @returns whether none before led there */
  add(seq: number): boolean {
    const at = Math.floor(seq / BLOCK);
    let block = this.blocks.get(at);
    if (!block) {
      block = new Uint8Array(BLOCK / 8);
      this.blocks.set(at, block);
    }
    const place = seq % BLOCK;
    const [byte, bit] = [block[place >> 3] as number, 1 << (place & 7)];
    block[place >> 3] = byte | bit;
    return (byte & bit) === 0;
  }
}
