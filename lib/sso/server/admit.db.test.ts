import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { enrol, PASSWORD, somebody } from "@/lib/auth/server/account-fixtures";
import { openClientSecret } from "@/lib/auth/server/client-secret";
import { issueScope } from "@/lib/auth/server/issue-scope";
import { removeMember } from "@/lib/auth/server/members";
import { deactivateUser, resetPassword } from "@/lib/auth/server/operate-users";
import { findSession, listSessions, openSession } from "@/lib/auth/server/sessions";
import { signIn } from "@/lib/auth/server/sign-in";
import { systemScope } from "@/lib/auth/server/system-scope";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { getEnv } from "@/lib/env";
import { createOrganization } from "@/lib/orgs/server/organizations";
import { rotateEnvelope } from "@/lib/streams/server/rotate-envelope";
import { admit } from "./admit";
import {
  acme,
  begin,
  by,
  change,
  domain,
  FROM,
  given,
  operator,
  person,
  role,
  scope,
  told,
} from "./admit-fixtures";
import {
  createProvider,
  deleteProvider,
  readSingleSignOn,
  requireSingleSignOn,
  setDomains,
  unlinkUser,
} from "./providers";

let db: TestDatabase;
/** Of its own: its envelope key is rotated. */
const directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-sso-"));

/** A user of this address, with a password. */
async function withAddress(email: string, ...organizations: string[]) {
  const user = await somebody(db, ...organizations);
  await db.owner.query("UPDATE users SET email = $2 WHERE id = $1", [user.id, email]);
  return { ...user, email };
}

beforeAll(async () => {
  db = await testDatabase();
  Object.assign(getEnv(), { TRAILSEAL_DATA_DIR: directory });
});

beforeEach(() => begin(db));

afterAll(async () => {
  await db.close();
  fs.rmSync(directory, { recursive: true, force: true });
});

describe("who a provider vouches for", () => {
  it("gets an account without a password, a membership by group, and a session that says so", async () => {
    const { id, sessionId } = await admit(by, person("mei", { name: "Mei" }), FROM);
    const session = await findSession(sessionId);
    expect(session).toMatchObject({ id, name: "Mei", ssoOrganizationId: acme });
    expect(await role(id)).toBe("viewer");
    if (session) expect(await listSessions(session)).toMatchObject([{ provider: "Okta" }]);
    await expect(signIn({ email: session?.email, password: "" }, FROM)).resolves.toBeNull();
    // The password that was tried is told beside it.
    const joined = (await told()).filter(({ action }) => action !== "trailseal.sign_in_failed");
    expect(joined.slice(-3)).toMatchObject([
      { action: "trailseal.member_joined", role: "viewer", cause: "groups" },
      { action: "trailseal.sso_identity_linked", subject: "subject mei" },
      { action: "trailseal.signed_in", method: "oidc", identity_provider: by.id },
    ]);
    expect((await admit(by, person("mei", { email: "other@else.example" }), FROM)).id).toBe(id);
  });

  it("is the account that has the address already, which nothing of before opens any more", async () => {
    const globex = (await createOrganization(operator, { name: "Globex" })).id;
    const user = await withAddress(`grace@${domain()}`, globex);
    await enrol(user);
    const { id, sessionId } = await admit(by, person("grace"), FROM);
    expect(id).toBe(user.id);
    expect((await told()).at(-2)).toMatchObject({
      ...{ action: "trailseal.sso_identity_linked", password: "removed" },
      ...{ second_factor: "removed", sessions_ended: "1" },
    });
    await expect(signIn({ email: user.email, password: PASSWORD }, FROM)).resolves.toBeNull();
    expect(await findSession(user.sessionId)).toBeNull();
    const { rows } = await db.owner.query("SELECT FROM recovery_codes WHERE user_id = $1", [id]);
    expect(rows).toEqual([]);
    await resetPassword(operator, id, PASSWORD);
    expect(await findSession(sessionId)).toBeNull();
    await admit(by, person("grace"), FROM);
    await expect(signIn({ email: user.email, password: PASSWORD }, FROM)).resolves.not.toBeNull();
  });

  it("gets the role of the first row with a group of theirs, as groups change", async () => {
    const { id } = await admit(by, person("mei"), FROM);
    await admit(by, person("mei", { groups: ["staff", "security"] }), FROM);
    expect(await role(id)).toBe("admin");
    expect((await told()).at(-2)).toMatchObject({
      ...{ action: "trailseal.member_role_changed", role: "admin", role_before: "viewer" },
      cause: "groups",
    });
    await expect(admit(by, person("mei", { groups: ["sales"] }), FROM)).rejects.toThrow(
      "SsoNoRole",
    );
    expect(await role(id)).toBeNull();
    expect((await told()).slice(-2)).toMatchObject([
      { action: "trailseal.member_removed", cause: "groups" },
      { action: "trailseal.sign_in_refused", reason: "SsoNoRole" },
    ]);
    await admit(by, person("mei"), FROM);
    expect(await role(id)).toBe("viewer");
  });

  it("has the role of who is in no such group, where there is one", async () => {
    await change({ defaultRole: "auditor" });
    const { id } = await admit(by, person("mei", { groups: undefined }), FROM);
    expect(await role(id)).toBe("auditor");
  });

  it("keeps the role that somebody gave them where groups decide nothing", async () => {
    await change({ groupRoles: [] });
    const user = await withAddress(`grace@${domain()}`, acme);
    await admit(by, person("grace"), FROM);
    expect(await role(user.id)).toBe("viewer");
    await expect(admit(by, person("mei"), FROM)).rejects.toThrow("SsoNoRole");
  });

  it("stays removed where somebody removed them", async () => {
    const { id } = await admit(by, person("mei"), FROM);
    await removeMember(scope(), id);
    await expect(admit(by, person("mei"), FROM)).rejects.toThrow("SsoRemoved");
  });

  it("stays removed where somebody removed them after groups did", async () => {
    const { id } = await admit(by, person("mei"), FROM);
    await expect(admit(by, person("mei", { groups: [] }), FROM)).rejects.toThrow("SsoNoRole");
    await removeMember(scope(), id);
    await expect(admit(by, person("mei"), FROM)).rejects.toThrow("SsoRemoved");
  });

  it("stays the last owner, whatever their groups are, and the log says so", async () => {
    await change({ groupRoles: [{ group: "owners", role: "owner" }], defaultRole: null });
    const { id } = await admit(by, person("mei", { groups: ["owners"] }), FROM);
    await admit(by, person("mei", { groups: [] }), FROM);
    expect(await role(id)).toBe("owner");
    expect((await told()).at(-2)).toMatchObject({
      ...{ action: "trailseal.member_role_kept", reason: "last_owner", role_by_groups: "none" },
    });
  });

  it("does not lose a role because the provider left its groups out for their number", async () => {
    const { id } = await admit(by, person("mei"), FROM);
    const claims = person("mei", { groups: undefined, _claim_names: { groups: "src1" } });
    await expect(admit(by, claims, FROM)).rejects.toThrow("SsoNoGroups");
    expect(await role(id)).toBe("viewer");
  });

  it("comes in no more once the operator deactivated them", async () => {
    const { id } = await admit(by, person("mei"), FROM);
    await deactivateUser(operator, id);
    await expect(admit(by, person("mei"), FROM)).rejects.toThrow("SsoDeactivated");
  });
});

