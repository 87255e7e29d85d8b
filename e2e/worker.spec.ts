import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, test } from "./fixtures";
import { startReceiver } from "./fixtures/receiver";
import { sendEvents } from "./fixtures/stream-wizard";
import { TestServer } from "./server";

test("a server without its worker stores events; a worker of its own delivers them, and ends when asked", async () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-worker-"));
  const receiver = await startReceiver({ file: path.join(directory, "stored"), token: "unused" });
  const server = new TestServer({ TRAILSEAL_WORKER: "off" });
  try {
    await server.start();
    const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Apart");
    const options = ["--name", "k", "--org", id];
    const { key } = await server.cliJson<{ key: string }>("keys", "create", ...options);
    await server.cliJson(
      ...["streams", "add", "--org", id, "--name", "s", "--from", "start"],
      ...["--destination", "webhook", "--url", `${receiver.url}/hook`],
    );
    await sendEvents(server, { id, key }, 3);
    // Ten times what a worker needs to see them.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(receiver.requests()).toBe(0);

    const worker = spawn(process.execPath, ["scripts/worker.mjs", "delivery"], {
      cwd: path.resolve(import.meta.dirname, ".."),
      env: { ...process.env, ...server.env, DATABASE_URL: server.appUrl() },
      stdio: "inherit",
    });
    const ended = once(worker, "exit");
    try {
      const sent = () =>
        receiver.stored().filter(({ action }) => !action.startsWith("trailseal.")).length;
      await expect.poll(sent, { timeout: 60_000 }).toBe(3);
    } finally {
      worker.kill("SIGTERM");
    }
    expect(await ended).toEqual([0, null]);
  } finally {
    await server.remove();
    await receiver.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
