import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import os from "node:os";
import path from "node:path";
import { expect, test } from "./fixtures";
import { storedRows, type Writing, write } from "./fixtures/writers";
import { TestServer } from "./server";

const PASSPHRASE = "correct horse battery staple";
const isLong = Boolean(process.env.TRAILSEAL_LONG);
const WRITERS = isLong ? 8 : 3;
/** What is there before the backup. */
const EVENTS = isLong ? 1_000_000 : 1_000;
/** Verification included. */
const LONGEST_RESTORE_MS = 300_000;

interface Made {
  directory: string;
  keys: string;
  covers_until: string;
}

interface Restored {
  ok: boolean;
  logs: {
    organization_id: string;
    verdict: { ok: boolean; checked: number; kind: string | null };
  }[];
  missing: { organization_id: string }[];
}

let place: string;

test.beforeEach(() => {
  place = mkdtempSync(path.join(os.tmpdir(), "trailseal-backup-"));
  mkdirSync(path.join(place, "keys"));
});

test.afterEach(() => rmSync(place, { recursive: true, force: true }));

const startServer = async (dataDir?: string, env: Record<string, string> = {}) => {
  const server = new TestServer({ TRAILSEAL_BACKUP_PASSPHRASE: PASSPHRASE, ...env }, dataDir);
  await server.start();
  return server;
};

const backUp = (server: TestServer, ...more: string[]) =>
  server.cliJson<Made>(
    ...["backup", "--to", path.join(place, "backups"), "--keys", path.join(place, "keys"), ...more],
  );

/** @returns the exit code with what was printed */
async function restore(server: TestServer, { directory, keys }: Made, ...more: string[]) {
  const into = path.join(place, "restored");
  const { code, stdout, stderr } = await server.cli(
    ...["restore", "--from", directory, "--keys", keys, "--data-dir", into, ...more, "--json"],
  );
  const restored = stdout ? (JSON.parse(stdout) as Restored) : null;
  return { code, stderr, into, restored };
}

async function newLog(server: TestServer): Promise<{ id: string; key: string }> {
  const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Backed up");
  const options = ["--name", "writers", "--org", id];
  const { key } = await server.cliJson<{ key: string }>("keys", "create", ...options);
  return { id, key };
}

/** Signs a log up to its head. */
const sign = (server: TestServer, id: string) =>
  server.cliJson("bundle", "--org", id, "--out", path.join(place, "log.ndjson"));

test("what was acknowledged before a backup ends is restored, verified and served, from files and from an archive", async () => {
  if (isLong) test.setTimeout(3_600_000);
  const server = await startServer();
  try {
    const { id, key } = await newLog(server);
    await server.cliJson("seed", "--org", id, "--events", String(EVENTS));
    const state: Writing = { stop: false, acknowledged: new Map() };
    const writers = Array.from({ length: WRITERS }, (_, at) =>
      write(server, key, id, `w${at}`, state),
    );
    await expect.poll(() => state.acknowledged.size).toBeGreaterThan(50);
    await sign(server, id);
    const made = [await backUp(server), await backUp(server, "--archive")];
    // Writers went on meanwhile, and do.
    const sizeThen = state.acknowledged.size;
    await expect.poll(() => state.acknowledged.size).toBeGreaterThan(sizeThen);
    state.stop = true;
    await Promise.all(writers);
    await server.stop();

    for (const backup of made) {
      const until = Date.parse(backup.covers_until);
      const covered = [...state.acknowledged].filter(([, at]) => at < until).map(([one]) => one);
      expect(covered.length).toBeGreaterThan(50);
      const started = performance.now();
      const { code, into, restored, stderr } = await restore(server, backup);
      const tookMs = performance.now() - started;
      expect(code, stderr).toBe(0);
      expect(tookMs).toBeLessThan(LONGEST_RESTORE_MS);
      test.info().annotations.push({
        type: "restored",
        description: `${restored?.logs[0]?.verdict.checked} events in ${Math.round(tookMs / 1_000)} s`,
      });
      expect(restored).toMatchObject({ ok: true, missing: [] });
      const second = await startServer(into);
      try {
        const rows = await storedRows(second, id);
        expect(rows.length).toBeGreaterThanOrEqual(EVENTS + covered.length);
        expect(restored?.logs[0]?.verdict.checked).toBe(rows.length);
        expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_, index) => index));
        const stored = new Set(rows.map((row) => row.request_id));
        expect(covered.filter((one) => !stored.has(one))).toEqual([]);

        // It goes on: the same key is let in, and what comes is chained and signed.
        const next: Writing = { stop: false, acknowledged: new Map() };
        const writer = write(second, key, id, "later", next);
        await expect.poll(() => next.acknowledged.size).toBeGreaterThan(3);
        next.stop = true;
        await writer;
        await sign(second, id);
        expect(await second.cliJson("verify", "--org", id)).toMatchObject({ ok: true });
      } finally {
        await second.remove();
      }
    }
  } finally {
    await server.remove();
  }
});

