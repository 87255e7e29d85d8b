import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { createTestLog } from "@/lib/events/server/test-log";
import { listOrganizationsOf } from "@/lib/orgs/server/organizations";
import { access, isAdministrators, type OrganizationAccessKey } from "../access";
import { ROLE_PERMISSIONS, type Role, roles } from "../roles";
import type { Scope } from "../scope";
import {
  acceptInvitation,
  acceptWithNewAccount,
  findInvitation,
  invite,
  listInvitations,
  revokeInvitation,
} from "./invitations";
import { issueScope } from "./issue-scope";
import { changeRole, listMembers, removeMember, restoreMember } from "./members";
import { findSession, openSession } from "./sessions";
import { systemInstanceScope, systemScope } from "./system-scope";
import { createUser } from "./users";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const MEMBERS = "page:/o/[org]/settings/members";
let made = 0;

async function member(organizationId: string, role: Role) {
  made += 1;
  const email = `m${made}@example.com`;
  const { id } = await createUser(systemInstanceScope("cli"), {
    email,
    name: `M ${made}`,
    password: "correct horse battery",
    instanceAdmin: false,
    organizationId,
    role,
  });
  const session = await openSession(id, { address: "127.0.0.1", userAgent: null });
  const user = async () => findSession(session);
  const scope = async (key: OrganizationAccessKey = MEMBERS): Promise<Scope> =>
    issueScope(await user(), key, organizationId);
  return { id, email, user, scope };
}

const actionsOf = async (log: string) =>
  (
    await db.owner.query(
      "SELECT action FROM events WHERE organization_id = $1 AND action <> 'trailseal.member_added' ORDER BY seq",
      [log],
    )
  ).rows.map(({ action }) => action);

const tokenOf = (link: string | null) =>
  new URL(link as string).searchParams.get("token") as string;

const organizationPlaces = (Object.keys(access) as (keyof typeof access)[]).filter(
  (key): key is OrganizationAccessKey => access[key].who === "organization",
);

test.each(roles)("an %s gets a scope just where the role has the permission", async (role) => {
  const log = await createTestLog(db);
  const somebody = await member(log, role);
  for (const key of organizationPlaces) {
    const requirement = access[key];
    const attempt = somebody.scope(key);
    if (ROLE_PERMISSIONS[role].has(requirement.permission) && !isAdministrators(key))
      expect([...(await attempt).permissions]).toEqual([...ROLE_PERMISSIONS[role]]);
    else await expect(attempt).rejects.toMatchObject({ code: "forbidden" });
  }
});

test("a role this version does not know grants nothing", async () => {
  const log = await createTestLog(db);
  const somebody = await member(log, "viewer");
  await db.owner.query("ALTER TABLE memberships DROP CONSTRAINT IF EXISTS memberships_role_check");
  await db.owner.query("UPDATE memberships SET role = 'toString' WHERE user_id = $1", [
    somebody.id,
  ]);
  await expect(somebody.scope("page:/o/[org]/events")).rejects.toMatchObject({ code: "forbidden" });
  await db.owner.query("UPDATE memberships SET role = 'viewer' WHERE user_id = $1", [somebody.id]);
});

test("a change of role works from the next request on, and is an event of the log", async () => {
  const log = await createTestLog(db);
  const owner = await member(log, "owner");
  const other = await member(log, "viewer");
  await expect(other.scope()).rejects.toMatchObject({ code: "forbidden" });
  await changeRole(await owner.scope(), { userId: other.id, role: "admin" });
  await changeRole(await owner.scope(), { userId: other.id, role: "admin" });
  expect((await listMembers(await other.scope())).map(({ role }) => role)).toEqual([
    "owner",
    "admin",
  ]);
  expect(await actionsOf(log)).toEqual(["trailseal.member_role_changed"]);
  const { rows } = await db.owner.query(
    "SELECT actor, targets, metadata FROM events WHERE organization_id = $1 AND action = 'trailseal.member_role_changed'",
    [log],
  );
  expect(rows[0]).toMatchObject({
    actor: { id: owner.id },
    targets: [{ type: "user", id: other.id, name: other.email }],
    metadata: { role: "admin", role_before: "viewer" },
  });
});

test("only an owner makes, changes, removes or invites an owner", async () => {
  const log = await createTestLog(db);
  const owner = await member(log, "owner");
  const admin = await member(log, "admin");
  const scope = await admin.scope();
  const attempts = [
    () => changeRole(scope, { userId: admin.id, role: "owner" }),
    () => changeRole(scope, { userId: owner.id, role: "viewer" }),
    () => removeMember(scope, owner.id),
    () => invite(scope, { email: "new@example.com", role: "owner" }),
  ];
  for (const attempt of attempts)
    await expect(attempt()).rejects.toMatchObject({ code: "forbidden" });
  await invite(await owner.scope(), { email: "new@example.com", role: "owner" });
  const [invitation] = await listInvitations(scope);
  await expect(revokeInvitation(scope, invitation?.id as string)).rejects.toThrow("owner");
  await expect(invite(scope, { email: "new@example.com", role: "viewer" })).rejects.toThrow(
    "owner",
  );
  expect(await listInvitations(scope)).toHaveLength(1);
  expect(await actionsOf(log)).toEqual(["trailseal.member_invited"]);
});

