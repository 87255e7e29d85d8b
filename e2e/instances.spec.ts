import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { signInByRequest } from "./denial/visitor";
import { expect, test } from "./fixtures";
import { startReceiver } from "./fixtures/receiver";
import { sendEvents } from "./fixtures/stream-wizard";
import { TestServer } from "./server";

const EACH = 60;
const OWNER = { email: "owner@example.com", password: "" };

/** One that serves the database of another, with its secrets and what it signed, as on a second machine. */
function beside(first: TestServer): TestServer {
  const dataDir = mkdtempSync(path.join(os.tmpdir(), "trailseal-e2e-"));
  cpSync(path.join(first.dataDir, "secrets"), path.join(dataDir, "secrets"), { recursive: true });
  mkdirSync(path.join(first.dataDir, "signer"), { recursive: true });
  symlinkSync(path.join(first.dataDir, "signer"), path.join(dataDir, "signer"));
  const database = { DATABASE_URL: first.appUrl(), DATABASE_OWNER_URL: first.ownerUrl() };
  return new TestServer({ TRAILSEAL_WORKER: "off", ...database }, dataDir);
}

function startWorker(of: TestServer, database: string): ChildProcess {
  return spawn(process.execPath, ["scripts/worker.mjs"], {
    cwd: path.resolve(import.meta.dirname, ".."),
    env: { ...process.env, ...of.env, DATABASE_URL: database },
    stdio: ["ignore", "inherit", "inherit"],
  });
}

async function end(worker: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const ended = once(worker, "exit");
  worker.kill(signal);
  await ended;
}

test("two servers and two workers are one product: sessions, throttle, sealing, streams, exports, one signer", async ({
  browser,
  playwright,
}) => {
  test.setTimeout(300_000);
  const directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-instances-"));
  const receiver = await startReceiver({ file: path.join(directory, "stored"), token: "unused" });
  const first = new TestServer({ TRAILSEAL_WORKER: "off" });
  const workers: ChildProcess[] = [];
  let second: TestServer | null = null;
  try {
    await first.start();
    second = beside(first);
    await second.start();
    const { id } = await first.cliJson<{ id: string }>("orgs", "create", "--name", "Both");
    const made = await first.cliJson<{ password: string }>(
      ...["users", "create", "--email", OWNER.email, "--org", id, "--role", "owner"],
    );
    OWNER.password = made.password;
    const options = ["--name", "k", "--org", id, "--permissions", "events:write,exports"];
    const { key } = await first.cliJson<{ key: string }>("keys", "create", ...options);
    await first.cliJson(
      ...["streams", "add", "--org", id, "--name", "s", "--from", "start"],
      ...["--destination", "webhook", "--url", `${receiver.url}/hook`],
    );
    for (const server of [first, second]) workers.push(startWorker(server, first.appUrl()));

    // A session opened here is one there, and ends there too.
    const here = await playwright.request.newContext({ baseURL: first.url });
    await signInByRequest(here, OWNER);
    const storageState = await here.storageState();
    const there = await browser.newContext({ baseURL: second.url, storageState });
    const page = await there.newPage();
    await page.goto(`/o/${id}/events`);
    await expect(page).toHaveURL(/\/events/);

    // What one server takes, the other's page shows without being asked again.
    await sendEvents(first, { id, key }, 1, "seen.elsewhere");
    await page.goto(`/o/${id}/events?q=action%3Aseen.elsewhere`);
    await expect(page.getByText("seen.elsewhere").first()).toBeVisible();

    // Both seal into one chain at once.
    await Promise.all([
      sendEvents(first, { id, key }, EACH, "from.first"),
      sendEvents(second, { id, key }, EACH, "from.second"),
    ]);
    const received = (action: string) =>
      receiver.stored().filter((event) => event.action === action).length;
    for (const action of ["from.first", "from.second"])
      await expect.poll(() => received(action), { timeout: 60_000 }).toBe(EACH);

    // One worker dies: what it was at is the other's.
    await end(workers[0] as ChildProcess, "SIGKILL");
    await sendEvents(second, { id, key }, EACH, "after.death");
    await expect.poll(() => received("after.death"), { timeout: 60_000 }).toBe(EACH);
    const request = await fetch(`${second.url}/audit_logs/exports`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({
        organization_id: id,
        range_start: "2020-01-01T00:00:00Z",
        range_end: new Date(Date.now() + 60_000).toISOString(),
      }),
    });
    expect(request.status).toBe(201);
    const asked = (await request.json()) as { id: string };
    const state = async () => {
      const headers = { authorization: `Bearer ${key}` };
      const answer = await fetch(`${first.url}/audit_logs/exports/${asked.id}`, { headers });
      return ((await answer.json()) as { state: string }).state;
    };
    await expect.poll(state, { timeout: 60_000 }).toBe("ready");

    // Each event once, in the order of the chain, and one history that is signed.
    const ours = receiver.stored().filter(({ action }) => /^(from|after)\./.test(action));
    expect(ours).toHaveLength(3 * EACH);
    await expect(async () => {
      const verdict = await first.cliJson<{ ok: boolean }>("verify", "--org", id);
      expect(verdict).toMatchObject({ ok: true });
    }).toPass({ timeout: 60_000 });

    // Guesses at both count together.
    const refusals: string[] = [];
    for (let n = 0; n < 11; n += 1) {
      const server = n % 2 ? first : second;
      const visitor = await playwright.request.newContext({ baseURL: server.url });
      const guess = { email: "nobody@example.com", password: `guess ${n}` };
      refusals.push(await (await signInByRequest(visitor, guess)).text());
      await visitor.dispose();
    }
    expect(refusals.slice(0, 10).join()).not.toContain("Throttled");
    expect(refusals[10]).toContain("Throttled");

    const { csrfToken } = (await (await here.get("/api/auth/csrf")).json()) as {
      csrfToken: string;
    };
    await here.post("/api/auth/signout", { form: { csrfToken, json: "true" } });
    await page.goto(`/o/${id}/events`);
    await expect(page).toHaveURL(/sign-in/);
    await there.close();
  } finally {
    for (const worker of workers) await end(worker, "SIGTERM");
    await second?.remove();
    await first.remove();
    await receiver.close();
    rmSync(directory, { recursive: true, force: true });
  }
});
