import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import type { AppError } from "@/lib/errors";
import { createApiKey, listApiKeys, revokeApiKey } from "@/lib/keys/server/api-keys";
import {
  createOrganization,
  getOrganization,
  listOrganizationsOf,
} from "@/lib/orgs/server/organizations";
import type { ApiKeyAccessKey } from "../access";
import type { Scope } from "../scope";
import { authenticateApiKey } from "./api-key";
import { issueInstanceScope, issueScope } from "./issue-scope";
import { findSession, openSession, revokeSession } from "./sessions";
import { systemInstanceScope, systemScope } from "./system-scope";
import { createUser } from "./users";

let db: TestDatabase;
let acme: string;
let globex: string;
let memberId: string;
let adminId: string;

const operator = systemInstanceScope("cli");
const EVENTS = "page:/o/[org]/events";
const INGEST: ApiKeyAccessKey = "handler:/audit_logs/events";

async function signIn(userId: string): Promise<string> {
  return openSession(userId, { address: "127.0.0.1", userAgent: null });
}

async function scopeBy(sessionId: string, organizationId: string): Promise<Scope> {
  return issueScope(await findSession(sessionId), EVENTS, organizationId);
}

function withKey(key: string | null, scheme = "Bearer"): Request {
  const headers: Record<string, string> = key === null ? {} : { authorization: `${scheme} ${key}` };
  return new Request("http://localhost/audit_logs/events", { method: "POST", headers });
}

beforeAll(async () => {
  db = await testDatabase();
  acme = (await createOrganization(operator, { name: "Acme" })).id;
  globex = (await createOrganization(operator, { name: "Globex" })).id;
  const password = "correct horse battery";
  const member = { name: "Mei", email: "mei@example.com", password, instanceAdmin: false };
  memberId = (await createUser(operator, { ...member, organizationId: acme })).id;
  const admin = { name: "Ada", email: "ada@example.com", password, instanceAdmin: true };
  adminId = (await createUser(operator, { ...admin, organizationId: null })).id;
});

afterAll(() => db.close());

describe("a session", () => {
  it("reaches the organization of its member, and no other", async () => {
    const session = await signIn(memberId);
    expect(await scopeBy(session, acme)).toMatchObject({ organizationId: acme });
    await expect(scopeBy(session, globex)).rejects.toMatchObject({ code: "not_found" });
  });

  it("learns nothing about an organization that it does not reach", async () => {
    const session = await signIn(memberId);
    const deleted = (await createOrganization(operator, { name: "Gone" })).id;
    await db.owner.query("UPDATE organizations SET deleted_at = now() WHERE id = $1", [deleted]);
    await db.owner.query(
      "INSERT INTO memberships (organization_id, user_id, role) VALUES ($1, $2, 'viewer')",
      [deleted, memberId],
    );
    const answers = new Set<string>();
    for (const organization of [globex, "org_00000000000000000000000000", deleted, "", "'; --"]) {
      await scopeBy(session, organization).catch((error: AppError) =>
        answers.add(`${error.code} ${error.message}`),
      );
    }
    expect([...answers]).toEqual(["not_found There is no such organization."]);
  });

  it("of an administrator reaches every organization that is not deleted", async () => {
    const session = await signIn(adminId);
    for (const organization of [acme, globex]) {
      expect(await scopeBy(session, organization)).toMatchObject({ organizationId: organization });
    }
    await expect(scopeBy(session, "org_unknown")).rejects.toMatchObject({ code: "not_found" });
  });

  it("of a member does nothing on the instance", async () => {
    const member = await findSession(await signIn(memberId));
    expect(() => issueInstanceScope(member, "action:createOrganization")).toThrow(
      expect.objectContaining({ code: "forbidden" }),
    );
    expect(() => issueInstanceScope(null, "action:createOrganization")).toThrow(
      expect.objectContaining({ code: "unauthorized" }),
    );
    const admin = await findSession(await signIn(adminId));
    expect(issueInstanceScope(admin, "action:createOrganization").organizationId).toBeNull();
  });

  it("lists what it reaches", async () => {
    const namesOf = async (userId: string) => {
      const user = await findSession(await signIn(userId));
      return (await listOrganizationsOf(user ?? expect.fail())).map(({ name }) => name);
    };
    expect(await namesOf(memberId)).toEqual(["Acme"]);
    expect(await namesOf(adminId)).toEqual(["Acme", "Globex"]);
  });

  it.each([
    ["revoked", "revoked_at = now()"],
    ["past its absolute end", "expires_at = now() - interval '1 second'"],
    ["idle for more than a week", "last_seen_at = now() - interval '7 days 1 second'"],
  ])("that is %s opens nothing", async (_name, change) => {
    const session = await signIn(memberId);
    expect(await findSession(session)).not.toBeNull();
    await db.owner.query(`UPDATE sessions SET ${change} WHERE id = $1`, [session]);
    await expect(scopeBy(session, acme)).rejects.toMatchObject({ code: "unauthorized" });
  });

  it("ends when it is signed out, and only it", async () => {
    const [one, other] = [await signIn(memberId), await signIn(memberId)];
    await revokeSession(one);
    expect(await findSession(one)).toBeNull();
    expect(await findSession(other)).not.toBeNull();
  });

  it("that nobody opened opens nothing", async () => {
    for (const id of ["", "ses_00000000000000000000000000", "' OR true --"]) {
      await expect(scopeBy(id, acme)).rejects.toMatchObject({ code: "unauthorized" });
    }
  });

  it("of a deactivated user opens nothing", async () => {
    const { id } = await createUser(operator, {
      name: "Leaver",
      email: "leaver@example.com",
      password: "correct horse battery",
      instanceAdmin: true,
      organizationId: null,
    });
    const session = await signIn(id);
    await db.owner.query("UPDATE users SET deactivated_at = now() WHERE id = $1", [id]);
    await expect(scopeBy(session, acme)).rejects.toMatchObject({ code: "unauthorized" });
  });

  it("moves its last-seen time, so that use keeps it alive, at most once a minute", async () => {
    const session = await signIn(memberId);
    const seen = async () =>
      (await db.owner.query("SELECT last_seen_at FROM sessions WHERE id = $1", [session])).rows[0]
        .last_seen_at as Date;
    const opened = await seen();
    await findSession(session);
    expect(await seen()).toEqual(opened);
    await db.owner.query(
      "UPDATE sessions SET last_seen_at = now() - interval '6 days' WHERE id = $1",
      [session],
    );
    await findSession(session);
    expect(Date.now() - (await seen()).getTime()).toBeLessThan(60_000);
  });
});

