import { afterAll, beforeAll, expect, test } from "vitest";
import { copyOut } from "./copy-out";
import { createPool } from "./pool";
import { type TestDatabase, testDatabase } from "./test-database";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const LONG_MS = 60_000;

/** What a COPY of a query sends, then what its connection says next. */
async function read(query: string, timeoutMs = LONG_MS): Promise<string> {
  const client = await db.app.connect();
  let text = "";
  try {
    await copyOut(
      client,
      `COPY (${query}) TO STDOUT`,
      (data, from, to) => {
        text += data.toString("utf8", from, to);
      },
      timeoutMs,
    );
    return text + (await client.query("SELECT 'then' AS next")).rows[0].next;
  } finally {
    client.release(true);
  }
}

test("all rows come, and the connection goes on", async () => {
  const numbers = Array.from({ length: 50_000 }, (_, at) => at + 1);
  expect(await read("SELECT generate_series(1, 50000)")).toBe(`${numbers.join("\n")}\nthen`);
  expect(await read("SELECT WHERE false")).toBe("then");
});

test("a COPY that fails before or within its data says why, and the connection goes on", async () => {
  await expect(read("SELECT nothing")).rejects.toThrow('column "nothing" does not exist');
  const client = await db.app.connect();
  const query = "SELECT 1 / (9000 - g) FROM generate_series(1, 10000) g";
  let bytes = 0;
  const failing = copyOut(
    client,
    `COPY (${query}) TO STDOUT`,
    (_, from, to) => {
      bytes += to - from;
    },
    LONG_MS,
  );
  await expect(failing).rejects.toThrow("division by zero");
  expect(bytes).toBeGreaterThan(8_999);
  expect((await client.query("SELECT 2 AS two")).rows).toEqual([{ two: 2 }]);
  client.release();
});

test("a connection that is lost, and an answer that does not come, fail the read", async () => {
  const pool = createPool(db.app.options.connectionString as string, { max: 1 });
  const client = await pool.connect();
  const lost = copyOut(client, "COPY (SELECT pg_sleep(60)) TO STDOUT", () => undefined, LONG_MS);
  const { processID } = client as unknown as { processID: number };
  const ending = expect(lost).rejects.toThrow(/terminat/);
  await db.owner.query("SELECT pg_terminate_backend($1)", [processID]);
  await ending;
  client.release(true);
  await pool.end();
  await expect(read("SELECT pg_sleep(60)", 100)).rejects.toThrow("within 100 ms");
});
