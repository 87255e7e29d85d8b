import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { type TestDatabase, testDatabase } from "@/lib/db/test-database";
import { getEnv } from "@/lib/env";
import { createTestLog } from "@/lib/events/server/test-log";
import { rotateEnvelope } from "@/lib/streams/server/rotate-envelope";
import {
  changePassword,
  confirmSecondFactor,
  disableSecondFactor,
  renewRecoveryCodes,
  startSecondFactor,
} from "./account";
import {
  countFailures,
  enrol,
  eventsOf,
  freshClient,
  PASSWORD,
  somebody,
} from "./account-fixtures";
import { readSecondFactor } from "./second-factor";
import type { SessionUser } from "./sessions";
import { signIn } from "./sign-in";
import { appCode, keyOf } from "./test-app";

let db: TestDatabase;
/** Of its own: its envelope key is rotated. */
const directory = fs.mkdtempSync(path.join(os.tmpdir(), "trailseal-factors-"));

beforeAll(async () => {
  db = await testDatabase();
  Object.assign(getEnv(), { TRAILSEAL_DATA_DIR: directory });
});
afterAll(async () => {
  await db.close();
  fs.rmSync(directory, { recursive: true, force: true });
});

// The clock stands, so that no test meets the end of a step; timers of the driver go on.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const enter = (user: SessionUser, code?: string, password = PASSWORD) =>
  signIn({ email: user.email, password, ...(code === undefined ? {} : { code }) }, freshClient());

const refused = (refusal: string) => expect.objectContaining({ refusal });

const sessionsOf = async ({ id }: SessionUser) =>
  (await db.owner.query("SELECT FROM sessions WHERE user_id = $1", [id])).rowCount;

