import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { parseEnv } from "@/lib/env";
import {
  createFirstAdministrator,
  ensureAdminFromEnv,
  isSetupToken,
  mintSetupToken,
} from "./setup";
import { systemInstanceScope } from "./system-scope";
import { createUser, findUserByPassword } from "./users";

let db: TestDatabase;

beforeEach(async () => {
  db = await testDatabase();
});

afterEach(() => db.close());

const ada = { email: "ada@example.com", name: "Ada", password: "correct horse battery" };
const mal = { email: "mal@example.com", name: "Mal", password: "correct horse battery" };

async function mint(): Promise<string> {
  return (await mintSetupToken()) ?? expect.fail();
}

async function users(): Promise<{ email: string; instance_admin: boolean }[]> {
  return (await db.owner.query("SELECT email, instance_admin FROM users")).rows;
}

describe("the set-up link", () => {
  it("creates the first administrator, once", async () => {
    const token = await mint();
    await createFirstAdministrator(token, ada);
    expect(await users()).toEqual([{ email: ada.email, instance_admin: true }]);
    expect(await findUserByPassword(ada.email, ada.password)).not.toBeNull();
    await expect(createFirstAdministrator(token, mal)).rejects.toMatchObject({ code: "forbidden" });
    expect(await users()).toHaveLength(1);
    expect(await isSetupToken(token)).toBe(false);
    expect(await mintSetupToken()).toBeNull();
  });

  it("used twice at the same moment makes one administrator", async () => {
    const token = await mint();
    const outcomes = await Promise.allSettled([
      createFirstAdministrator(token, ada),
      createFirstAdministrator(token, mal),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await users()).toHaveLength(1);
  });

  it("stops working when the next start prints another", async () => {
    const old = await mint();
    const fresh = await mint();
    expect(await isSetupToken(old)).toBe(false);
    await expect(createFirstAdministrator(old, mal)).rejects.toMatchObject({ code: "forbidden" });
    await createFirstAdministrator(fresh, ada);
  });

  it("is worth nothing once somebody made a user in another way", async () => {
    const token = await mint();
    await createUser(systemInstanceScope("cli"), {
      ...ada,
      instanceAdmin: true,
      organizationId: null,
    });
    expect(await isSetupToken(token)).toBe(false);
    await expect(createFirstAdministrator(token, mal)).rejects.toMatchObject({ code: "forbidden" });
    expect(await users()).toHaveLength(1);
  });

  it("is not spent by a failure", async () => {
    const token = await mint();
    await db.owner.query("ALTER TABLE users RENAME TO users_away");
    await expect(createFirstAdministrator(token, ada)).rejects.toThrow();
    await db.owner.query("ALTER TABLE users_away RENAME TO users");
    expect(await isSetupToken(token)).toBe(true);
    await createFirstAdministrator(token, ada);
  });

  it("is kept as a hash, and cannot be guessed", async () => {
    const token = await mint();
    expect(Buffer.from(token, "base64url").length).toBeGreaterThanOrEqual(24);
    const { rows } = await db.owner.query("SELECT value::text FROM settings");
    expect(JSON.stringify(rows)).not.toContain(token);
    for (const guess of ["", "x", `${token}x`, token.slice(1)]) {
      expect(await isSetupToken(guess)).toBe(false);
      await expect(createFirstAdministrator(guess, mal)).rejects.toMatchObject({
        code: "forbidden",
      });
    }
  });
});

describe("the administrator from the environment", () => {
  it("is made at the first start and left alone later", async () => {
    const env = parseEnv({
      TRAILSEAL_ADMIN_EMAIL: "Ops@Example.com",
      TRAILSEAL_ADMIN_PASSWORD: "correct horse battery",
    });
    await ensureAdminFromEnv(env);
    await ensureAdminFromEnv({ ...env, TRAILSEAL_ADMIN_EMAIL: "other@example.com" });
    expect(await users()).toEqual([{ email: "ops@example.com", instance_admin: true }]);
    expect(await mintSetupToken()).toBeNull();
  });
});
