import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { build } from "esbuild";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Receiver, startReceiver } from "@/e2e/fixtures/receiver";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { newId } from "@/lib/ids";
import { MAX_BATCH_EVENTS } from "@/lib/streams/destination";
import {
  addStream,
  append,
  drained,
  FAST,
  newOrganization,
  plain,
  TOKEN,
  tally,
  until,
  upTo,
} from "./delivery-fixtures";
import { getStream } from "./streams";

process.env.TRAILSEAL_EGRESS_ALLOW = "127.0.0.1";

let db: TestDatabase;
let receiver: Receiver;
const directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-deliver-"));

beforeAll(async () => {
  db = await testDatabase();
});
afterAll(async () => {
  await db.close();
  fs.rmSync(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  receiver = await startReceiver({
    file: path.join(directory, `${newId("job")}.ndjson`),
    token: TOKEN,
  });
});
afterEach(() => receiver.close());

describe("a delivering process killed with SIGKILL", () => {
  const bundle = path.resolve(".build/test", `deliver-${process.pid}.mjs`);
  beforeAll(async () => {
    await build({
      stdin: {
        contents: `import { deliverDue } from "@/lib/streams/server/deliver";
          deliverDue(new AbortController().signal, ${JSON.stringify(FAST)});`,
        resolveDir: process.cwd(),
        loader: "ts",
      },
      alias: { "@": process.cwd() },
      outfile: bundle,
      bundle: true,
      platform: "node",
      format: "esm",
      packages: "external",
      logLevel: "warning",
    });
  });
  afterAll(() => fs.rmSync(bundle, { force: true }));

  function startProcess(): ChildProcess {
    return spawn(process.execPath, [bundle], { stdio: ["ignore", "inherit", "inherit"] });
  }

  it("three times in mid-batch: nothing lost, in order, copies of one batch per kill at most", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook");
    await append(scope, plain(5_000));
    for (let kill = 1; kill <= 3; kill += 1) {
      receiver.setFault({ mode: "slow", delayMs: 300 });
      const before = receiver.stored().length;
      const child = startProcess();
      await until(
        "a batch under way",
        async () => receiver.stored().length >= before + 2 * MAX_BATCH_EVENTS,
      );
      child.kill("SIGKILL");
      await new Promise((resolve) => child.once("exit", resolve));
      expect((await getStream(scope, id)).lagEvents).toBeGreaterThan(0);
    }
    receiver.setFault({ mode: "ok" });
    const child = startProcess();
    await drained(scope, id);
    child.kill("SIGKILL");
    const { lost, copies, outOfOrder } = tally(receiver.stored(), upTo(5_000));
    console.info(`killed 3 times: ${copies} copies of 5000`);
    expect({ lost, outOfOrder }).toEqual({ lost: [], outOfOrder: 0 });
    expect(copies).toBeLessThanOrEqual(3 * MAX_BATCH_EVENTS);
    expect((await getStream(scope, id)).delivered).toBe(5_000);
  });

  it("a process asleep past its lease wakes up fenced: the next one's place in the log stands", async () => {
    const scope = await newOrganization();
    const id = await addStream(receiver, scope, "webhook");
    await append(scope, plain(4_000));
    receiver.setFault({ mode: "slow", delayMs: 300 });
    const zombie = startProcess();
    await until("a batch under way", async () => receiver.stored().length >= MAX_BATCH_EVENTS);
    zombie.kill("SIGSTOP");
    const before = (await getStream(scope, id)).cursorSeq;
    const next = startProcess();
    await until("the next holder", async () => (await getStream(scope, id)).cursorSeq > before);
    zombie.kill("SIGCONT");
    receiver.setFault({ mode: "ok" });
    await drained(scope, id);
    for (const child of [zombie, next]) child.kill("SIGKILL");
    const { lost, copies } = tally(receiver.stored(), upTo(4_000));
    console.info(`asleep past its lease: ${copies} copies of 4000`);
    expect(lost).toEqual([]);
    expect(copies).toBeLessThanOrEqual(MAX_BATCH_EVENTS);
    expect((await getStream(scope, id)).delivered).toBe(4_000);
  });
});
