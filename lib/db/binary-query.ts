import type pg from "pg";

/** Messages by their first byte (PostgreSQL manual, "Message Formats"). */
const codeOf = (letter: string) => letter.charCodeAt(0);
const DATA_ROW = codeOf("D");
/** ParseComplete, BindComplete, notices, parameters and notifications. */
const BESIDE = new Set([..."12NSA"].map(codeOf));
/** First byte and length. */
const HEAD_BYTES = 5;

type Take = (data: Buffer, from: number, to: number) => void;

export interface Statement {
  text: string;
  values: string[];
}

/**
 * A statement whose rows are taken in binary as they lie in what the socket gave, without a copy or an object for any
 * row. For as long as rows come it listens in the driver's place; everything else is the driver's to read.
 */
class BinaryQuery implements pg.Submittable {
  readonly text: string;
  readonly #values: string[];
  #stream!: pg.Connection["stream"];
  /** The driver's listener, while it is off. */
  #driver: ((chunk: Buffer) => void) | null = null;
  /** Part of a message's head. */
  #rest: Buffer | null = null;
  /** Of the message at hand. */
  #isRow = false;
  #leftBytes = 0;

  constructor(
    { text, values }: Statement,
    private readonly take: Take,
    private readonly settle: (error?: unknown) => void,
  ) {
    this.text = text;
    this.#values = values;
  }

  submit(connection: pg.Connection): void {
    const { stream } = connection;
    this.#stream = stream;
    this.#driver = stream.listeners("data")[0] as (chunk: Buffer) => void;
    stream.on("data", this.#listen);
    stream.removeListener("data", this.#driver);
    stream.cork();
    // Without a name it is planned each time: one that is kept may be of a day when a partition was empty.
    connection.parse({ name: "", text: this.text, types: [] }, true);
    connection.bind({ values: this.#values, binary: "true" }, true);
    connection.execute({}, true);
    connection.sync();
    stream.uncork();
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
      // The connection stays in the middle of the rows: its holder has to end it.
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
        this.#isRow = code === DATA_ROW;
        if (!this.#isRow && !BESIDE.has(code)) {
          const driver = this.#giveBack();
          driver?.(data.subarray(at));
          return;
        }
        this.#leftBytes = data.readUInt32BE(at + 1) - 4;
        at += HEAD_BYTES;
      }
      const end = Math.min(data.length, at + this.#leftBytes);
      this.#leftBytes -= end - at;
      if (this.#isRow && end > at) this.take(data, at, end);
      at = end;
    }
  }

  #giveBack() {
    const driver = this.#driver;
    if (!driver) return null;
    this.#driver = null;
    this.#stream.on("data", driver);
    this.#stream.removeListener("data", this.#listen);
    return driver;
  }
}

/**
 * Hands over the rows of a query in binary as they come (`BinaryRows` reads them).
 * @param take gets part of a buffer, from one place to another; nothing is to write there
 * @throws what the database, the connection or `take` failed with, or after `timeoutMs`; the connection is then
 * to be ended
 */
export function binaryQuery(
  client: pg.ClientBase,
  statement: Statement,
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
    client.query(new BinaryQuery(statement, take, settle));
  });
}
