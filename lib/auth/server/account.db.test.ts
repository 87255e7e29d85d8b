import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { getEnv } from "@/lib/env";
import { createTestLog } from "@/lib/events/server/test-log";
import { changeName, changePassword, endOtherSessions, endSession } from "./account";
import {
  countFailures,
  enrol,
  eventsOf,
  freshClient,
  PASSWORD,
  somebody,
} from "./account-fixtures";
import {
  deactivateUser,
  listUsers,
  reactivateUser,
  resetPassword,
  resetSecondFactor,
  setAdministrator,
} from "./operate-users";
import { findSession, listSessions, openSession, type SessionUser } from "./sessions";
import { signIn } from "./sign-in";
import { systemInstanceScope } from "./system-scope";

let db: TestDatabase;
beforeAll(async () => {
  db = await testDatabase();
});
afterAll(() => db.close());

const operator = systemInstanceScope("cli");
const CHROME =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";

const another = ({ id }: SessionUser, userAgent: string | null = CHROME) =>
  openSession(id, { address: "192.0.2.7", userAgent });
const isOpen = async (session: string) => (await findSession(session)) !== null;
const enter = (user: SessionUser, password = PASSWORD, from = freshClient()) =>
  signIn({ email: user.email, password }, from);
const actionsOf = async (log: string) => (await eventsOf(db, log)).map(({ action }) => action);

describe("sessions", () => {
  it("are listed with where from and in what, this one first, and not once they are over", async () => {
    const user = await somebody(db);
    const [other, ended, stranger] = [
      await another(user),
      await another(user),
      await another(await somebody(db)),
    ];
    await db.owner.query("UPDATE sessions SET expires_at = now() WHERE id = $1", [ended]);
    const listed = await listSessions(user);
    expect(listed).toMatchObject([
      { id: user.sessionId, isCurrent: true, clientAddress: "192.0.2.1", device: null },
      { id: other, isCurrent: false, clientAddress: "192.0.2.7", device: "Chrome 142 on Windows" },
    ]);
    expect(JSON.stringify(listed)).not.toContain(stranger);
  });

  it("are ended one by one, only one's own, and each is told", async () => {
    const log = await createTestLog(db);
    const [user, victim] = [await somebody(db, log), await somebody(db)];
    const [other, kept] = [await another(user), await another(user)];
    await endSession(user, other);
    expect([await isOpen(other), await isOpen(kept), await isOpen(user.sessionId)]).toEqual([
      false,
      true,
      true,
    ]);
    for (const session of [other, victim.sessionId, "ses_unknown"])
      await expect(endSession(user, session)).rejects.toMatchObject({ code: "not_found" });
    expect(await isOpen(victim.sessionId)).toBe(true);
    expect(await eventsOf(db, log)).toMatchObject([
      {
        action: "trailseal.sessions_revoked",
        actor: { id: user.id },
        targets: [{ type: "user", id: user.id, name: user.email }],
        metadata: { sessions_ended: "1" },
      },
    ]);
  });

  it("but this one are ended at once", async () => {
    const log = await createTestLog(db);
    const user = await somebody(db, log);
    const others = [await another(user), await another(user)];
    await endOtherSessions(user);
    await endOtherSessions(user);
    expect(await Promise.all([...others, user.sessionId].map(isOpen))).toEqual([
      false,
      false,
      true,
    ]);
    expect(await actionsOf(log)).toEqual(["trailseal.sessions_revoked"]);
  });

  it("end by the operator's limits: without use, and after their time in any case", async () => {
    const user = await somebody(db);
    const age = (column: string, interval: string) =>
      db.owner.query(`UPDATE sessions SET ${column} = now() - $2::interval WHERE id = $1`, [
        user.sessionId,
        interval,
      ]);
    const env = getEnv();
    const before = { ...env };
    try {
      await age("last_seen_at", "6 days 23 hours");
      expect(await isOpen(user.sessionId)).toBe(true);
      await age("last_seen_at", "7 days 1 minute");
      expect(await isOpen(user.sessionId)).toBe(false);
      Object.assign(env, { TRAILSEAL_SESSION_IDLE_MINUTES: 15, TRAILSEAL_SESSION_MAX_HOURS: 8 });
      await age("last_seen_at", "16 minutes");
      expect(await isOpen(user.sessionId)).toBe(false);
      expect(await listSessions(user)).toEqual([]);
      await age("last_seen_at", "14 minutes");
      // What goes on by itself is no use of it.
      await findSession(user.sessionId, { isUse: false });
      await age("created_at", "7 hours");
      expect(await listSessions(user)).toHaveLength(1);
      const idleMs = async () =>
        Date.now() - Date.parse((await listSessions(user))[0]?.lastSeenAt ?? "");
      expect(await idleMs()).toBeGreaterThan(13 * 60_000);
      expect(await isOpen(user.sessionId)).toBe(true);
      expect(await idleMs()).toBeLessThan(60_000);
      await age("created_at", "8 hours 1 second");
      expect(await isOpen(user.sessionId)).toBe(false);
    } finally {
      Object.assign(env, before);
    }
  });

  it("that were over by a limit do not come back when it is raised", async () => {
    const user = await somebody(db);
    const old = await another(user);
    await db.owner.query(
      "UPDATE sessions SET last_seen_at = now() - interval '8 days' WHERE id = $1",
      [old],
    );
    await endOtherSessions(user);
    await db.owner.query("UPDATE sessions SET last_seen_at = now() WHERE id = $1", [old]);
    expect(await isOpen(old)).toBe(false);
  });
});

