import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type Receiver, startReceiver } from "@/e2e/fixtures/receiver";
import type { Scope } from "@/lib/auth/scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import {
  addStream,
  append,
  drained,
  newOrganization,
  plain,
  received,
  tally,
  until,
  upTo,
} from "@/lib/streams/server/delivery-fixtures";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

const directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-workers-"));
const bundle = path.resolve(".build/test", `worker-${process.pid}.mjs`);
const started: ChildProcess[] = [];
let db: TestDatabase;
let receiver: Receiver;

beforeAll(async () => {
  db = await testDatabase();
  receiver = await startReceiver({ file: path.join(directory, "received.ndjson") });
  await build({
    ...{ entryPoints: ["lib/workers/main.ts"], outfile: bundle, bundle: true, platform: "node" },
    ...{ format: "esm", packages: "external", logLevel: "warning" },
  });
});
afterEach(() => {
  for (const worker of started.splice(0)) worker.kill("SIGKILL");
});
afterAll(async () => {
  fs.rmSync(bundle, { force: true });
  fs.rmSync(directory, { recursive: true, force: true });
  await receiver.close();
  await db.close();
});

/** Without the owner's login: a worker only works. */
function startWorker(...loops: string[]): ChildProcess {
  const { DATABASE_OWNER_URL: _, ...env } = process.env;
  const worker = spawn(process.execPath, [bundle, ...loops], {
    env,
    stdio: ["ignore", "inherit", "pipe"],
  });
  started.push(worker);
  return worker;
}

it("two worker processes share the streams; each stops when asked, and one goes on alone", async () => {
  const streams: [Scope, string][] = [];
  for (let count = 0; count < 4; count += 1) {
    const scope = await newOrganization();
    streams.push([scope, await addStream(receiver, scope, "webhook")]);
    await append(scope, plain(1_800));
  }
  receiver.setFault({ mode: "slow", delayMs: 200 });
  const workers = [startWorker("delivery"), startWorker("delivery", "streams")];
  const owners = new Set<string>();
  let sent = 1_800;
  await until("work of both", async () => {
    // One may have done all there was before the other has started.
    await Promise.all(streams.map(([scope]) => append(scope, plain(1))));
    sent += 1;
    const { rows } = await db.app.query(
      "SELECT lease_owner FROM stream_state WHERE lease_owner IS NOT NULL",
    );
    for (const { lease_owner } of rows) owners.add(String(lease_owner));
    return owners.size === 2;
  });
  workers[0]?.kill("SIGINT");
  expect(await once(workers[0] as ChildProcess, "exit")).toEqual([0, null]);
  receiver.setFault({ mode: "ok" });
  for (const [scope, id] of streams) await drained(scope, id);
  workers[1]?.kill("SIGTERM");
  expect(await once(workers[1] as ChildProcess, "exit")).toEqual([0, null]);
  for (const [, id] of streams) {
    const own = received(receiver).filter(({ deliveryId }) => deliveryId?.includes(id.slice(4)));
    expect(tally(own, upTo(sent))).toEqual({ lost: [], copies: 0, outOfOrder: 0 });
  }
});

it("a loop that there is not is refused with the names of those that there are", async () => {
  const worker = startWorker("delivry");
  let said = "";
  worker.stderr?.on("data", (chunk: Buffer) => {
    said += chunk;
  });
  expect(await once(worker, "close")).toEqual([2, null]);
  expect(said).toContain("There is no loop delivry. Known: housekeeping,");
});
