import { z } from "zod";
import { inTransaction, readPool, writePool } from "@/lib/db/pool";
import { runOutsideRequest } from "@/lib/http/request-context";
import { log } from "@/lib/log";
import type { SignInRefusal } from "../sign-in-refusal";
import { type Client, lockAccount, tellOfAccount } from "./account-events";
import { hasSecondFactor, spendCode } from "./second-factor";
import { openSession } from "./sessions";
import { admitAttempt, forgiveAttempt, isFirstFailure, withdrawAttempt } from "./throttle";
import { findUserByPassword, type PasswordOwner } from "./users";

const credentialsSchema = z.object({
  email: z.string().trim().toLowerCase().max(254),
  password: z.string().max(1_000),
  /** Of an app or a recovery code; a form that has none yet leaves it out. */
  code: z.string().max(100).default(""),
});

/** Its message is one of the words of lib/auth/sign-in-refusal.ts. */
export class SignInRefused extends Error {
  constructor(readonly refusal: SignInRefusal) {
    super(refusal);
  }
}

export interface SignedIn {
  id: string;
  sessionId: string;
}

/**
 * Opens a session for a correct password and, of who has a second factor, a code. The answer and its time are the same
 * for a wrong password and for an unknown or deactivated user, whatever the code.
 * @returns null for a wrong password
 * @throws SignInRefused
 */
export async function signIn(input: unknown, from: Client): Promise<SignedIn | null> {
  const parsed = credentialsSchema.safeParse(input);
  if (!parsed.success) return null;
  const { email, password, code } = parsed.data;
  const attempt = await admitAttempt({ email, address: from.address });
  if (!attempt) throw new SignInRefused("Throttled");
  const user = await findUserByPassword(email, password);
  if (!user) {
    tellFailure(email, from, "password");
    return null;
  }
  try {
    const sessionId = await enter(user, code.trim(), from);
    if (sessionId === null) return null;
    await forgiveAttempt(attempt);
    return { id: user.id, sessionId };
  } catch (error) {
    if (!(error instanceof SignInRefused)) throw error;
    if (error.refusal === "CodeNeeded") await withdrawAttempt(attempt);
    if (error.refusal === "CodeWrong") tellFailure(email, from, "code");
    throw error;
  }
}

/**
 * Uses the code up, opens the session and tells of it, or does nothing of it.
 * @returns null when the password was changed or the user deactivated since it was looked at
 */
async function enter(user: PasswordOwner, code: string, from: Client): Promise<string | null> {
  return inTransaction(writePool(), async (client) => {
    await lockAccount(client, user.id);
    const { rowCount } = await client.query(
      "SELECT FROM users WHERE id = $1 AND password_hash = $2 AND deactivated_at IS NULL",
      [user.id, user.passwordHash],
    );
    if (rowCount === 0) return null;
    let factor = "none";
    if (await hasSecondFactor(client, user.id)) {
      if (code === "") throw new SignInRefused("CodeNeeded");
      const used = await spendCode(client, user.id, code);
      if (used === null) throw new SignInRefused("CodeWrong");
      factor = used;
    }
    const sessionId = await openSession(user.id, from, client);
    const principal = { kind: "user", id: user.id, email: user.email, sessionId } as const;
    await tellOfAccount(client, principal, user, {
      action: "trailseal.signed_in",
      metadata: { session_id: sessionId, method: "password", second_factor: factor },
      from,
    });
    return sessionId;
  });
}

/** Nobody waits for it: how long an answer takes would tell whether there is such a user. */
function tellFailure(email: string, from: Client, reason: "password" | "code"): void {
  runOutsideRequest(() => recordFailure(email, from, reason)).catch((error) =>
    log().error({ err: error }, "a failed sign-in could not be recorded"),
  );
}

/** Once in a window, so that nobody floods a log by guessing. */
async function recordFailure(email: string, from: Client, reason: string): Promise<void> {
  const { rows } = await readPool().query<{ id: string; email: string; isDeactivated: boolean }>(
    `SELECT id, email, deactivated_at IS NOT NULL AS "isDeactivated" FROM users WHERE email = $1`,
    [email],
  );
  const [user] = rows;
  if (!user) return;
  await inTransaction(writePool(), async (client) => {
    await lockAccount(client, user.id);
    if (!(await isFirstFailure(client, user.id))) return;
    await tellOfAccount(client, { kind: "visitor" }, user, {
      action: "trailseal.sign_in_failed",
      metadata: { reason: user.isDeactivated ? "deactivated" : reason },
      from,
    });
  });
}
