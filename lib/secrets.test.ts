import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readSecret } from "./secrets";

let dataDir: string;

beforeEach(() => {
  dataDir = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-secrets-"));
});

afterEach(() => fs.rmSync(dataDir, { recursive: true, force: true }));

describe("a secret", () => {
  it("is made once, of 32 random bytes, readable by its owner only", () => {
    const session = readSecret("session", dataDir);
    expect(session).toMatch(/^[0-9a-f]{64}$/);
    expect(readSecret("session", dataDir)).toBe(session);
    expect(readSecret("envelope", dataDir)).not.toBe(session);
    const mode = (name: string) => fs.statSync(path.join(dataDir, name)).mode & 0o777;
    expect(mode("secrets")).toBe(0o700);
    expect(mode("secrets/session")).toBe(0o600);
    expect(fs.readdirSync(path.join(dataDir, "secrets")).sort()).toEqual(["envelope", "session"]);
  });

  it("stays private whatever the umask is", () => {
    const before = process.umask(0);
    try {
      readSecret("signing", dataDir);
    } finally {
      process.umask(before);
    }
    expect(fs.statSync(path.join(dataDir, "secrets/signing")).mode & 0o777).toBe(0o400);
  });

  it("that was damaged is refused, not replaced", () => {
    readSecret("envelope", dataDir);
    const file = path.join(dataDir, "secrets/envelope");
    for (const damage of ["", "0".repeat(63), "not hex ".repeat(8)]) {
      fs.writeFileSync(file, damage);
      expect(() => readSecret("envelope", dataDir)).toThrow(file);
      expect(fs.readFileSync(file, "utf8")).toBe(damage);
    }
  });
});
