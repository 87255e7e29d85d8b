import pg from "pg";
import { to as copyTo } from "pg-copy-streams";

const { escapeLiteral } = pg;

const raw = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;

/** Rows as the server writes them: text in the formats that `prepareSnapshot` sets, or null. */
export type RawRow = (string | null)[];

/** One transaction's view of one organization; queries of concurrent callers run one after another. */
export class Snapshot {
  readonly #client: pg.ClientBase;
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    client: pg.ClientBase,
    readonly organizationId: string,
  ) {
    this.#client = client;
  }

  /** Runs one statement; `$1` is always the organization. */
  query(text: string, ...values: unknown[]): Promise<RawRow[]> {
    return this.#inTurn(async () => {
      const parameters = text.includes("$1") ? [this.organizationId, ...values] : [];
      const query = { text, values: parameters, rowMode: "array" as const, types: raw };
      return (await this.#client.query<RawRow>(query)).rows;
    });
  }

  /** Runs COPY of a query, in binary; `take` gets what comes, as it comes. `$2` on are whole numbers. */
  copy(query: string, values: number[], take: (chunk: Buffer) => void): Promise<void> {
    return this.#inTurn(async () => {
      // COPY takes no parameters.
      const literals = [escapeLiteral(this.organizationId), ...values.map(String)];
      const text = query.replace(/\$(\d)/g, (_, number) => literals[number - 1] as string);
      const stream = this.#client.query(copyTo(`COPY (${text}) TO STDOUT (FORMAT binary)`));
      for await (const chunk of stream) take(chunk);
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#last.then(work);
    this.#last = run.catch(() => undefined);
    return run;
  }

  /** Resolves when no statement is under way. */
  async settled(): Promise<void> {
    await this.#last;
  }

  /** Fixes the text formats that the readers rely on, whatever the role's settings are. */
  async prepare(): Promise<void> {
    await this.query(
      "SELECT set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO, YMD', true), set_config('bytea_output', 'hex', true)",
    );
  }
}

/** `2026-01-02 03:04:05.6+00` → `2026-01-02T03:04:05.600Z`; anything finer or stranger stays visible. */
export function isoTime(text: string): string {
  if (!text.endsWith("+00") || text.charAt(10) !== " ") return text;
  const date = text.slice(0, 10);
  const time = text.slice(11, -3);
  if (time.length === 12) return `${date}T${time}Z`;
  const [seconds, fraction = ""] = time.split(".");
  return `${date}T${seconds}.${fraction.padEnd(3, "0")}Z`;
}

/** bytea in hex format; none for NULL, which is no hash and no salt either. */
export function bytes(text: string | null | undefined): Buffer {
  return Buffer.from(text?.slice(2) ?? "", "hex");
}
