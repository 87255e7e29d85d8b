"use server";

import { revalidatePath } from "next/cache";
import type { Scope } from "@/lib/auth/scope";
import { makePortalInvitation, revokePortalLink } from "@/lib/auth/server/portal-links";
import { type ActionResult, runAction } from "@/lib/http/action-result";
import { storableText } from "@/lib/http/parse-input";
import { newPortalLinkSchema } from "@/lib/portal/link";

/** Does it, and lets the page read again. */
function andRefresh<I, T>(run: (scope: Scope, input: I) => Promise<T>) {
  return async (scope: Scope, input: I): Promise<T> => {
    const result = await run(scope, input);
    revalidatePath("/o/[org]/settings/portal", "page");
    return result;
  };
}

const make = andRefresh(makePortalInvitation);
const revoke = andRefresh(async (scope: Scope, id: string) => {
  await revokePortalLink(scope, id);
  return null;
});

export async function makePortalLinkAction(
  organizationId: string,
  input: { intent: string | null; mailTo: string | null },
): Promise<ActionResult<{ link: string | null }>> {
  return runAction("action:makePortalLink", organizationId, newPortalLinkSchema, input, make);
}

export async function revokePortalLinkAction(
  organizationId: string,
  id: string,
): Promise<ActionResult<null>> {
  return runAction("action:revokePortalLink", organizationId, storableText(64), id, revoke);
}