describe("an API key", () => {
  it("of one organization writes to it and to no other", async () => {
    const { key } = await createApiKey(systemScope("cli", acme), { name: "app" });
    const authenticated = await authenticateApiKey(withKey(key), INGEST);
    const scope = await authenticated.scopeFor(acme);
    expect(scope.organizationId).toBe(acme);
    expect([...scope.permissions]).toEqual(["events:write"]);
    for (const other of [globex, "org_unknown", ""]) {
      await expect(authenticated.scopeFor(other)).rejects.toMatchObject({
        code: "not_found",
        message: `Organization not found: '${other}'.`,
      });
    }
  });

  it("of the instance writes to every organization that is not deleted", async () => {
    const { key } = await createApiKey(operator, { name: "all" });
    const authenticated = await authenticateApiKey(withKey(key, "bearer"), INGEST);
    expect((await authenticated.scopeFor(globex)).organizationId).toBe(globex);
    await expect(authenticated.scopeFor("org_unknown")).rejects.toMatchObject({
      code: "not_found",
    });
  });

  it("that is missing, unknown or of another scheme is refused in one way", async () => {
    const { key } = await createApiKey(operator, { name: "probe" });
    const requests = [
      withKey(null),
      withKey("sk_unknown"),
      withKey(key, "Basic"),
      withKey(key.toLowerCase()),
      withKey(`${key}x`),
      withKey(key.slice(0, -1)),
    ];
    for (const request of requests) {
      await expect(authenticateApiKey(request, INGEST)).rejects.toMatchObject({
        code: "unauthorized",
        message: "Unauthorized",
      });
    }
  });

  it("stops working the moment it is revoked, and only by its own organization", async () => {
    const own = systemScope("cli", acme);
    const { id, key } = await createApiKey(own, { name: "leaked" });
    await expect(revokeApiKey(systemScope("cli", globex), id)).rejects.toMatchObject({
      code: "not_found",
    });
    await authenticateApiKey(withKey(key), INGEST);
    await revokeApiKey(own, id);
    await expect(authenticateApiKey(withKey(key), INGEST)).rejects.toMatchObject({
      code: "unauthorized",
    });
    await expect(revokeApiKey(own, id)).rejects.toMatchObject({ code: "not_found" });
  });

  it("is stored as a hash only, with at least 256 random bits in it", async () => {
    const { id, key } = await createApiKey(systemScope("cli", acme), { name: "secret" });
    expect(Buffer.from(key.slice(3), "base64url")).toHaveLength(32);
    const { rows } = await db.owner.query("SELECT * FROM api_keys WHERE id = $1", [id]);
    expect(JSON.stringify(rows[0])).not.toContain(key);
    const listed = (await listApiKeys(systemScope("cli", acme))).find((entry) => entry.id === id);
    expect(listed).toMatchObject({ name: "secret", last4: key.slice(-4), lastUsedAt: null });
  });

  it("shows when it was last used, writing that at most once a minute", async () => {
    const own = systemScope("cli", globex);
    const { id, key } = await createApiKey(own, { name: "busy" });
    const lastUsed = async () => (await listApiKeys(own)).find((k) => k.id === id)?.lastUsedAt;
    await authenticateApiKey(withKey(key), INGEST);
    const first = await lastUsed();
    expect(first).not.toBeNull();
    await authenticateApiKey(withKey(key), INGEST);
    expect(await lastUsed()).toBe(first);
    await db.owner.query(
      "UPDATE api_keys SET last_used_at = now() - interval '61 s' WHERE id = $1",
      [id],
    );
    await authenticateApiKey(withKey(key), INGEST);
    expect(Date.parse((await lastUsed()) ?? "")).toBeGreaterThanOrEqual(Date.parse(first ?? ""));
  });

  it("is neither right nor wrong while the database is away: the request may come again", async () => {
    const { key } = await createApiKey(operator, { name: "patient" });
    const { DATABASE_URL } = process.env;
    process.env.DATABASE_URL = "postgresql://x:x@127.0.0.1:1/none";
    try {
      await expect(authenticateApiKey(withKey(key), INGEST)).rejects.toMatchObject({
        code: "unavailable",
        retryAfterS: expect.any(Number),
      });
    } finally {
      process.env.DATABASE_URL = DATABASE_URL;
    }
  });

  it("is listed to its own organization only", async () => {
    await createApiKey(systemScope("cli", globex), { name: "theirs" });
    const names = (await listApiKeys(systemScope("cli", acme))).map(({ name }) => name);
    expect(names).not.toContain("theirs");
  });
});

