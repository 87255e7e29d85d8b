import { randomBytes } from "node:crypto";
import { expect, test } from "../fixtures";
import { TestServer } from "../server";

const isLong = Boolean(process.env.TRAILSEAL_LONG);
const PASSWORDS = isLong ? 10_000 : 200;
const KEYS = isLong ? 10_000 : 1_500;
const AT_ONCE = 16;

/** As a proxy passes them on; each from another network. */
const elsewhere = (n: number) => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
const HOME = "203.0.113.7";

async function sideBySide<T>(count: number, work: (n: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const one = async () => {
    while (next < count) results.push(await work(next++));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return results;
}

test("thousands of guesses are throttled, and whoever the account or key belongs to goes on meanwhile", async () => {
  test.setTimeout(isLong ? 1_800_000 : 240_000);
  const server = new TestServer({
    TRUSTED_PROXIES: "127.0.0.1",
    TRAILSEAL_RATE_LIMIT_PER_MINUTE: "100000",
  });
  try {
    await server.start();
    const { id } = await server.cliJson<{ id: string }>("orgs", "create", "--name", "Besieged");
    const email = "besieged@example.com";
    const { password } = await server.cliJson<{ password: string }>(
      ...["users", "create", "--email", email, "--org", id, "--role", "owner"],
    );
    const { key } = await server.cliJson<{ key: string }>(
      ...["keys", "create", "--org", id, "--name", "app", "--permissions", "events:read"],
    );

    const csrf = await fetch(`${server.url}/api/auth/csrf`);
    const cookie = csrf.headers
      .getSetCookie()
      .map((line) => line.split(";", 1)[0])
      .join("; ");
    const { csrfToken } = (await csrf.json()) as { csrfToken: string };
    /** @returns what the sign-in form shows: a session, a wrong password, too many attempts */
    const signIn = async (guess: string, address: string) => {
      const response = await fetch(`${server.url}/api/auth/callback/credentials`, {
        method: "POST",
        redirect: "manual",
        headers: { cookie, "x-forwarded-for": address },
        body: new URLSearchParams({ email, password: guess, csrfToken, json: "true" }),
      });
      const isOpen = response.headers
        .getSetCookie()
        .some((line) => /session-token=[^;]/.test(line));
      const { url } = (await response.json()) as { url: string };
      return isOpen ? "session" : (new URL(url).searchParams.get("error") ?? "none");
    };

    expect(await signIn(password, HOME)).toBe("session");
    // Those that are looked at cost what a password costs; side by side they would only queue.
    const guessed: string[] = [];
    while (guessed.at(-1) !== "Throttled" && guessed.length < 20)
      guessed.push(await signIn(`first ${guessed.length}`, elsewhere(guessed.length)));
    guessed.push(...(await sideBySide(PASSWORDS, (n) => signIn(`guess ${n}`, elsewhere(n)))));
    expect(new Set(guessed)).toEqual(new Set(["CredentialsSignin", "Throttled"]));
    // A window may end on the way.
    expect(guessed.filter((outcome) => outcome !== "Throttled").length).toBeLessThanOrEqual(30);
    expect(await signIn(password, elsewhere(PASSWORDS))).toBe("Throttled");
    expect(await signIn(password, HOME)).toBe("session");

    const list = async (secret: string, address: string) => {
      const headers = { authorization: `Bearer ${secret}`, "x-forwarded-for": address };
      return (await fetch(`${server.url}/v1/events?organization_id=${id}`, { headers })).status;
    };
    expect(await list(key, HOME)).toBe(200);
    const statuses = await sideBySide(KEYS, () =>
      list(`sk_${randomBytes(32).toString("base64url")}`, HOME),
    );
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
    expect(statuses.slice(-50)).toContain(429);
    // The application beside whoever guesses, and one elsewhere.
    expect(await list(key, HOME)).toBe(200);
    expect(await list(key, "198.51.100.9")).toBe(200);
  } finally {
    await server.remove();
  }
});
