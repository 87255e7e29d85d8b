"use server";

import { cookies } from "next/headers";
import { redirect } from "next/navigation";
import { revokeSession } from "@/lib/auth/server/sessions";
import { type ActionResult, runInstanceAction, runSessionAction } from "@/lib/http/action-result";
import { newOrganizationSchema } from "@/lib/orgs/schema";
import { createOrganization } from "@/lib/orgs/server/organizations";

/** Revokes the session on the server, so that a copied cookie is worth nothing. */
export async function signOutAction(): Promise<void> {
  const result = await runSessionAction("action:signOut", (user) => revokeSession(user.sessionId));
  // Whoever has no session left is signed out; any other failure must not look like success.
  if (!result.ok && result.code !== "unauthorized") throw new Error(result.message);
  const jar = await cookies();
  for (const { name } of jar.getAll()) {
    if (!name.includes("next-auth.session-token")) continue;
    // Browsers let a __Secure- cookie be replaced only by one that is Secure.
    jar.set(name, "", { maxAge: 0, path: "/", secure: name.startsWith("__Secure-") });
  }
  redirect("/sign-in");
}

export async function createOrganizationAction(
  name: string,
): Promise<ActionResult<{ id: string }>> {
  return runInstanceAction(
    "action:createOrganization",
    null,
    newOrganizationSchema,
    { name },
    createOrganization,
  );
}
