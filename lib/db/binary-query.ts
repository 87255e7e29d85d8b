import type pg from "pg";

/** Messages by their first byte (PostgreSQL manual, "Message Formats"). */
const codeOf = (letter: string) => letter.charCodeAt(0);
const DATA_ROW = codeOf("D");
const PARSED = codeOf("1");
/** ParseComplete, BindComplete, notices, parameters and notifications. */
const BESIDE = new Set([..."12NSA"].map(codeOf));
/** First byte and length. */
const HEAD_BYTES = 5;

type Take = (data: Buffer, from: number, to: number) => void;

export interface Statement {
  /** Of one text alone. */
  name: string;
  text: string;
  values: string[];
}

/** With what the driver knows to be prepared. */
type Connection = pg.Connection & { parsedStatements: Record<string, string> };

/**
 * A prepared statement whose rows are taken in binary as they lie in what the socket gave, without a copy or an object
 * for any row. For as long as rows come it listens in the driver's place; everything else is the driver's to read.
 */
class BinaryQuery implements pg.Submittable {
  #connection!: Connection;
  /** The driver's listener, while it is off. */
  #driver: ((chunk: Buffer) => void) | null = null;
  /** Part of a message's head. */
  #rest: Buffer | null = null;
  /** Of the message at hand. */
  #isRow = false;
  #leftBytes = 0;

  constructor(
    private readonly statement: Statement,
    private readonly take: Take,
    private readonly settle: (error?: unknown) => void,
  ) {}

  submit(connection: pg.Connection): void {
    this.#connection = connection as Connection;
    const { stream } = connection;
    this.#driver = stream.listeners("data")[0] as (chunk: Buffer) => void;
    stream.on("data", this.#listen);
    stream.removeListener("data", this.#driver);
    const { name, text, values } = this.statement;
    stream.cork();
    if (this.#connection.parsedStatements[name] !== text)
      connection.parse({ name, text, types: [] }, true);
    connection.bind({ statement: name, values, binary: "true" }, true);
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
        if (code === PARSED) this.#keepParsed();
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

  /** As the driver does where it reads this message. */
  #keepParsed(): void {
    this.#connection.parsedStatements[this.statement.name] = this.statement.text;
  }

  #giveBack() {
    const driver = this.#driver;
    if (!driver) return null;
    this.#driver = null;
    const { stream } = this.#connection;
    stream.on("data", driver);
    stream.removeListener("data", this.#listen);
    return driver;
  }
}

/**
 * Hands over the rows of a query in binary as they come (`BinaryRows` reads them). The statement is prepared once for
 * each connection.
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