describe("a new password", () => {
  it("needs the present one, ends the other sessions, and is told in every organization", async () => {
    const logs = [await createTestLog(db), await createTestLog(db)];
    const user = await somebody(db, ...logs);
    const other = await another(user);
    const newPassword = "another horse battery";
    const guess = changePassword(user, { password: "not the password", newPassword });
    await expect(guess).rejects.toMatchObject({ errors: [{ field: "password" }] });
    expect(await isOpen(other)).toBe(true);
    await changePassword(user, { password: PASSWORD, newPassword });
    expect([await isOpen(other), await isOpen(user.sessionId)]).toEqual([false, true]);
    expect(await enter(user)).toBeNull();
    expect(await enter(user, newPassword)).not.toBeNull();
    for (const log of logs)
      expect((await eventsOf(db, log))[0]).toMatchObject({
        action: "trailseal.password_changed",
        metadata: { sessions_ended: "1" },
      });
  });

  it("is not to be had by guessing the present one, nor kept away by guesses from outside", async () => {
    const user = await somebody(db);
    const change = (password: string) =>
      changePassword(user, { password, newPassword: "another horse battery" });
    await enter(user, "x");
    await countFailures(db, 10);
    await expect(enter(user, "x")).rejects.toThrow("Throttled");
    await expect(change("guess")).rejects.toMatchObject({ code: "invalid_request" });
    await countFailures(db, 9);
    await expect(change("guess")).rejects.toMatchObject({ code: "invalid_request" });
    await expect(change(PASSWORD)).rejects.toMatchObject({ code: "rate_limited" });
  });

  it("and its event come together or not at all", async () => {
    const log = await createTestLog(db);
    const user = await somebody(db, log);
    await db.owner.query(
      "ALTER TABLE log_heads ADD CONSTRAINT stuck CHECK (next_seq < 1) NOT VALID",
    );
    try {
      await expect(enter(user)).rejects.toThrow("stuck");
      const newPassword = "another horse battery";
      await expect(changePassword(user, { password: PASSWORD, newPassword })).rejects.toThrow(
        "stuck",
      );
    } finally {
      await db.owner.query("ALTER TABLE log_heads DROP CONSTRAINT stuck");
    }
    const { rows } = await db.owner.query("SELECT FROM sessions WHERE user_id = $1", [user.id]);
    expect(rows).toHaveLength(1);
    expect(await enter(user)).not.toBeNull();
  });
});

it("a new name is told, the same one again is not", async () => {
  const log = await createTestLog(db);
  const user = await somebody(db, log);
  await changeName(user, "Grace");
  await changeName(user, "Grace");
  expect(await findSession(user.sessionId)).toMatchObject({ name: "Grace" });
  expect(await actionsOf(log)).toEqual(["trailseal.name_changed"]);
});

describe("signing in is told", () => {
  it("in every organization of a member, with where from; nowhere for those removed or deleted", async () => {
    const logs = [await createTestLog(db), await createTestLog(db), await createTestLog(db)];
    const [log, removed, deleted] = logs as [string, string, string];
    const user = await somebody(db, ...logs);
    await db.owner.query("UPDATE memberships SET removed_at = now() WHERE organization_id = $1", [
      removed,
    ]);
    await db.owner.query("UPDATE organizations SET deleted_at = now() WHERE id = $1", [deleted]);
    const signedIn = await enter(user, PASSWORD, { address: "203.0.113.9", userAgent: CHROME });
    expect(await eventsOf(db, log)).toMatchObject([
      {
        action: "trailseal.signed_in",
        actor: { id: user.id },
        context: { location: "203.0.113.9", user_agent: CHROME },
        metadata: { session_id: signedIn?.sessionId, method: "password", second_factor: "none" },
      },
    ]);
    expect([await actionsOf(removed), await actionsOf(deleted)]).toEqual([[], []]);
  });

  it("and failing once in a window, however many guesses there are", async () => {
    const log = await createTestLog(db);
    const user = await somebody(db, log);
    await Promise.all(Array.from({ length: 5 }, () => enter(user, "x")));
    await vi.waitFor(async () => expect(await actionsOf(log)).toHaveLength(1));
    for (let n = 0; n < 3; n += 1) await enter(user, "x");
    await enter(user);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await eventsOf(db, log)).toMatchObject([
      {
        action: "trailseal.sign_in_failed",
        actor: { id: "visitor" },
        metadata: { reason: "password" },
      },
      { action: "trailseal.signed_in" },
    ]);
    await db.owner.query(
      "UPDATE sign_in_attempts SET window_start = now() - interval '15 minutes 1 second'",
    );
    await enter(user, "x");
    await vi.waitFor(async () => expect(await actionsOf(log)).toHaveLength(3));
  });

  it("by many at once, of the same organizations, without waiting for each other in a circle", async () => {
    const logs = await Promise.all(Array.from({ length: 4 }, () => createTestLog(db)));
    const users = await Promise.all(
      Array.from({ length: 8 }, (_, n) => somebody(db, ...(n % 2 ? logs : logs.toReversed()))),
    );
    await Promise.all(users.map((user) => enter(user)));
    for (const log of logs) expect(await actionsOf(log)).toHaveLength(8);
  });
});

