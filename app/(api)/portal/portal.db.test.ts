import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueScope } from "@/lib/auth/server/issue-scope";
import { findPortalSession, redeemPortalLink } from "@/lib/auth/server/portal-sessions";
import { systemInstanceScope } from "@/lib/auth/server/system-scope";
// biome-ignore lint/style/noRestrictedImports: the test needs a database of its own.
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { createApiKey } from "@/lib/keys/server/api-keys";
import { createOrganization } from "@/lib/orgs/server/organizations";
import { POST } from "./generate_link/route";

let db: TestDatabase;
let key: string;
let acme: string;
let globex: string;

beforeAll(async () => {
  db = await testDatabase();
  const operator = systemInstanceScope("cli");
  acme = (await createOrganization(operator, { name: "Acme" })).id;
  globex = (await createOrganization(operator, { name: "Globex" })).id;
  key = (await createApiKey(operator, { name: "k", permissions: ["admin"] })).key;
});

afterAll(() => db.close());

async function generate(body: object) {
  const response = await POST(
    new Request("http://localhost/portal/generate_link", {
      method: "POST",
      headers: { authorization: `Bearer ${key}` },
      body: JSON.stringify(body),
    }),
  );
  return { status: response.status, body: await response.json() };
}

async function newToken(intent: string | null): Promise<string> {
  const { status, body } = await generate({ organization: acme, intent, return_url: null });
  expect(status).toBe(201);
  return new URL(body.link).searchParams.get("token") ?? expect.fail();
}

const enter = async (intent: string | null) =>
  findPortalSession((await redeemPortalLink(await newToken(intent)))?.secret ?? expect.fail());

describe("a portal link", () => {
  it("opens once, whoever comes at the same time", async () => {
    const token = await newToken("audit_logs");
    const tries = await Promise.all([1, 2, 3, 4].map(() => redeemPortalLink(token)));
    expect(tries.filter(Boolean)).toHaveLength(1);
    expect(await redeemPortalLink(token)).toBeNull();
  });

  it("opens no longer than five minutes", async () => {
    const token = await newToken("audit_logs");
    await db.owner.query(
      "UPDATE portal_sessions SET redeem_until = redeem_until - interval '5 minutes'",
    );
    expect(await redeemPortalLink(token)).toBeNull();
    expect(await redeemPortalLink("guess")).toBeNull();
  });

  it.each(["sso", "dsync", "domain_verification", "certificate_renewal", "bring_your_own_key"])(
    "for %s is refused by name",
    async (intent) => {
      const { status, body } = await generate({ organization: acme, intent });
      expect(status).toBe(422);
      expect(body.errors).toEqual([
        {
          field: "intent",
          code: "intent must be audit_logs or log_streams: others are not supported",
        },
      ]);
    },
  );

  it.each([
    ["javascript:alert(1)", 422],
    ["https://app.example.com/x", 201],
  ])("leads back to %s: %i", async (return_url, status) => {
    expect((await generate({ organization: acme, return_url })).status).toBe(status);
  });

  it("into an unknown organization is refused in the words that SDKs expect", async () => {
    expect(await generate({ organization: "bogus-id", intent: "audit_logs" })).toMatchObject({
      status: 400,
      body: { message: "Could not find an organization with the id, bogus-id.", errors: [] },
    });
  });
});

describe("a portal session", () => {
  it("reads its organization, and no other", async () => {
    const portal = await enter("audit_logs");
    const scope = await issueScope(portal, "page:/o/[org]/events", acme);
    expect([...scope.permissions]).toEqual(["events:read"]);
    for (const organization of [globex, "org_unknown"]) {
      await expect(issueScope(portal, "page:/o/[org]/events", organization)).rejects.toMatchObject({
        code: "not_found",
      });
    }
  });

  it("does nothing that its intent does not name", async () => {
    const both = await enter(null);
    await issueScope(both, "action:createStream", acme);
    for (const place of [
      "action:createView",
      "action:createApiKey",
      "action:startVerification",
      "page:/o/[org]",
    ] as const) {
      await expect(issueScope(both, place, acme), place).rejects.toMatchObject({
        code: "forbidden",
      });
    }
    const streams = await enter("log_streams");
    await issueScope(streams, "action:createStream", acme);
    await expect(issueScope(streams, "handler:/o/[org]/events/csv", acme)).rejects.toMatchObject({
      code: "forbidden",
    });
    const events = await enter("audit_logs");
    for (const place of ["action:createStream", "action:readStreams"] as const)
      await expect(issueScope(events, place, acme)).rejects.toMatchObject({ code: "forbidden" });
  });

  it("ends with its time and with its organization", async () => {
    const secret = (await redeemPortalLink(await newToken(null)))?.secret ?? expect.fail();
    await db.owner.query("UPDATE organizations SET deleted_at = now() WHERE id = $1", [acme]);
    expect(await findPortalSession(secret)).toBeNull();
    await db.owner.query("UPDATE organizations SET deleted_at = NULL WHERE id = $1", [acme]);
    expect(await findPortalSession(secret)).not.toBeNull();
    await db.owner.query(
      "UPDATE portal_sessions SET expires_at = now() WHERE session_hash IS NOT NULL",
    );
    expect(await findPortalSession(secret)).toBeNull();
  });
});
