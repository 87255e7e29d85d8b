import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { binaryQuery, type Statement } from "./binary-query";
import { BinaryRows } from "./binary-rows";
import { createPool } from "./pool";
import { type TestDatabase, testDatabase } from "./test-database";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const LONG_MS = 60_000;

const statement = (text: string, values: string[] = []) => ({ text, values });

/** The one column of a query, then what its connection says next. */
async function read(client: pg.PoolClient, query: Statement, timeoutMs = LONG_MS) {
  const rows = new BinaryRows(1, true);
  const found: string[] = [];
  const keep = () => found.push(rows.text(0));
  await binaryQuery(
    client,
    query,
    (data, from, to) => {
      rows.take(data, keep, from, to);
    },
    timeoutMs,
  );
  return [...found, (await client.query("SELECT 'then' AS next")).rows[0].next];
}

async function withClient(work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
  const client = await db.app.connect();
  try {
    await work(client);
  } finally {
    client.release(true);
  }
}

test("all rows come, and the connection goes on", () =>
  withClient(async (client) => {
    const upTo = (end: string) => statement("SELECT generate_series(1, $1::int)::text", [end]);
    const numbers = Array.from({ length: 50_000 }, (_, at) => String(at + 1));
    expect(await read(client, upTo("50000"))).toEqual([...numbers, "then"]);
    expect(await read(client, upTo("2"))).toEqual(["1", "2", "then"]);
    expect(await read(client, upTo("0"))).toEqual(["then"]);
  }));

test("a query that fails before or within its rows says why, and the connection goes on", () =>
  withClient(async (client) => {
    await expect(read(client, statement("SELECT nothing"))).rejects.toThrow(
      'column "nothing" does not exist',
    );
    const divided = (by: string) =>
      statement("SELECT (1 / ($1::int - g))::text FROM generate_series(1, 10000) g", [by]);
    await expect(read(client, divided("x"))).rejects.toThrow("invalid input syntax");
    let bytes = 0;
    const failing = binaryQuery(
      client,
      divided("9000"),
      (_, from, to) => {
        bytes += to - from;
      },
      LONG_MS,
    );
    await expect(failing).rejects.toThrow("division by zero");
    expect(bytes).toBeGreaterThan(8_999);
    expect((await client.query("SELECT 2 AS two")).rows).toEqual([{ two: 2 }]);
  }));

test("a connection that is lost, and an answer that does not come, fail the read", async () => {
  const pool = createPool(db.app.options.connectionString as string, { max: 1 });
  const client = await pool.connect();
  const asleep = statement("SELECT pg_sleep(60)");
  const lost = binaryQuery(client, asleep, () => undefined, LONG_MS);
  const { processID } = client as unknown as { processID: number };
  const ending = expect(lost).rejects.toThrow(/terminat/);
  await db.owner.query("SELECT pg_terminate_backend($1)", [processID]);
  await ending;
  client.release(true);
  await pool.end();
  await withClient((other) => expect(read(other, asleep, 100)).rejects.toThrow("within 100 ms"));
});
