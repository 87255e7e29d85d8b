import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { hashPassword, passwordMatches } from "./passwords";
import { findSession } from "./sessions";
import { signIn } from "./sign-in";
import { systemInstanceScope } from "./system-scope";
import { createUser, newUserSchema } from "./users";

let db: TestDatabase;
const password = "correct horse battery";
const operator = systemInstanceScope("cli");

async function makeUser(email: string): Promise<string> {
  const user = { name: "Someone", email, password, instanceAdmin: true, organizationId: null };
  return (await createUser(operator, user)).id;
}

let lastAddress = 0;
/** Documentation addresses, a new one each time, so that tests do not throttle each other. */
function freshClient() {
  lastAddress += 1;
  return { address: `198.51.100.${lastAddress}`, userAgent: "test" };
}

const attempt = (email: string, guess: string, client = freshClient()) =>
  signIn({ email, password: guess }, client);

beforeAll(async () => {
  db = await testDatabase();
});

afterAll(() => db.close());

describe("signing in", () => {
  it("opens a session of the user, whatever the e-mail's case", async () => {
    const id = await makeUser("mei@example.com");
    const signedIn = await attempt(" Mei@Example.COM ", password);
    expect(signedIn?.id).toBe(id);
    expect(await findSession(signedIn?.sessionId ?? "")).toMatchObject({ id, instanceAdmin: true });
  });

  it("opens a new session each time: nobody can prepare one for somebody else", async () => {
    await makeUser("ada@example.com");
    const sessions = [
      await attempt("ada@example.com", password),
      await attempt("ada@example.com", password),
    ];
    expect(sessions[0]?.sessionId).not.toBe(sessions[1]?.sessionId);
  });

  it("answers a wrong password, an unknown and a deactivated user alike", async () => {
    const id = await makeUser("left@example.com");
    await db.owner.query("UPDATE users SET deactivated_at = now() WHERE id = $1", [id]);
    await makeUser("here@example.com");
    expect(await attempt("left@example.com", password)).toBeNull();
    expect(await attempt("here@example.com", `${password}!`)).toBeNull();
    expect(await attempt("nobody@example.com", password)).toBeNull();
    expect(await attempt("", "")).toBeNull();
    for (const input of [null, {}, { email: 1, password }, { email: "here@example.com" }]) {
      expect(await signIn(input, freshClient())).toBeNull();
    }
  });

  it("takes an unknown user as long as a wrong password", async () => {
    await makeUser("timed@example.com");
    const durations: Record<string, number[]> = { known: [], unknown: [] };
    const time = async (kind: string, email: string) => {
      const started = performance.now();
      await attempt(email, "a wrong password");
      durations[kind]?.push(performance.now() - started);
    };
    await time("warm-up", "timed@example.com");
    for (let n = 0; n < 5; n += 1) {
      await time("known", "timed@example.com");
      await time("unknown", `unknown${n}@example.com`);
    }
    const fastest = (kind: string) => Math.min(...(durations[kind] as number[]));
    const ratio = fastest("unknown") / fastest("known");
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });
});

