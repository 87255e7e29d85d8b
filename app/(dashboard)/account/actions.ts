"use server";

import { revalidatePath } from "next/cache";
import { z } from "zod";
import type { Enrolment } from "@/lib/auth/account";
import {
  changeName,
  changePassword,
  confirmSecondFactor,
  disableSecondFactor,
  endOtherSessions,
  endSession,
  renewRecoveryCodes,
  startSecondFactor,
} from "@/lib/auth/server/account";
import { newUserSchema, passwordSchema } from "@/lib/auth/server/users";
import { type ActionResult, runSessionAction } from "@/lib/http/action-result";
import { parseInput } from "@/lib/http/parse-input";

const nameSchema = newUserSchema.pick({ name: true });
const proofSchema = z.object({ password: z.string().max(1_000) });
const codeSchema = z.object({ code: z.string().max(100) });
const bothSchema = z.object({ ...proofSchema.shape, ...codeSchema.shape });
const passwordChangeSchema = proofSchema.extend({ newPassword: passwordSchema });
const idSchema = z.string().max(64);

/** Lets the page read again, once it is done. */
async function refreshed<T>(work: Promise<T>): Promise<T> {
  const result = await work;
  revalidatePath("/account");
  return result;
}

const done = (work: Promise<void>) => refreshed(work.then(() => null));

export async function changeNameAction(input: unknown): Promise<ActionResult<null>> {
  return runSessionAction("action:changeName", (user) =>
    done(changeName(user, parseInput(nameSchema, input).name)),
  );
}

export async function changePasswordAction(input: unknown): Promise<ActionResult<null>> {
  return runSessionAction("action:changePassword", (user) =>
    done(changePassword(user, parseInput(passwordChangeSchema, input))),
  );
}

export async function endSessionAction(id: unknown): Promise<ActionResult<null>> {
  return runSessionAction("action:endSession", (user) =>
    done(endSession(user, parseInput(idSchema, id))),
  );
}

export async function endOtherSessionsAction(): Promise<ActionResult<null>> {
  return runSessionAction("action:endOtherSessions", (user) => done(endOtherSessions(user)));
}

/** Its answer is the only one with the secret in it. */
export async function startSecondFactorAction(input: unknown): Promise<ActionResult<Enrolment>> {
  return runSessionAction("action:startSecondFactor", (user) =>
    startSecondFactor(user, parseInput(proofSchema, input)),
  );
}

export async function confirmSecondFactorAction(input: unknown): Promise<ActionResult<string[]>> {
  return runSessionAction("action:confirmSecondFactor", (user) =>
    refreshed(confirmSecondFactor(user, parseInput(codeSchema, input).code)),
  );
}

export async function renewRecoveryCodesAction(input: unknown): Promise<ActionResult<string[]>> {
  return runSessionAction("action:renewRecoveryCodes", (user) =>
    refreshed(renewRecoveryCodes(user, parseInput(bothSchema, input))),
  );
}

export async function disableSecondFactorAction(input: unknown): Promise<ActionResult<null>> {
  return runSessionAction("action:disableSecondFactor", (user) =>
    done(disableSecondFactor(user, parseInput(bothSchema, input))),
  );
}