test("an older backup beside a newer signer's memory, or a witness: what is lost is said, and an epoch goes on", async () => {
  const witness = path.join(place, "witness");
  const server = await startServer(undefined, { TRAILSEAL_WITNESS_DIR: witness });
  let second: TestServer | null = null;
  try {
    const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Older");
    await server.cliJson("seed", "--org", id, "--events", "300");
    await sign(server, id);
    const made = await backUp(server);
    await server.cliJson("seed", "--org", id, "--events", "500");
    await sign(server, id);
    const { id: younger } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "New");
    await server.cliJson("seed", "--org", younger, "--events", "10");
    await sign(server, younger);
    const kept = () => readFileSync(path.join(witness, `${id}.checkpoints`), "utf8");
    await expect.poll(kept).toContain("\n500\n");
    await server.stop();

    // The disk of the database is lost, the rest of the directory is not.
    const left = path.join(place, "left");
    for (const folder of ["signer", "secrets"])
      cpSync(path.join(server.dataDir, folder), path.join(left, folder), { recursive: true });
    const lossy = await restore(server, made, "--old-data-dir", left);
    expect(lossy.code, lossy.stderr).toBe(1);
    expect(lossy.restored).toMatchObject({
      ok: false,
      logs: [
        {
          organization_id: id,
          verdict: { ok: false, kind: "truncated_tail" },
          loss: { start_seq: 300, signed_size: 500, lost: 200 },
        },
      ],
      missing: [{ organization_id: younger, signed_size: 10 }],
    });
    second = await startServer(lossy.into);
    const whole = await second.cli("verify", "--all");
    expect(whole.code).toBe(1);
    expect(whole.stdout).toContain(`trailseal epoch begin --org ${id}`);
    await second.cliJson("epoch", "begin", "--org", id, "--reason", "disk lost", "--yes");
    await second.cliJson("seed", "--org", id, "--events", "50", "--seed", "2");
    await sign(second, id);
    expect(await second.cliJson("verify", "--org", id)).toMatchObject({ ok: true, checked: 351 });
    await second.remove();
    second = null;

    // The whole directory is lost: the witness knows.
    const witnessed = await restore(server, made);
    expect(witnessed.code, witnessed.stderr).toBe(1);
    expect(witnessed.restored?.logs).toMatchObject([{ loss: { signed_size: 500, lost: 200 } }]);
    second = new TestServer({ TRAILSEAL_WITNESS_DIR: witness }, witnessed.into);
    await second.cliJson("epoch", "begin", "--org", id, "--reason", "disk lost", "--yes");
    expect(await second.cliJson("verify", "--org", id)).toMatchObject({ ok: true, checked: 301 });
    await second.remove();
    second = null;

    // With the backup's own memory alone nothing is known to be lost.
    server.env.TRAILSEAL_WITNESS_DIR = "";
    const plain = await restore(server, made);
    expect(plain.code, plain.stderr).toBe(0);
    expect(plain.restored).toMatchObject({ ok: true, missing: [] });
  } finally {
    await second?.stop();
    await server.remove();
  }
});

