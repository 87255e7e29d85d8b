import type pg from "pg";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { AppError } from "@/lib/errors";
import { currentRequest } from "@/lib/http/request-context";
import type { Enrolment } from "../account";
import { lockAccount, tellOfAccount } from "./account-events";
import { hashPassword, passwordMatches } from "./passwords";
import {
  confirmEnrolment,
  deleteSecondFactor,
  hasSecondFactor,
  makeRecoveryCodes,
  spendCode,
  startEnrolment,
} from "./second-factor";
import { endSessions, type SessionUser } from "./sessions";
import { admitAttempt, forgiveAttempt } from "./throttle";

/** What people do with their own account. Each change is told in the logs of their organizations, with it. */

function wrong(field: "password" | "code", code: string): AppError {
  return new AppError("invalid_request", code, { errors: [{ field, code }] });
}
const WRONG_CODE = "This code is wrong, or was used already. Wait for the next one.";

function changing<T>(user: SessionUser, change: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  return inTransaction(writePool(), async (client) => {
    await lockAccount(client, user.id);
    return change(client);
  });
}

type Told = Parameters<typeof tellOfAccount>[3];

function tell(client: pg.PoolClient, user: SessionUser, event: Told): Promise<void> {
  const { id, email, sessionId } = user;
  const principal = { kind: "user", id, email, sessionId } as const;
  return tellOfAccount(client, principal, user, event);
}

/** What shows that somebody with a session is the person whose it is. */
interface Proof {
  password: string;
  /** Where the second factor itself is at stake. */
  code?: string;
}

/**
 * Makes a change for a right password, and code where one is given. Attempts are counted apart from those to sign in, so
 * that nobody outside keeps people from it.
 * @throws AppError invalid_request, rate_limited
 */
async function proving<T>(
  user: SessionUser,
  { password, code }: Proof,
  change: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  // Guesses at a code are forgiven for a right code alone.
  const counted = code === undefined ? user.id : `${user.id} code`;
  const attempt = await admitAttempt({
    email: counted,
    address: currentRequest()?.clientAddress ?? "unknown",
  });
  if (!attempt)
    throw new AppError("rate_limited", "Too many attempts. Wait a few minutes, then try again.");
  const { rows } = await readPool().query<{ hash: string }>(
    "SELECT password_hash AS hash FROM users WHERE id = $1",
    [user.id],
  );
  const hash = rows[0]?.hash ?? null;
  if (!(await passwordMatches(password, hash))) throw wrong("password", "This password is wrong.");
  const result = await changing(user, async (client) => {
    const { rowCount } = await client.query(
      "SELECT FROM users WHERE id = $1 AND password_hash = $2",
      [user.id, hash],
    );
    if (rowCount === 0) throw wrong("password", "This password was changed meanwhile.");
    if (code !== undefined && !(await spendCode(client, user.id, code)))
      throw wrong("code", WRONG_CODE);
    return change(client);
  });
  await forgiveAttempt(attempt);
  return result;
}

/** Whether they can prove anything here: who only ever came through an identity provider cannot. */
export async function hasPassword({ id }: SessionUser): Promise<boolean> {
  const { rows } = await readPool().query<{ has: boolean }>(
    "SELECT password_hash IS NOT NULL AS has FROM users WHERE id = $1",
    [id],
  );
  return rows[0]?.has ?? false;
}

export async function changeName(user: SessionUser, name: string): Promise<void> {
  await changing(user, async (client) => {
    const { rowCount } = await client.query(
      "UPDATE users SET name = $2 WHERE id = $1 AND name <> $2",
      [user.id, name],
    );
    if (rowCount) await tell(client, user, { action: "trailseal.name_changed" });
  });
}

/** Ends every other session. @throws AppError as proving does. */
export async function changePassword(
  user: SessionUser,
  { password, newPassword }: { password: string; newPassword: string },
): Promise<void> {
  const hash = await hashPassword(newPassword);
  await proving(user, { password }, async (client) => {
    await client.query("UPDATE users SET password_hash = $2 WHERE id = $1", [user.id, hash]);
    const ended = await endSessions(client, user.id, { except: user.sessionId });
    await tell(client, user, {
      action: "trailseal.password_changed",
      metadata: { sessions_ended: String(ended) },
    });
  });
}

/** @throws AppError not_found for a session that is over or somebody else's. */
export async function endSession(user: SessionUser, sessionId: string): Promise<void> {
  await changing(user, async (client) => {
    const ended = await endSessions(client, user.id, { only: sessionId });
    if (ended === 0) throw new AppError("not_found", "This session has ended already.");
    await tellOfEnded(client, user, ended);
  });
}

export async function endOtherSessions(user: SessionUser): Promise<void> {
  await changing(user, async (client) => {
    const ended = await endSessions(client, user.id, { except: user.sessionId });
    if (ended > 0) await tellOfEnded(client, user, ended);
  });
}

const tellOfEnded = (client: pg.PoolClient, user: SessionUser, ended: number) =>
  tell(client, user, {
    action: "trailseal.sessions_revoked",
    metadata: { sessions_ended: String(ended) },
  });

/**
 * Begins with a fresh key, which asks for nothing yet.
 * @throws AppError as proving does; conflict when there is a second factor.
 */
export async function startSecondFactor(user: SessionUser, proof: Proof): Promise<Enrolment> {
  return proving(user, proof, async (client) => {
    if (await hasSecondFactor(client, user.id))
      throw new AppError("conflict", "A second factor is on already. Turn it off first.");
    return startEnrolment(client, user);
  });
}

/** @returns the recovery codes. @throws AppError invalid_request for a wrong code. */
export async function confirmSecondFactor(user: SessionUser, code: string): Promise<string[]> {
  return changing(user, async (client) => {
    const codes = await confirmEnrolment(client, user.id, code);
    if (!codes) throw wrong("code", "This code is wrong. Enter the one that the app shows now.");
    await tell(client, user, { action: "trailseal.second_factor_enabled" });
    return codes;
  });
}

/** @returns the new recovery codes; the ones before are void. @throws AppError as proving does. */
export async function renewRecoveryCodes(
  user: SessionUser,
  proof: Required<Proof>,
): Promise<string[]> {
  return proving(user, proof, async (client) => {
    await tell(client, user, { action: "trailseal.recovery_codes_renewed" });
    return makeRecoveryCodes(client, user.id);
  });
}

/** Sign-in asks for the password alone again. @throws AppError as proving does. */
export async function disableSecondFactor(
  user: SessionUser,
  proof: Required<Proof>,
): Promise<void> {
  await proving(user, proof, async (client) => {
    await deleteSecondFactor(client, user.id);
    await tell(client, user, { action: "trailseal.second_factor_disabled" });
  });
}
