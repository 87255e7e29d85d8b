import { workerData } from "node:worker_threads";
import pg from "pg";
import { type Reading, readAndHash } from "./read-and-hash";

// A thread of the bare side of the verification's benchmark (bulk.ts).

const { connectionString, reading } = workerData as { connectionString: string; reading: Reading };
const client = new pg.Client({ connectionString });
await client.connect();
await readAndHash(client, reading);
await client.end();
