"use server";

import { cookies } from "next/headers";
import { redirect } from "next/navigation";
import { currentUser, instanceScope } from "@/lib/auth/server/require-scope";
import { revokeSession } from "@/lib/auth/server/sessions";
import { type ActionResult, toActionResult } from "@/lib/http/action-result";
import { parseInput } from "@/lib/http/parse-input";
import { createOrganization, newOrganizationSchema } from "@/lib/orgs/server/organizations";

/** Revokes the session on the server, so that a copied cookie is worth nothing. */
export async function signOutAction(): Promise<void> {
  const user = await currentUser();
  if (user) await revokeSession(user.sessionId);
  const jar = await cookies();
  for (const { name } of jar.getAll()) {
    if (name.includes("next-auth.session-token")) jar.delete(name);
  }
  redirect("/sign-in");
}

export async function createOrganizationAction(
  name: string,
): Promise<ActionResult<{ id: string }>> {
  return toActionResult(async () => {
    const scope = await instanceScope("action:createOrganization");
    return createOrganization(scope, parseInput(newOrganizationSchema, { name }));
  });
}
