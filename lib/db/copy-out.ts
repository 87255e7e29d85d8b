import type pg from "pg";

/** Messages by their first byte (PostgreSQL manual, "Message Formats"). */
const COPY_DATA = 0x64;
const BESIDE = new Set([..."HSNA"].map((code) => code.charCodeAt(0)));
/** First byte and length. */
const HEAD_BYTES = 5;

type Take = (data: Buffer, from: number, to: number) => void;

/**
 * A `COPY … TO STDOUT` whose data is taken as it lies in what the socket gave, without a copy or an object for any row.
 * For as long as data comes it listens in the driver's place; everything else is the driver's to read.
 */
class CopyOut implements pg.Submittable {
  #socket!: pg.Connection["stream"];
  /** The driver's listener, while it is off. */
  #driver: ((chunk: Buffer) => void) | null = null;
  /** Part of a message's head. */
  #rest: Buffer | null = null;
  /** Of the message at hand. */
  #isData = false;
  #leftBytes = 0;

  constructor(
    private readonly text: string,
    private readonly take: Take,
    private readonly settle: (error?: unknown) => void,
  ) {}

  submit(connection: pg.Connection): void {
    this.#socket = connection.stream;
    this.#driver = this.#socket.listeners("data")[0] as (chunk: Buffer) => void;
    this.#socket.on("data", this.#listen);
    this.#socket.removeListener("data", this.#driver);
    connection.query(this.text);
  }

  // What the driver calls on the way.
  handleError(error: unknown): void {
    this.#giveBack();
    this.settle(error);
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.settle();
  }

  readonly #listen = (chunk: Buffer): void => {
    try {
      this.#read(this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk);
    } catch (error) {
      // The connection stays in the middle of the data: its holder has to end it.
      this.settle(error);
    }
  };

  #read(data: Buffer): void {
    this.#rest = null;
    for (let at = 0; at < data.length; ) {
      if (this.#leftBytes === 0) {
        if (data.length - at < HEAD_BYTES) {
          this.#rest = data.subarray(at);
          return;
        }
        const code = data[at] as number;
        this.#isData = code === COPY_DATA;
        if (!this.#isData && !BESIDE.has(code)) {
          const driver = this.#giveBack();
          driver?.(data.subarray(at));
          return;
        }
        this.#leftBytes = data.readUInt32BE(at + 1) - 4;
        at += HEAD_BYTES;
      }
      const end = Math.min(data.length, at + this.#leftBytes);
      this.#leftBytes -= end - at;
      if (this.#isData && end > at) this.take(data, at, end);
      at = end;
    }
  }

  #giveBack() {
    const driver = this.#driver;
    if (!driver) return null;
    this.#driver = null;
    this.#socket.on("data", driver);
    this.#socket.removeListener("data", this.#listen);
    return driver;
  }
}

/**
 * Hands over what a COPY of a query sends, as it comes.
 * @param take gets part of a buffer, from one place to another; nothing is to write there
 * @throws what the database, the connection or `take` failed with, or after `timeoutMs`; the connection is then
 * to be ended
 */
export function copyOut(
  client: pg.ClientBase,
  text: string,
  take: Take,
  timeoutMs: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const expired = () => reject(new Error(`No answer of the database within ${timeoutMs} ms`));
    const timer = setTimeout(expired, timeoutMs);
    const settle = (error?: unknown) => {
      clearTimeout(timer);
      if (error === undefined) resolve();
      else reject(error);
    };
    client.query(new CopyOut(text, take, settle));
  });
}