describe("nobody's account is taken over", () => {
  it.each([
    ["SsoDomain", { email: "ada@globex.example" }],
    ["SsoDomain", { email: "ada@acme.example.evil" }],
    ["SsoUnverified", { email_verified: false }],
    ["SsoUnverified", { email_verified: "false" as const }],
    ["SsoNoEmail", { email: undefined }],
    ["SsoNoEmail", { email: "nobody" }],
  ])("%s: %j makes no account", async (reason, claims) => {
    const { rows: before } = await db.owner.query("SELECT count(*) FROM users");
    await expect(admit(by, person("ada", claims), FROM)).rejects.toThrow(reason);
    const { rows } = await db.owner.query("SELECT count(*) FROM users");
    expect(rows).toEqual(before);
    expect((await told()).at(-1)).toMatchObject({ action: "trailseal.sign_in_refused", reason });
  });

  it("by an address that the provider gave to somebody else, until it is unlinked", async () => {
    const { id, sessionId } = await admit(by, person("mei"), FROM);
    const heir = person("mei", { sub: "another" });
    await expect(admit(by, heir, FROM)).rejects.toThrow("SsoTaken");
    await unlinkUser(scope(), `mei@${domain()}`);
    expect(await findSession(sessionId)).toBeNull();
    expect((await told()).at(-1)).toMatchObject({ sessions_ended: "1" });
    expect((await admit(by, heir, FROM)).id).toBe(id);
  });

  it.each([
    ["an issuer", { issuer: "https://other.example.com", clientSecret: "another" }],
    ["a client", { clientId: "another" }],
  ])("by %s that took another's place", async (_name, other) => {
    await admit(by, person("mei"), FROM);
    const grace = await admit(by, person("grace"), FROM);
    await change(other);
    expect(await findSession(grace.sessionId)).toBeNull();
    const claims = person("mei", { sub: "subject grace" });
    expect((await admit(by, claims, FROM)).id).not.toBe(grace.id);
  });

  it("by a provider whose domain is gone, or went to another of the organization; others stay in", async () => {
    const domains = [domain(), `b.${domain()}`];
    await setDomains(scope(), by.id, domains);
    const mei = await admit(by, person("mei"), FROM);
    const ada = await admit(by, person("ada", { email: `ada@${domains[1]}` }), FROM);
    const { id } = await createProvider(scope(), "Second");
    await setDomains(scope(), id, domains.slice(0, 1));
    expect((await told()).at(-1)).toMatchObject({ sessions_ended: "1" });
    expect(await findSession(mei.sessionId)).toBeNull();
    expect(await findSession(ada.sessionId)).not.toBeNull();
    await setDomains(scope(), by.id, []);
    expect(await findSession(ada.sessionId)).toBeNull();
    await expect(admit(by, person("mei"), FROM)).rejects.toThrow("SsoDomain");
  });

  it("by a domain of another organization", async () => {
    const globex = (await createOrganization(operator, { name: "Globex" })).id;
    const theirs = systemScope("cli", globex);
    const { id } = await createProvider(theirs, "Evil");
    await expect(setDomains(theirs, id, [domain()])).rejects.toMatchObject({
      code: "conflict",
    });
  });

  it("who administers the instance does so with a password alone", async () => {
    const admin = await withAddress(`root@${domain()}`);
    expect(admin.instanceAdmin).toBe(true);
    const { id, sessionId } = await admit(by, person("root"), FROM);
    expect(id).toBe(admin.id);
    expect(await findSession(sessionId)).toMatchObject({ instanceAdmin: false });
  });
});