/** Runs a command and kills it as soon as `isUnderWay`. */
async function killWhen(server: TestServer, isUnderWay: () => boolean, ...args: string[]) {
  const child = spawn(process.execPath, ["scripts/trailseal.mjs", ...args], {
    env: { ...process.env, ...server.env },
    stdio: "ignore",
  });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  await expect.poll(isUnderWay, { intervals: [2] }).toBe(true);
  child.kill("SIGKILL");
  await ended;
}

const namesIn = (directory: string) => (existsSync(directory) ? readdirSync(directory) : []);

test.describe("what is no whole backup", () => {
  let server: TestServer;

  test.beforeAll(async () => {
    server = await startServer();
    await newLog(server);
  });

  test.afterAll(() => server.remove());

  test("a killed backup passes for none, and nothing starts on what a killed restore left", async () => {
    const backups = path.join(place, "killed");
    const isCopying = () =>
      namesIn(backups).some((name) => existsSync(path.join(backups, name, "pg/base")));
    await killWhen(server, isCopying, "backup", "--to", backups, "--without-keys");
    const [left] = namesIn(backups) as [string];
    expect(left).toMatch(/\.part$/);
    expect(await server.cliJson("backup", "list", backups)).toEqual([{ name: left }]);
    const into = path.join(place, "half");
    const restoring = (from: string) => [
      ...["restore", "--from", from, "--without-keys", "--data-dir", into],
    ];
    const refused = await server.cli(...restoring(path.join(backups, left)));
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain("never finished");
    expect(existsSync(into)).toBe(false);

    const { directory } = await backUp(server);
    const isPlacing = () => existsSync(path.join(into, "pg.new/base"));
    await killWhen(server, isPlacing, ...restoring(directory));
    const half = new TestServer({}, into);
    await expect(half.start()).rejects.toThrow("was not finished");
    const again = await server.cli(...restoring(directory));
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toContain("is not empty");
    rmSync(into, { recursive: true });
    // Without keys the database gets new ones.
    expect(await server.cli(...restoring(directory))).toMatchObject({ code: 0 });
  });

  test("a changed byte is named, a replaced backup is told by its keys, and nothing is half restored", async () => {
    const made = await backUp(server);
    expect(await server.cliJson("backup", "--check", made.directory)).toMatchObject({ ok: true });
    expect(await server.cliJson("backup", "--last")).toMatchObject({ with_keys: true });
    const manifestFile = path.join(made.directory, "manifest.json");
    const manifest = readFileSync(manifestFile, "utf8");
    const { files } = JSON.parse(manifest) as { files: { path: string; bytes: number }[] };
    const largest = files
      .filter((file) => file.path.includes("/base/"))
      .sort((a, b) => b.bytes - a.bytes)[0] as { path: string };
    const file = path.join(made.directory, largest.path);
    const whole = readFileSync(file);
    const changed = Buffer.from(whole);
    changed[whole.length >> 1] = (changed[whole.length >> 1] as number) ^ 1;
    writeFileSync(file, changed);
    const check = await server.cli("backup", "--check", made.directory, "--json");
    expect(check.code).toBe(1);
    expect(JSON.parse(check.stdout).damage).toEqual([`${largest.path}: its content was changed.`]);
    const damaged = await restore(server, made);
    expect(damaged.code).toBe(1);
    expect(damaged.stderr).toContain(largest.path);
    expect(readdirSync(damaged.into)).toEqual([]);

    // Whoever can write there writes a manifest that fits, under the same name or another.
    const digest = (bytes: string | Buffer) => createHash("sha256").update(bytes).digest("hex");
    const forge = (text: string) => {
      writeFileSync(manifestFile, text);
      writeFileSync(
        path.join(made.directory, "manifest.sha256"),
        `${digest(text)}  manifest.json\n`,
      );
    };
    const forged = manifest.replace(digest(whole), digest(changed));
    forge(forged);
    expect(await server.cliJson("backup", "--check", made.directory)).toMatchObject({ ok: true });
    expect((await restore(server, made)).stderr).toContain("somebody replaced it");
    forge(forged.replace(/"name": "[^"]+"/, '"name": "trailseal-other"'));
    expect((await restore(server, made)).stderr).toContain("not with trailseal-other");
  });
});
