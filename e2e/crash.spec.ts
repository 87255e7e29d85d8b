import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, test } from "./fixtures";
import { startReceiver } from "./fixtures/receiver";
import { storedRows, type Writing, write } from "./fixtures/writers";
import { TestServer } from "./server";

const ROUNDS = process.env.TRAILSEAL_LONG ? 12 : 3;
const WRITERS = 8;
const ROUND_MS = 1_200;

test.describe("a kill -9 of the server, of the database, or of both", () => {
  test.setTimeout(300_000);

  test("loses no acknowledged event, leaves no gap or fork, and delivers everything in order", async () => {
    const server = new TestServer();
    const directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-crash-"));
    const receiver = await startReceiver({ file: path.join(directory, "stored.ndjson") });
    try {
      await server.start();
      const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Crash");
      const { key } = await server.cliJson<{ key: string }>(
        "keys",
        "create",
        "--name",
        "crash",
        "--org",
        id,
      );
      await server.cliJson(
        "streams",
        "add",
        "--org",
        id,
        "--name",
        "siem",
        "--destination",
        "webhook",
        "--url",
        `${receiver.url}/hook`,
      );
      const state: Writing = { stop: false, acknowledged: new Map() };
      const writers = Array.from({ length: WRITERS }, (_, writer) =>
        write(server, key, id, `w${writer}`, state),
      );
      const victims = ["server", "database", "both"];
      for (let round = 0; round < ROUNDS; round += 1) {
        await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
        const victim = victims[round % victims.length];
        if (victim !== "server") process.kill(server.databasePid(), "SIGKILL");
        if (victim !== "database") {
          await server.kill();
          await server.start();
        }
      }
      await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
      // A slow machine writes little between two kills.
      await expect.poll(() => state.acknowledged.size).toBeGreaterThan(10);
      state.stop = true;
      await Promise.all(writers);

      const rows = await storedRows(server, id);
      expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index));
      // What the log tells of its key and stream has none.
      const stored = rows.flatMap((row) => row.request_id ?? []);
      expect(new Set(stored).size).toBe(stored.length);
      expect(
        [...state.acknowledged.keys()].filter((requestId) => !stored.includes(requestId)),
      ).toEqual([]);

      // Checkpoints go along; they have no number.
      const delivered = () => [
        ...new Set(receiver.stored().flatMap(({ seq }) => (seq === null ? [] : [seq]))),
      ];
      const health = () => server.cli("streams", "list", "--org", id, "--json");
      await expect
        .poll(() => delivered().length, { timeout: 60_000 })
        .toBe(rows.length)
        .catch(async (error: Error) => {
          // What the stream says of itself is what an operator would look at.
          error.message += `
${(await health()).stdout}
${server.output}`;
          throw error;
        });
      expect(delivered()).toEqual(rows.map(({ seq }) => seq));

      const verdict = await server.cliJson<{ ok: boolean; checked: number }>("verify", "--org", id);
      expect(verdict).toMatchObject({ ok: true, checked: rows.length });
    } finally {
      await server.remove();
      await receiver.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });

  test("two starts at once: one serves, the other says where", async () => {
    const first = new TestServer();
    const second = new TestServer({}, first.dataDir);
    try {
      const outcomes = await Promise.allSettled([first.start(), second.start()]);
      const words = outcomes.map((one) =>
        one.status === "rejected" ? String(one.reason) : "serves",
      );
      expect(
        words.filter((word) => word === "serves"),
        words.join("\n"),
      ).toHaveLength(1);
      const [serving, other] =
        outcomes[0]?.status === "fulfilled" ? [first, second] : [second, first];
      expect(other.output).toContain(`already running on this data directory: ${serving.url}`);
      expect((await fetch(`${serving.url}/healthz`)).status).toBe(200);
    } finally {
      await second.stop();
      await first.remove();
    }
  });
});