describe("the throttle", () => {
  it("stops guesses at one e-mail from anywhere, also with the right password", async () => {
    await makeUser("target@example.com");
    for (let n = 0; n < 10; n += 1) {
      expect(await attempt("target@example.com", `guess ${n}`)).toBeNull();
    }
    await expect(attempt("target@example.com", password)).rejects.toThrow("Throttled");
    await expect(attempt("TARGET@example.com ", password)).rejects.toThrow("Throttled");
  });

  it("does not keep people out of where they signed in before, and counts guesses there too", async () => {
    await makeUser("besieged@example.com");
    const home = freshClient();
    expect(await attempt("besieged@example.com", password, home)).not.toBeNull();
    for (let n = 0; n < 10; n += 1)
      expect(await attempt("besieged@example.com", `guess ${n}`)).toBeNull();
    await expect(attempt("besieged@example.com", password)).rejects.toThrow("Throttled");
    expect(await attempt("besieged@example.com", password, home)).not.toBeNull();
    await expect(attempt("besieged@example.com", password)).rejects.toThrow("Throttled");
    for (let n = 0; n < 10; n += 1)
      expect(await attempt("besieged@example.com", `guess ${n}`, home)).toBeNull();
    await expect(attempt("besieged@example.com", password, home)).rejects.toThrow("Throttled");
  });

  it("treats e-mails that nobody has in the same way", async () => {
    for (let n = 0; n < 10; n += 1) await attempt("ghost@example.com", "x");
    await expect(attempt("ghost@example.com", "x")).rejects.toThrow("Throttled");
  });

  it("counts guesses sent side by side like guesses in a row", async () => {
    await makeUser("burst@example.com");
    const guesses = Array.from({ length: 30 }, (_, n) =>
      attempt("burst@example.com", `guess ${n}`),
    );
    const outcomes = await Promise.allSettled(guesses);
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
  });

  it("stops one client that tries many e-mails, over all of its IPv6 network", async () => {
    await makeUser("patient@example.com");
    const from = (n: number) => ({ address: `2001:db8:1:2::${n.toString(16)}`, userAgent: null });
    for (let n = 0; n < 3; n += 1) {
      const guess = { email: `e${n}@example.com`, password: "x" };
      expect(await signIn(guess, from(n))).toBeNull();
    }
    const { rowCount } = await db.owner.query(
      "UPDATE sign_in_attempts SET failures = 50 WHERE bucket LIKE 'address:%' AND failures = 3",
    );
    expect(rowCount).toBe(1);
    const right = { email: "patient@example.com", password };
    await expect(signIn(right, from(999))).rejects.toThrow("Throttled");
    const neighbour = { address: "2001:db8:1:3::1", userAgent: null };
    expect(await signIn(right, neighbour)).not.toBeNull();
  });

  it("survives a restart", async () => {
    await makeUser("restart@example.com");
    for (let n = 0; n < 10; n += 1) await attempt("restart@example.com", "x");
    // What a process remembers besides the database is gone.
    vi.resetModules();
    const restarted = await import("./sign-in");
    const right = { email: "restart@example.com", password };
    await expect(restarted.signIn(right, freshClient())).rejects.toThrow("Throttled");
  });

  it("opens again after its window, and forgets failures after a success", async () => {
    await makeUser("later@example.com");
    const failures = (count: number, age: string) =>
      db.owner.query(
        "UPDATE sign_in_attempts SET failures = $1, window_start = now() - $2::interval",
        [count, age],
      );
    await attempt("later@example.com", "x");
    await failures(10, "14 minutes 30 seconds");
    await expect(attempt("later@example.com", password)).rejects.toThrow("Throttled");
    await failures(10, "15 minutes 1 second");
    expect(await attempt("later@example.com", "x")).toBeNull();
    await failures(9, "1 minute");
    expect(await attempt("later@example.com", password)).not.toBeNull();
    expect(await attempt("later@example.com", "x")).toBeNull();
    expect(await attempt("later@example.com", password)).not.toBeNull();
  });

  it("keeps no readable e-mail", async () => {
    await attempt("private@example.com", "x");
    const { rows } = await db.owner.query("SELECT bucket FROM sign_in_attempts");
    expect(JSON.stringify(rows)).not.toContain("private");
  });
});

describe("a password", () => {
  it("is kept as scrypt with its parameters and a salt of its own", async () => {
    const hashes = [await hashPassword(password), await hashPassword(password)];
    expect(hashes[0]).toMatch(/^scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/);
    expect(hashes[0]).not.toBe(hashes[1]);
    expect(await passwordMatches(password, hashes[0] ?? null)).toBe(true);
    expect(await passwordMatches(`${password} `, hashes[0] ?? null)).toBe(false);
    expect(await passwordMatches(password, null)).toBe(false);
  });

  it("matches however its accents were typed", async () => {
    const hash = await hashPassword("mot de passe caf\u00e9");
    expect(await passwordMatches("mot de passe cafe\u0301", hash)).toBe(true);
  });

  it("needs 12 characters", () => {
    const user = { email: "a@example.com", name: "A", instanceAdmin: true, organizationId: null };
    expect(newUserSchema.safeParse({ ...user, password: "elevenchars" }).success).toBe(false);
    expect(newUserSchema.safeParse({ ...user, password: "twelve chars" }).success).toBe(true);
  });
});
