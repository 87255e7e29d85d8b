import { parentPort, workerData } from "node:worker_threads";
import pg from "pg";
import { originAtOf } from "./epochs";
import { PlainWindows, type WindowRequest } from "./plain-window";
import { Snapshot } from "./snapshot";
import type { WindowThreadData } from "./window-threads";

// A thread of a verification (window-threads.ts): checks windows in the snapshot of the walk.

// What the thread is made with, by the walk of the same program: a schema would take longer to load than it is worth.
const { connectionString, organizationId, snapshotId, epochs } = workerData as WindowThreadData;

const client = new pg.Client({ connectionString, application_name: "trailseal-verify" });
await client.connect();
await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
// Who waits for a lock behind the walk would have this thread wait, and the walk for it.
await client.query(`SET LOCAL lock_timeout = '10s'`);
await client.query(`SET TRANSACTION SNAPSHOT ${pg.escapeLiteral(snapshotId)}`);
const snapshot = new Snapshot(client, organizationId);
await snapshot.prepare();
const windows = await PlainWindows.open(snapshot, originAtOf(epochs));

parentPort?.on("message", async (request: WindowRequest) => {
  const plain = await windows.check(request);
  parentPort?.postMessage(
    { from: request.from, plain },
    plain ? [plain.hashes.buffer as ArrayBuffer] : [],
  );
});
