import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lockHolder, takeLock } from "./process-lock";

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), "trailseal-lock-"));
  file = path.join(directory, "lock");
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const hold = (pid: number, started: string) =>
  writeFileSync(file, JSON.stringify({ pid, started, role: "server" }));

describe("takeLock", () => {
  test("one holder at a time; given back, it can be taken again", () => {
    const release = takeLock(file, "server");
    expect(takeLock(file, "cli")).toMatchObject({ pid: process.pid, role: "server" });
    expect(lockHolder(file)).toMatchObject({ pid: process.pid });
    if (typeof release === "function") release();
    expect(lockHolder(file)).toBeNull();
    expect(typeof takeLock(file, "cli")).toBe("function");
  });

  test("the lock of a process that has ended is taken over", () => {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    hold(pid, "1");
    expect(typeof takeLock(file, "server")).toBe("function");
  });

  test.skipIf(process.platform !== "linux")(
    "a process id that was used again is not mistaken for the holder",
    () => {
      hold(process.ppid, "not its start time");
      expect(lockHolder(file)).toBeNull();
      expect(typeof takeLock(file, "server")).toBe("function");
    },
  );

  test("a half-written lock file does not lock anybody out", () => {
    writeFileSync(file, '{"pid":');
    expect(typeof takeLock(file, "server")).toBe("function");
  });
});
