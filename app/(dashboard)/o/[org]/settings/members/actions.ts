"use server";

import { revalidatePath } from "next/cache";
import { z } from "zod";
import { newInvitationSchema, roleChangeSchema, sightChangeSchema } from "@/lib/auth/people";
import type { Scope } from "@/lib/auth/scope";
import { invite, type MadeInvitation, revokeInvitation } from "@/lib/auth/server/invitations";
import { changeRole, changeSight, removeMember, restoreMember } from "@/lib/auth/server/members";
import { type ActionResult, runAction } from "@/lib/http/action-result";

const idSchema = z.string().max(64);

/** Does it, and lets the page read again. */
function andRefresh<I, T>(run: (scope: Scope, input: I) => Promise<T>) {
  return async (scope: Scope, input: I): Promise<T> => {
    const result = await run(scope, input);
    revalidatePath("/o/[org]/settings/members", "page");
    return result;
  };
}

const done =
  <I>(run: (scope: Scope, input: I) => Promise<void>) =>
  async (scope: Scope, input: I) => {
    await run(scope, input);
    return null;
  };

const change = andRefresh(done(changeRole));
const see = andRefresh(done(changeSight));
const remove = andRefresh(done(removeMember));
const restore = andRefresh(done(restoreMember));
const revoke = andRefresh(done(revokeInvitation));
const makeInvitation = andRefresh(invite);

export async function inviteAction(
  organizationId: string,
  input: { email: string; role: string; sight?: unknown },
): Promise<ActionResult<MadeInvitation>> {
  return runAction("action:invite", organizationId, newInvitationSchema, input, makeInvitation);
}

export async function revokeInvitationAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<null>> {
  return runAction("action:revokeInvitation", organizationId, idSchema, id, revoke);
}

export async function changeRoleAction(
  organizationId: string,
  input: { userId: string; role: string },
): Promise<ActionResult<null>> {
  return runAction("action:changeRole", organizationId, roleChangeSchema, input, change);
}

/** What a viewer sees: a filter and names of hidden fields. */
export async function changeSightAction(
  organizationId: string,
  input: { userId: string; sight: unknown },
): Promise<ActionResult<null>> {
  return runAction("action:changeSight", organizationId, sightChangeSchema, input, see);
}

export async function removeMemberAction(
  organizationId: string,
  userId: string,
): Promise<ActionResult<null>> {
  return runAction("action:removeMember", organizationId, idSchema, userId, remove);
}

export async function restoreMemberAction(
  organizationId: string,
  userId: string,
): Promise<ActionResult<null>> {
  return runAction("action:restoreMember", organizationId, idSchema, userId, restore);
}