describe("a new organization", () => {
  it("starts with an empty log whose head is the genesis of its origin", async () => {
    const { id } = await createOrganization(operator, { name: "Fresh" });
    const { rows } = await db.owner.query<{ origin: string; hash: string; next_seq: number }>(
      "SELECT origin, encode(head_hash, 'hex') AS hash, next_seq FROM log_heads WHERE organization_id = $1",
      [id],
    );
    const [head] = rows;
    expect(head?.origin).toMatch(new RegExp(`^trailseal\\.local/[0-9A-Z]{26}/${id}$`));
    const { rows: expected } = await db.owner.query<{ hash: string }>(
      "SELECT encode(sha256(convert_to('auditlog/v1/genesis' || chr(10) || $1 || chr(10), 'UTF8')), 'hex') AS hash",
      [head?.origin],
    );
    expect(head).toMatchObject({ hash: expected[0]?.hash, next_seq: 0 });
  });

  it("shares the instance's log prefix with the others, however many start at once", async () => {
    const made = await Promise.all(
      Array.from({ length: 8 }, (_, n) => createOrganization(operator, { name: `Org ${n}` })),
    );
    expect(made).toHaveLength(8);
    const { rows } = await db.owner.query(
      "SELECT DISTINCT regexp_replace(origin, '/[^/]+$', '') FROM log_heads",
    );
    expect(rows).toHaveLength(1);
  });

  it("keeps an id from another system, once, also after it was deleted", async () => {
    const id = "org_01JZ8Q4M7N2V5X9C3B6T0R1KDH";
    await createOrganization(operator, { name: "Moved", id });
    expect(await getOrganization(systemScope("cli", id))).toMatchObject({ id, name: "Moved" });
    await expect(createOrganization(operator, { name: "Again", id })).rejects.toMatchObject({
      code: "conflict",
    });
    await db.owner.query("UPDATE organizations SET deleted_at = now() WHERE id = $1", [id]);
    await expect(createOrganization(operator, { name: "Again", id })).rejects.toMatchObject({
      code: "conflict",
    });
    await expect(getOrganization(systemScope("cli", id))).rejects.toMatchObject({
      code: "not_found",
    });
  });
});