test("the last owner stays one, also when two leave at once; a deactivated owner does not count", async () => {
  const log = await createTestLog(db);
  const [one, two] = [await member(log, "owner"), await member(log, "owner")];
  const scopes = [await one.scope(), await two.scope()] as const;
  const left = await Promise.allSettled([
    removeMember(scopes[0], one.id),
    changeRole(scopes[1], { userId: two.id, role: "viewer" }),
  ]);
  expect(left.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(left.find(({ status }) => status === "rejected")).toMatchObject({
    reason: { code: "conflict", message: expect.stringContaining("last owner") },
  });
  const third = await member(log, "owner");
  await db.owner.query("UPDATE users SET deactivated_at = now() WHERE id = $1", [third.id]);
  const last = (await listMembers(scopes[0])).find(
    ({ role, removedAt, isDeactivated }) => role === "owner" && !removedAt && !isDeactivated,
  );
  await expect(removeMember(scopes[0], last?.userId as string)).rejects.toThrow("last owner");
});

test("everybody begins where they may: who reads no events, at the overview", async () => {
  const log = await createTestLog(db);
  for (const role of roles) {
    const user = await (await member(log, role)).user();
    const [organization] = user ? await listOrganizationsOf(user) : [];
    const home = role === "stream_manager" ? `/o/${log}` : `/o/${log}/events`;
    expect(organization?.home, role).toBe(home);
  }
});

test("who was removed reaches nothing, does not see it listed, and can be restored", async () => {
  const log = await createTestLog(db);
  const owner = await member(log, "owner");
  const other = await member(log, "auditor");
  const listed = async () => {
    const user = await other.user();
    return user ? (await listOrganizationsOf(user)).map(({ id }) => id) : [];
  };
  expect(await listed()).toEqual([log]);
  await removeMember(await owner.scope(), other.id);
  await expect(other.scope("page:/o/[org]/events")).rejects.toMatchObject({ code: "not_found" });
  expect(await listed()).toEqual([]);
  await expect(
    changeRole(await owner.scope(), { userId: other.id, role: "admin" }),
  ).rejects.toThrow("Restore");
  await restoreMember(await owner.scope(), other.id);
  expect(await other.scope("page:/o/[org]/events")).toBeTruthy();
  expect(await actionsOf(log)).toEqual(["trailseal.member_removed", "trailseal.member_restored"]);
});

test("members of another organization are not to be found", async () => {
  const [here, there] = [await createTestLog(db), await createTestLog(db)];
  const owner = await member(here, "owner");
  const stranger = await member(there, "viewer");
  const scope = await owner.scope();
  for (const attempt of [
    () => changeRole(scope, { userId: stranger.id, role: "admin" }),
    () => removeMember(scope, stranger.id),
    () => restoreMember(scope, stranger.id),
  ])
    await expect(attempt()).rejects.toMatchObject({ code: "not_found" });
  await invite(systemScope("cli", there), { email: "x@example.com", role: "viewer" });
  const [invitation] = await listInvitations(systemScope("cli", there));
  await expect(revokeInvitation(scope, invitation?.id as string)).rejects.toMatchObject({
    code: "not_found",
  });
  expect(await listInvitations(scope)).toEqual([]);
});

test("an invitation makes an account and a member, once", async () => {
  const log = await createTestLog(db);
  const scope = systemScope("cli", log);
  const { link, isMailed } = await invite(scope, { email: "grace@example.com", role: "auditor" });
  expect(isMailed).toBeNull();
  const token = tokenOf(link);
  expect(await findInvitation(token)).toMatchObject({
    email: "grace@example.com",
    role: "auditor",
    hasAccount: false,
  });
  const account = { name: "Grace", password: "correct horse battery" };
  const twice = await Promise.allSettled([
    acceptWithNewAccount(token, account),
    acceptWithNewAccount(token, account),
  ]);
  expect(twice.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  expect(await listMembers(scope)).toMatchObject([{ email: "grace@example.com", role: "auditor" }]);
  expect(await findInvitation(token)).toBeNull();
  await expect(invite(scope, { email: "grace@example.com", role: "viewer" })).rejects.toThrow(
    "a member already",
  );
  expect(await actionsOf(log)).toEqual(["trailseal.member_invited", "trailseal.member_joined"]);
  const { rows } = await db.owner.query("SELECT * FROM invitations");
  expect(JSON.stringify(rows)).not.toContain(token);
});

test("who has an account joins with it, and nobody with another's invitation", async () => {
  const [log, elsewhere] = [await createTestLog(db), await createTestLog(db)];
  const scope = systemScope("cli", log);
  const invited = await member(elsewhere, "viewer");
  const other = await member(elsewhere, "viewer");
  const token = tokenOf((await invite(scope, { email: invited.email, role: "admin" })).link);
  const account = { name: "X", password: "correct horse battery" };
  await expect(acceptWithNewAccount(token, account)).rejects.toMatchObject({ code: "conflict" });
  await expect(acceptInvitation(token, other)).rejects.toThrow(`is for ${invited.email}`);
  await acceptInvitation(token, invited);
  expect(await listMembers(scope)).toMatchObject([{ userId: invited.id, role: "admin" }]);
});

test("who was removed comes back with a new invitation, in its role", async () => {
  const log = await createTestLog(db);
  const owner = await member(log, "owner");
  const other = await member(log, "admin");
  await removeMember(await owner.scope(), other.id);
  const { link } = await invite(await owner.scope(), { email: other.email, role: "viewer" });
  await acceptInvitation(tokenOf(link), other);
  await expect(other.scope()).rejects.toMatchObject({ code: "forbidden" });
  expect(await other.scope("page:/o/[org]/events")).toBeTruthy();
});

test("an invitation from before somebody was removed or restored brings nobody back", async () => {
  const log = await createTestLog(db);
  const owner = await member(log, "owner");
  const other = await member(log, "viewer");
  await removeMember(await owner.scope(), other.id);
  const token = tokenOf(
    (await invite(await owner.scope(), { email: other.email, role: "admin" })).link,
  );
  await restoreMember(await owner.scope(), other.id);
  await expect(acceptInvitation(token, other)).rejects.toMatchObject({ code: "forbidden" });
  await removeMember(await owner.scope(), other.id);
  await expect(acceptInvitation(token, other)).rejects.toMatchObject({ code: "forbidden" });
  expect(await actionsOf(log)).toEqual([
    "trailseal.member_removed",
    "trailseal.member_invited",
    "trailseal.invitation_revoked",
    "trailseal.member_restored",
    "trailseal.member_removed",
  ]);
});

test("an admin does not bring a former owner back in another role", async () => {
  const log = await createTestLog(db);
  const owner = await member(log, "owner");
  const former = await member(log, "owner");
  const admin = await member(log, "admin");
  await removeMember(await owner.scope(), former.id);
  await expect(
    invite(await admin.scope(), { email: former.email, role: "viewer" }),
  ).rejects.toMatchObject({ code: "forbidden" });
});

test("who may no longer invite to a role leaves no invitation to it behind", async () => {
  const log = await createTestLog(db);
  const owner = await member(log, "owner");
  const other = await member(log, "owner");
  const scope = await other.scope();
  await invite(scope, { email: "second-self@example.com", role: "owner" });
  await invite(scope, { email: "colleague@example.com", role: "viewer" });
  const left = async () => (await listInvitations(await owner.scope())).map(({ email }) => email);
  await changeRole(await owner.scope(), { userId: other.id, role: "admin" });
  expect(await left()).toEqual(["colleague@example.com"]);
  await removeMember(await owner.scope(), other.id);
  expect(await left()).toEqual([]);
});

test("a member whom the operator adds is an event of the log, and an open invitation of theirs is void", async () => {
  const log = await createTestLog(db);
  const scope = systemScope("cli", log);
  made += 1;
  const { link } = await invite(scope, { email: `m${made + 1}@example.com`, role: "owner" });
  const added = await member(log, "viewer");
  expect(await findInvitation(tokenOf(link))).toBeNull();
  const { rows } = await db.owner.query(
    "SELECT actor, targets, metadata FROM events WHERE organization_id = $1 AND action = 'trailseal.member_added'",
    [log],
  );
  expect(rows).toMatchObject([
    { actor: { id: "cli" }, targets: [{ id: added.id }], metadata: { role: "viewer" } },
  ]);
});

test("invitations are bounded: their mails go out in the operator's name", async () => {
  const scope = systemScope("cli", await createTestLog(db));
  for (let at = 0; at < 100; at += 1)
    await invite(scope, { email: `many${at}@example.com`, role: "viewer" });
  await expect(invite(scope, { email: "more@example.com", role: "viewer" })).rejects.toMatchObject({
    code: "rate_limited",
  });
});

test("an invitation ends with its days, its revocation, a newer one, and its organization", async () => {
  const log = await createTestLog(db);
  const scope = systemScope("cli", log);
  const make = async () =>
    tokenOf((await invite(scope, { email: "late@example.com", role: "viewer" })).link);
  const account = { name: "Late", password: "correct horse battery" };
  const replaced = await make();
  const revoked = await make();
  await revokeInvitation(scope, (await listInvitations(scope))[0]?.id as string);
  const late = await make();
  await db.owner.query("UPDATE invitations SET expires_at = now() - interval '1 second'");
  for (const token of [replaced, revoked, late, "", "unknown"]) {
    expect(await findInvitation(token)).toBeNull();
    await expect(acceptWithNewAccount(token, account)).rejects.toMatchObject({ code: "forbidden" });
  }
  const orphan = await make();
  await db.owner.query("UPDATE organizations SET deleted_at = now() WHERE id = $1", [log]);
  expect(await findInvitation(orphan)).toBeNull();
  await expect(acceptWithNewAccount(orphan, account)).rejects.toMatchObject({ code: "forbidden" });
});
