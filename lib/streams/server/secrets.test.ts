import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeSecrets, openSecret, SecretUnreadableError, sealSecret } from "./secrets";

const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-secrets-"));
beforeAll(() => {
  process.env.TRAILSEAL_DATA_DIR = dataDir;
});
afterAll(() => fs.rmSync(dataDir, { recursive: true, force: true }));

const owner = { organizationId: "org_1", streamId: "als_1" };
const token = "0b9f6d0e-7a1c-4d8e-9f41-aa0c5d7741c9";

it("a sealed secret opens to itself and shows its last four characters only", () => {
  const sealed = sealSecret(owner, "token", token);
  expect(openSecret(owner, "token", sealed)).toBe(token);
  expect(JSON.stringify(sealed)).not.toContain(token);
  expect(describeSecrets({ token: sealed })).toEqual({
    token: { set: true, updatedAt: sealed.updated_at, expiresAt: null, last4: "41c9" },
  });
});

it("a short secret shows nothing of itself", () => {
  expect(sealSecret(owner, "token", "hunter2").last4).toBeNull();
});

it("the same secret sealed twice shares no byte of key, nonce or ciphertext", () => {
  const [one, two] = [sealSecret(owner, "token", token), sealSecret(owner, "token", token)];
  expect(one.sealed).not.toBe(two.sealed);
  expect(one.wrapped_key).not.toBe(two.wrapped_key);
});

it("a secret moved to another organization, stream, field or version does not open", () => {
  const sealed = sealSecret(owner, "token", token);
  for (const [wrongOwner, field, stored] of [
    [{ ...owner, organizationId: "org_2" }, "token", sealed],
    [{ ...owner, streamId: "als_2" }, "token", sealed],
    [owner, "signing_secret", sealed],
    [owner, "token", { ...sealed, version: sealed.version + 1 }],
  ] as const) {
    expect(() => openSecret(wrongOwner, field, stored)).toThrow(SecretUnreadableError);
  }
});

it("a changed byte is noticed", () => {
  const sealed = sealSecret(owner, "token", token);
  const bytes = Buffer.from(sealed.sealed, "base64");
  bytes[14] = (bytes[14] as number) ^ 1;
  const damaged = { ...sealed, sealed: bytes.toString("base64") };
  expect(() => openSecret(owner, "token", damaged)).toThrow(SecretUnreadableError);
});

it("replacing a secret raises its version", () => {
  const first = sealSecret(owner, "token", token);
  const second = sealSecret(owner, "token", "another-token-1234", first);
  expect(second.version).toBe(2);
  expect(openSecret(owner, "token", second)).toBe("another-token-1234");
});

it("a lost envelope key is an error that names the field, never an empty secret", () => {
  const sealed = sealSecret(owner, "token", token);
  fs.rmSync(path.join(dataDir, "secrets/envelope"));
  expect(() => openSecret(owner, "token", sealed)).toThrow("token cannot be opened");
});
