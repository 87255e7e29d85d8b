"use server";

import { z } from "zod";
import { acceptInvitation, acceptWithNewAccount } from "@/lib/auth/server/invitations";
import { newUserSchema } from "@/lib/auth/server/users";
import { type ActionResult, runPublicAction, runSessionAction } from "@/lib/http/action-result";
import { parseInput } from "@/lib/http/parse-input";

const tokenSchema = z.string().max(200);
const accountSchema = newUserSchema
  .pick({ name: true, password: true })
  .extend({ token: tokenSchema });

export async function acceptInvitationAction(
  input: unknown,
): Promise<ActionResult<{ home: string }>> {
  return runSessionAction("action:acceptInvitation", (user) =>
    acceptInvitation(parseInput(tokenSchema, input), user),
  );
}

/** The link is the permission. */
export async function acceptWithNewAccountAction(
  input: unknown,
): Promise<ActionResult<{ organizationId: string; email: string }>> {
  return runPublicAction(
    "action:acceptWithNewAccount",
    accountSchema,
    input,
    ({ token, ...account }) => acceptWithNewAccount(token, account),
  );
}
