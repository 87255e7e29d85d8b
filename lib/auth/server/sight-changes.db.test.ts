import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { createTestLog } from "@/lib/events/server/test-log";
import { newInvitationSchema, sightChangeSchema } from "../people";
import { SIGHT_PERMISSIONS } from "../roles";
import { eventsOf, somebody } from "./account-fixtures";
import { acceptInvitation, invite, listInvitations } from "./invitations";
import { issueScope } from "./issue-scope";
import { changeRole, changeSight, listMembers, removeMember } from "./members";
import { findSession } from "./sessions";
import { systemScope } from "./system-scope";

let db: TestDatabase;
let log: string;
beforeAll(async () => {
  db = await testDatabase();
  log = await createTestLog(db);
});
afterAll(() => db.close());

const PART = { filter: "action:billing.*", hidden: ["actor.name", "ip"] };
const owner = () => systemScope("cli", log);
const toldOf = async (action: string) =>
  (await eventsOf(db, log))
    .filter((event) => event.action === action)
    .map(({ metadata }) => metadata);
const scopeOf = async (sessionId: string) =>
  issueScope(await findSession(sessionId), "page:/o/[org]/events", log);
const tokenOf = (link: string | null) => new URL(link as string).searchParams.get("token") ?? "";

test("what a viewer sees is changed for the next request, and is told with what it was before", async () => {
  const { id, sessionId } = await somebody(db, log);
  expect((await scopeOf(sessionId)).sight).toBeUndefined();
  await changeSight(owner(), { userId: id, sight: PART });
  await changeSight(owner(), { userId: id, sight: PART });
  const { sight, permissions } = await scopeOf(sessionId);
  expect(sight?.filter.clauses).toHaveLength(1);
  expect([...(sight?.hidden ?? [])]).toEqual(PART.hidden);
  expect(permissions).toEqual(SIGHT_PERMISSIONS);
  const rest = issueScope(await findSession(sessionId), "page:/o/[org]/integrity", log);
  await expect(rest).rejects.toMatchObject({ code: "forbidden" });
  expect((await listMembers(owner())).find(({ userId }) => userId === id)?.sight).toEqual(PART);
  expect(await toldOf("trailseal.member_sight_changed")).toEqual([
    {
      ...{ sees: "action:billing.*", hidden: "actor.name, ip" },
      ...{ sees_before: "all events", hidden_before: "nothing" },
    },
  ]);
});

test("another role sees everything: it takes the restriction away and cannot be given one", async () => {
  const { id, sessionId } = await somebody(db, log);
  await changeSight(owner(), { userId: id, sight: PART });
  await changeRole(owner(), { userId: id, role: "auditor" });
  expect((await scopeOf(sessionId)).sight).toBeUndefined();
  expect((await toldOf("trailseal.member_role_changed")).at(-1)).toEqual({
    ...{ role: "auditor", role_before: "viewer", sees: "all events", hidden: "nothing" },
    ...{ sees_before: "action:billing.*", hidden_before: "actor.name, ip" },
  });
  await expect(changeSight(owner(), { userId: id, sight: PART })).rejects.toMatchObject({
    code: "conflict",
  });
  await expect(
    db.owner.query("UPDATE memberships SET view_filter = 'id:x' WHERE user_id = $1", [id]),
  ).rejects.toThrow("check constraint");
});

test("an invitation brings its restriction along, also to who was a member before", async () => {
  const user = await somebody(db, log);
  await removeMember(owner(), user.id);
  const { link } = await invite(owner(), { email: user.email, role: "viewer", sight: PART });
  expect((await listInvitations(owner())).map(({ sight }) => sight)).toEqual([PART]);
  expect(await acceptInvitation(tokenOf(link), user)).toEqual({ home: `/o/${log}/events` });
  const { sight } = await scopeOf(user.sessionId);
  expect([...(sight?.hidden ?? [])]).toEqual(PART.hidden);
  for (const action of ["trailseal.member_invited", "trailseal.member_joined"])
    expect((await toldOf(action)).at(-1)).toEqual({
      ...{ role: "viewer", sees: "action:billing.*", hidden: "actor.name, ip" },
    });
});

test.each([
  ["a filter that does not parse", "view_filter = 'shoe_size:43'"],
  ["a field that there is not", "masked_fields = '{shoe_size}'"],
])("%s shows nothing, and says so", async (_name, change) => {
  const { id, sessionId } = await somebody(db, log);
  await db.owner.query(`UPDATE memberships SET ${change} WHERE user_id = $1`, [id]);
  await expect(scopeOf(sessionId)).rejects.toMatchObject({
    code: "conflict",
    message: expect.stringContaining("nothing is shown"),
  });
});

test("a filter is stored as the explorer writes it; one that is wrong, and an unknown field, are refused", () => {
  const parse = (sight: object) => sightChangeSchema.safeParse({ userId: "u", sight });
  expect(
    parse({ filter: " actor.id:x   ip:(10.0.0.1) ", hidden: ["ip", "actor"] }).data?.sight,
  ).toEqual({
    filter: "actor:x ip:10.0.0.1",
    hidden: ["actor", "ip"],
  });
  expect(parse({ filter: "  ", hidden: [] }).data?.sight).toEqual({ filter: null, hidden: [] });
  expect(parse({ filter: "shoe_size:43", hidden: [] }).error?.issues[0]?.message).toContain(
    "`shoe_size` is not a field",
  );
  expect(parse({ filter: null, hidden: ["id"] }).success).toBe(false);
  const invited = { email: "a@example.com", role: "auditor", sight: PART };
  expect(newInvitationSchema.safeParse(invited).success).toBe(false);
  expect(newInvitationSchema.safeParse({ ...invited, role: "viewer" }).success).toBe(true);
});