describe("signing in with a second factor", () => {
  it("asks for a code after the right password, and opens nothing before it", async () => {
    const user = await somebody(db);
    const { secret } = await enrol(user);
    await expect(enter(user)).rejects.toEqual(refused("CodeNeeded"));
    await expect(enter(user, " ")).rejects.toEqual(refused("CodeNeeded"));
    await expect(enter(user, appCode(secret, 9))).rejects.toEqual(refused("CodeWrong"));
    expect(await sessionsOf(user)).toBe(1);
    expect(await enter(user, appCode(secret))).toMatchObject({ id: user.id });
  });

  it("says of a wrong password the same with and without a second factor, whatever the code", async () => {
    const [plain, guarded] = [await somebody(db), await somebody(db)];
    const { secret, recovery } = await enrol(guarded);
    for (const code of [undefined, "000000", appCode(secret), recovery[0]]) {
      expect(await enter(guarded, code, "a wrong password")).toBeNull();
      expect(await enter(plain, code, "a wrong password")).toBeNull();
    }
    // None of it used up the code.
    expect(await enter(guarded, appCode(secret))).not.toBeNull();
    expect(await enter(guarded, recovery[0])).not.toBeNull();
  });

  it("takes the code of the step before and after, spaces and all, and none further away", async () => {
    const user = await somebody(db);
    const { secret } = await enrol(user);
    for (const drift of [-2, 2])
      await expect(enter(user, appCode(secret, drift))).rejects.toEqual(refused("CodeWrong"));
    const code = appCode(secret, 1);
    expect(await enter(user, `${code.slice(0, 3)} ${code.slice(3)}`)).not.toBeNull();
  });

  it("takes each code once, also of two that come at once, and none before the last one", async () => {
    const user = await somebody(db);
    const { secret } = await enrol(user);
    const code = appCode(secret);
    const outcomes = await Promise.allSettled([enter(user, code), enter(user, code)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await expect(enter(user, code)).rejects.toEqual(refused("CodeWrong"));
    await expect(enter(user, appCode(secret, -1))).rejects.toEqual(refused("CodeWrong"));
    vi.setSystemTime(Date.now() + 30_000);
    expect(await enter(user, appCode(secret))).not.toBeNull();
  });

  it("takes no code of somebody else", async () => {
    const [user, other] = [await somebody(db), await somebody(db)];
    await enrol(user);
    const { secret, recovery } = await enrol(other);
    await expect(enter(user, appCode(secret))).rejects.toEqual(refused("CodeWrong"));
    await expect(enter(user, recovery[0])).rejects.toEqual(refused("CodeWrong"));
  });

  it("takes each recovery code once, however it is typed", async () => {
    const user = await somebody(db);
    const { recovery } = await enrol(user);
    expect(new Set(recovery).size).toBe(10);
    const [first, second] = recovery as [string, string];
    const outcomes = await Promise.allSettled([enter(user, first), enter(user, first)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await enter(user, ` ${second.toLowerCase().replaceAll("-", " ")}`)).not.toBeNull();
    await expect(enter(user, second)).rejects.toEqual(refused("CodeWrong"));
    expect(await readSecondFactor(user.id)).toMatchObject({ recoveryCodesLeft: 8 });
  });

  it("counts wrong codes like wrong passwords; asking for the code in between gives no more of them", async () => {
    const user = await somebody(db);
    const { secret } = await enrol(user);
    await expect(enter(user, appCode(secret, 9))).rejects.toEqual(refused("CodeWrong"));
    await countFailures(db, 8);
    for (let n = 0; n < 2; n += 1) {
      await expect(enter(user)).rejects.toEqual(refused("CodeNeeded"));
      await expect(enter(user, appCode(secret, 9))).rejects.toEqual(refused("CodeWrong"));
    }
    await expect(enter(user, appCode(secret))).rejects.toEqual(refused("Throttled"));
    await expect(enter(user)).rejects.toEqual(refused("Throttled"));
  });

  it("leaves no attempt behind when it went well, so that an office does not throttle itself", async () => {
    const user = await somebody(db);
    const { secret } = await enrol(user);
    const from = freshClient();
    const half = { email: user.email, password: PASSWORD };
    await expect(signIn(half, from)).rejects.toEqual(refused("CodeNeeded"));
    await signIn({ ...half, code: appCode(secret) }, from);
    const { rows } = await db.owner.query(
      "SELECT failures FROM sign_in_attempts WHERE bucket LIKE 'address:%' ORDER BY window_start DESC LIMIT 1",
    );
    expect(rows).toEqual([{ failures: 0 }]);
  });
});

describe("a second factor", () => {
  it("is set up with the password only, and asks for nothing before a right code", async () => {
    const user = await somebody(db);
    const wrongPassword = startSecondFactor(user, { password: "a wrong password" });
    await expect(wrongPassword).rejects.toMatchObject({ errors: [{ field: "password" }] });
    const { secret, uri, qr } = await startSecondFactor(user, { password: PASSWORD });
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    const parsed = new URL(uri);
    expect(parsed.protocol + parsed.host).toBe("otpauth:totp");
    expect(parsed.searchParams.get("secret")).toBe(secret);
    expect(decodeURIComponent(parsed.pathname)).toBe(`/Trailseal localhost:${user.email}`);
    expect(qr.size).toBeGreaterThan(30);
    await expect(confirmSecondFactor(user, appCode(secret, 9))).rejects.toMatchObject({
      errors: [{ field: "code" }],
    });
    expect(await enter(user)).not.toBeNull();
    expect(await readSecondFactor(user.id)).toBeNull();
    await confirmSecondFactor(user, appCode(secret));
    await expect(enter(user)).rejects.toEqual(refused("CodeNeeded"));
  });

  it("begun anew is confirmed by the newer key alone; one that is on is not replaced", async () => {
    const user = await somebody(db);
    const first = await startSecondFactor(user, { password: PASSWORD });
    const { secret } = await enrol(user);
    expect(secret).not.toBe(first.secret);
    await expect(confirmSecondFactor(user, appCode(first.secret))).rejects.toMatchObject({
      code: "invalid_request",
    });
    await expect(startSecondFactor(user, { password: PASSWORD })).rejects.toMatchObject({
      code: "conflict",
    });
    // Nor by confirming again, which would make recovery codes without the password.
    await expect(confirmSecondFactor(user, appCode(secret))).rejects.toMatchObject({
      code: "invalid_request",
    });
    expect(await enter(user, appCode(secret))).not.toBeNull();
  });

  it("and its recovery codes are readable nowhere in the database, and in no answer afterwards", async () => {
    const user = await somebody(db);
    const { secret, recovery } = await enrol(user);
    const key = keyOf(secret);
    const forms = [secret, key.toString("hex"), key.toString("base64"), key.toString("base64url")];
    const { rows: tables } = await db.owner.query(
      "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
    );
    let dump = "";
    for (const { name } of tables) {
      const { rows } = await db.owner.query(`SELECT t::text AS row FROM "${name}" t`);
      dump += rows.map(({ row }) => row).join("\n");
    }
    expect(dump).toContain(user.email);
    const answers = JSON.stringify([await readSecondFactor(user.id), user]);
    for (const text of [
      ...forms,
      ...recovery,
      ...recovery.map((code) => code.replaceAll("-", "")),
    ]) {
      expect(dump.toLowerCase()).not.toContain(text.toLowerCase());
      expect(answers).not.toContain(text);
    }
  });

  it("is turned off with password and code, not with one of them, and told each time", async () => {
    const log = await createTestLog(db);
    const user = await somebody(db, log);
    const { secret, recovery } = await enrol(user);
    const [code, wrong] = [appCode(secret), appCode(secret, 9)];
    await expect(disableSecondFactor(user, { password: "wrong", code })).rejects.toMatchObject({
      errors: [{ field: "password" }],
    });
    await expect(
      disableSecondFactor(user, { password: PASSWORD, code: wrong }),
    ).rejects.toMatchObject({ errors: [{ field: "code" }] });
    const fresh = await renewRecoveryCodes(user, { password: PASSWORD, code });
    await expect(enter(user, recovery[0])).rejects.toEqual(refused("CodeWrong"));
    expect(await readSecondFactor(user.id)).toMatchObject({ recoveryCodesLeft: 10 });
    await disableSecondFactor(user, { password: PASSWORD, code: fresh[0] as string });
    expect(await readSecondFactor(user.id)).toBeNull();
    expect(await enter(user)).not.toBeNull();
    const events = await eventsOf(db, log);
    expect(
      events.map(({ action }) => action).filter((action) => action !== "trailseal.sign_in_failed"),
    ).toEqual([
      "trailseal.second_factor_enabled",
      "trailseal.recovery_codes_renewed",
      "trailseal.second_factor_disabled",
      "trailseal.signed_in",
    ]);
  });

  it("counts guesses of who has a session, apart from those to sign in", async () => {
    const user = await somebody(db);
    const { secret } = await enrol(user);
    const guess = { password: PASSWORD, code: appCode(secret, 9) };
    const refusal = { code: "invalid_request" };
    await expect(disableSecondFactor(user, guess)).rejects.toMatchObject(refusal);
    await countFailures(db, 9);
    await expect(disableSecondFactor(user, guess)).rejects.toMatchObject(refusal);
    const right = { password: PASSWORD, code: appCode(secret) };
    // What the password alone permits forgives no guess at a code.
    await changePassword(user, { password: PASSWORD, newPassword: PASSWORD });
    await expect(disableSecondFactor(user, right)).rejects.toMatchObject({ code: "rate_limited" });
    expect(await enter(user, appCode(secret))).not.toBeNull();
  });

  it("stays the same under another envelope key; without any, recovery codes still sign in", async () => {
    const user = await somebody(db);
    const { secret, recovery } = await enrol(user);
    const { rewrappedSecondFactors } = await rotateEnvelope({ settleMs: 0 });
    expect(rewrappedSecondFactors).toBeGreaterThan(0);
    expect(await enter(user, appCode(secret))).not.toBeNull();
    await db.owner.query(
      `UPDATE second_factors SET secret = jsonb_set(secret, '{kek_id}', '"lost"') WHERE user_id = $1`,
      [user.id],
    );
    const { unreadableSecondFactors } = await rotateEnvelope({ settleMs: 0 });
    expect(unreadableSecondFactors).toEqual([user.id]);
    await expect(enter(user, appCode(secret, 1))).rejects.toThrow("cannot be opened");
    expect(await enter(user, recovery[0])).not.toBeNull();
  });

  it("of one row does not open in another: it is bound to its user", async () => {
    const [user, other] = [await somebody(db), await somebody(db)];
    const { secret } = await enrol(user);
    await enrol(other);
    await db.owner.query(
      `UPDATE second_factors SET last_step = 0, secret = (SELECT secret FROM second_factors WHERE user_id = $1)
       WHERE user_id = $2`,
      [user.id, other.id],
    );
    await expect(enter(other, appCode(secret))).rejects.toThrow("cannot be opened");
  });
});
