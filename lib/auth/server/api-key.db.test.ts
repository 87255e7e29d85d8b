import { afterAll, beforeAll, expect, it } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { runWithRequestContext } from "@/lib/http/request-context";
import { createApiKey, revokeApiKey } from "@/lib/keys/server/api-keys";
import { createOrganization } from "@/lib/orgs/server/organizations";
import { authenticateApiKey, WRONG_KEYS_PER_MINUTE } from "./api-key";
import { systemInstanceScope, systemScope } from "./system-scope";

let db: TestDatabase;
let acme: string;
const own = () => systemScope("cli", acme);

beforeAll(async () => {
  db = await testDatabase();
  acme = (await createOrganization(systemInstanceScope("cli"), { name: "Acme" })).id;
});
afterAll(() => db.close());

/** What a request with this key from this network comes to. */
function outcome(key: string, clientAddress: string): Promise<string> {
  const headers = { authorization: `Bearer ${key}` };
  const context = {
    requestId: "r",
    clientAddress,
    userAgent: null,
    signal: AbortSignal.timeout(60_000),
  };
  return runWithRequestContext(context, () =>
    authenticateApiKey(
      new Request("http://localhost/", { headers }),
      "handler:/audit_logs/events",
    ).then(
      () => "in",
      ({ code }) => code,
    ),
  );
}

const guesses = (count: number, address: string) =>
  Promise.all(Array.from({ length: count }, (_, n) => outcome(`sk_guess_${n}`, address)));

it("wrong keys sent side by side count like those sent one after the other", async () => {
  const outcomes = await guesses(WRONG_KEYS_PER_MINUTE + 50, "192.0.2.1");
  const refused = outcomes.filter((one) => one === "rate_limited").length;
  // Tokens come back while it runs.
  expect(refused).toBeGreaterThan(0);
  expect(outcomes.slice(0, WRONG_KEYS_PER_MINUTE)).not.toContain("rate_limited");
});

it("right keys count for nothing, and those seen before come in beside any number of guesses", async () => {
  const address = "192.0.2.2";
  const keys = await Promise.all(
    Array.from({ length: 60 }, (_, n) => createApiKey(own(), { name: `key ${n}` })),
  );
  for (const { key } of keys) expect(await outcome(key, address)).toBe("in");
  const outcomes = await guesses(WRONG_KEYS_PER_MINUTE, address);
  expect(outcomes).not.toContain("rate_limited");
  expect(await guesses(50, address)).toContain("rate_limited");
  expect(await outcome(keys[0]?.key as string, address)).toBe("in");
});

it("a key that was revoked is soon one wrong key among others", async () => {
  const address = "192.0.2.3";
  const { id, key } = await createApiKey(own(), { name: "gone" });
  expect(await outcome(key, address)).toBe("in");
  await revokeApiKey(own(), id);
  expect(await outcome(key, address)).toBe("unauthorized");
  await guesses(WRONG_KEYS_PER_MINUTE + 50, address);
  const again = await Promise.all(Array.from({ length: 50 }, () => outcome(key, address)));
  expect(again).toContain("rate_limited");
});
