import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "./fixtures";
import { TestServer } from "./server";

/** The database's processes: the postmaster and what it started. */
function databaseProcesses(postmaster: number): number[] {
  const children = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) === postmaster;
      } catch {
        return false;
      }
    });
  return [postmaster, ...children.map(Number)];
}

test("a database that does not answer gives 503 with Retry-After in JSON; back again, the same requests are stored once", async () => {
  test.skip(process.platform !== "linux", "finds the database's processes in /proc");
  const server = new TestServer();
  try {
    await server.start();
    const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Outage");
    const { key } = await server.cliJson<{ key: string }>(
      "keys",
      "create",
      "--name",
      "k",
      "--org",
      id,
    );
    const send = (name: string) =>
      fetch(`${server.url}/audit_logs/events`, {
        method: "POST",
        headers: { Authorization: `Bearer ${key}`, "Idempotency-Key": name },
        body: JSON.stringify({
          organization_id: id,
          event: {
            action: "outage.tested",
            occurred_at: new Date(1_767_000_000_000).toISOString(),
            actor: { type: "user", id: "u1" },
            targets: [],
            metadata: { name },
          },
        }),
      });
    expect((await send("before")).status).toBe(200);

    const frozen = databaseProcesses(server.databasePid());
    for (const pid of frozen) process.kill(pid, "SIGSTOP");
    const names = Array.from({ length: 20 }, (_, at) => `during-${at}`);
    const answers = await Promise.all(names.map(send));
    for (const answer of answers) {
      expect(answer.status).toBe(503);
      expect(answer.headers.get("content-type")).toBe("application/json; charset=utf-8");
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(await answer.json()).toMatchObject({
        message: expect.any(String),
        code: "unavailable",
      });
    }
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);

    for (const pid of frozen) process.kill(pid, "SIGCONT");
    for (const name of [...names, ...names]) {
      await expect.poll(async () => (await send(name)).status, { timeout: 30_000 }).toBe(200);
    }
    // And the event of the key.
    const verdict = await server.cliJson<{ ok: boolean; checked: number }>("verify", "--org", id);
    expect(verdict).toMatchObject({ ok: true, checked: 22 });
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  } finally {
    await server.remove();
  }
});