describe("the operator", () => {
  it("deactivates: sessions end, nobody signs in; reactivates: a sign-in works, the sessions stay ended", async () => {
    const log = await createTestLog(db);
    const user = await somebody(db, log);
    await another(user);
    expect(await deactivateUser(operator, user.email.toUpperCase())).toEqual({
      ...{ id: user.id, email: user.email, sessionsEnded: 2 },
    });
    expect(await isOpen(user.sessionId)).toBe(false);
    expect(await enter(user)).toBeNull();
    await vi.waitFor(async () => expect(await actionsOf(log)).toHaveLength(2));
    await deactivateUser(operator, user.id);
    await reactivateUser(operator, user.id);
    await reactivateUser(operator, user.id);
    expect(await isOpen(user.sessionId)).toBe(false);
    expect(await enter(user)).not.toBeNull();
    const events = await eventsOf(db, log);
    const failed = events.filter(({ action }) => action === "trailseal.sign_in_failed");
    expect(failed).toMatchObject([{ metadata: { reason: "deactivated" } }]);
    expect(events.filter((event) => !failed.includes(event))).toMatchObject([
      {
        action: "trailseal.user_deactivated",
        actor: { id: "cli" },
        metadata: { sessions_ended: "2" },
      },
      { action: "trailseal.user_reactivated", actor: { id: "cli" } },
      { action: "trailseal.signed_in" },
    ]);
  });

  it("resets a password: sessions end, and only the new one signs in", async () => {
    const log = await createTestLog(db);
    const user = await somebody(db, log);
    await resetPassword(operator, user.email, "made by the operator");
    expect(await isOpen(user.sessionId)).toBe(false);
    expect(await enter(user)).toBeNull();
    expect(await enter(user, "made by the operator")).not.toBeNull();
    expect((await actionsOf(log))[0]).toBe("trailseal.password_changed");
  });

  it("resets a second factor, recovery codes and all", async () => {
    const log = await createTestLog(db);
    const user = await somebody(db, log);
    await enrol(user);
    expect((await listUsers(operator)).find(({ id }) => id === user.id)).toMatchObject({
      ...{ hasSecondFactor: true, organizations: 1, instanceAdmin: false },
    });
    await resetSecondFactor(operator, user.email);
    await resetSecondFactor(operator, user.email);
    expect(await enter(user)).not.toBeNull();
    const { rowCount } = await db.owner.query("SELECT FROM recovery_codes WHERE user_id = $1", [
      user.id,
    ]);
    expect(rowCount).toBe(0);
    expect(await actionsOf(log)).toEqual([
      "trailseal.second_factor_enabled",
      "trailseal.second_factor_reset",
      "trailseal.signed_in",
    ]);
  });

  it("cannot lock out the last administrator, also not two of them at once", async () => {
    await db.owner.query("UPDATE users SET instance_admin = false");
    const [one, two] = [await somebody(db), await somebody(db)];
    const outcomes = await Promise.allSettled([
      setAdministrator(operator, one.email, false),
      deactivateUser(operator, two.email),
    ]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const left = (await listUsers(operator)).filter(
      ({ instanceAdmin, deactivatedAt }) => instanceAdmin && !deactivatedAt,
    );
    expect(left).toHaveLength(1);
    const last = left[0]?.email as string;
    const refusal = { code: "conflict" };
    await expect(deactivateUser(operator, last)).rejects.toMatchObject(refusal);
    await expect(setAdministrator(operator, last, false)).rejects.toMatchObject(refusal);
    const third = await somebody(db, await createTestLog(db));
    await setAdministrator(operator, third.email, true);
    await setAdministrator(operator, last, false);
    expect(await findSession(third.sessionId)).toMatchObject({ instanceAdmin: true });
  });

  it("is told of a user who is not there", async () => {
    await expect(deactivateUser(operator, "nobody@example.com")).rejects.toMatchObject({
      code: "not_found",
    });
  });
});