describe("where single sign-on is required", () => {
  const PAGE = "page:/o/[org]/events";

  it("only a session through one of its providers opens the organization, and a password others", async () => {
    const globex = (await createOrganization(operator, { name: "Globex" })).id;
    const user = await withAddress(`grace@${domain()}`, acme, globex);
    await expect(requireSingleSignOn(scope(), true)).rejects.toMatchObject({ code: "conflict" });
    const { sessionId } = await admit(by, person("grace"), FROM);
    await requireSingleSignOn(scope(), true);
    const byPassword = await findSession(await openSession(user.id, FROM));
    await expect(issueScope(byPassword, PAGE, acme)).rejects.toMatchObject({
      code: "unauthorized",
      message: expect.stringContaining("single sign-on"),
    });
    await expect(issueScope(byPassword, PAGE, globex)).resolves.toBeDefined();
    const through = await findSession(sessionId);
    await expect(issueScope(through, PAGE, acme)).resolves.toBeDefined();
    await expect(issueScope(through, PAGE, globex)).resolves.toBeDefined();
    const stranger = await somebody(db, globex);
    await expect(issueScope(stranger, PAGE, acme)).rejects.toMatchObject({ code: "not_found" });
    const admin = await somebody(db);
    await expect(issueScope(admin, PAGE, acme)).resolves.toBeDefined();

    for (const lose of [
      () => change({ isEnabled: false }),
      () => change({ clientId: "untried" }),
      () => deleteProvider(scope(), by.id),
    ])
      await expect(lose()).rejects.toMatchObject({ code: "conflict" });
    await requireSingleSignOn(scope(), false);
    await expect(issueScope(byPassword, PAGE, acme)).resolves.toBeDefined();
    await deleteProvider(scope(), by.id);
    expect(await findSession(sessionId)).toBeNull();
    expect((await told()).map(({ action }) => action)).toEqual(
      expect.arrayContaining([
        "trailseal.sso_required",
        "trailseal.sso_not_required",
        "trailseal.sso_provider_deleted",
      ]),
    );
  });
});

describe("a client secret", () => {
  it("is sealed, told nowhere, kept when none is entered, rotated with its envelope, and goes to no other issuer", async () => {
    const stored = async () => {
      const { rows } = await db.owner.query(
        "SELECT client_secret AS secret FROM identity_providers WHERE id = $1",
        [by.id],
      );
      return rows.map(({ secret }) => secret);
    };
    expect(JSON.stringify(await stored())).not.toContain(given.clientSecret);
    await change({ clientSecret: "", name: "Renamed" });
    const { providers } = await readSingleSignOn(scope());
    expect(providers).toMatchObject([{ name: "Renamed", hasSecret: true }]);
    expect(JSON.stringify([providers, await told()])).not.toContain(given.clientSecret);
    const { rewrappedClientSecrets } = await rotateEnvelope({ settleMs: 0 });
    expect(rewrappedClientSecrets).toBeGreaterThan(0);
    const [kept] = await stored();
    expect(openClientSecret({ organizationId: acme, id: by.id }, kept)).toBe(given.clientSecret);
    expect(() => openClientSecret({ organizationId: acme, id: "idp_x" }, kept)).toThrow("opened");
    const moved = change({ clientSecret: "", issuer: "https://evil.example.com" });
    await expect(moved).rejects.toMatchObject({ errors: [{ field: "clientSecret" }] });
  });
});
