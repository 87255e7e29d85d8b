import { notFound, redirect } from "next/navigation";
import { getServerSession } from "next-auth";
import { cache } from "react";
import { AppError } from "@/lib/errors";
import type { InstanceAccessKey, OrganizationAccessKey, SessionAccessKey } from "../access";
import type { InstanceScope, Scope } from "../scope";
import { authOptions } from "./auth-options";
import { issueInstanceScope, issueScope, signInFirst } from "./issue-scope";
import { findSession, type SessionUser } from "./sessions";

/** The signed-in user of this request, looked up once. */
export const currentUser = cache(async (): Promise<SessionUser | null> => {
  const session = await getServerSession(authOptions());
  return session?.sessionId ? findSession(session.sessionId) : null;
});

/** @throws AppError unauthorized, not_found or forbidden. */
export async function actionScope(
  accessKey: OrganizationAccessKey,
  organizationId: string,
): Promise<Scope> {
  return issueScope(await currentUser(), accessKey, organizationId);
}

/** For route handlers, whose errors lib/http/error-response answers. */
export const handlerScope = actionScope;

/**
 * The same scope made anew, for answers that go on for minutes: the session may have ended meanwhile.
 * @throws AppError unauthorized, not_found or forbidden.
 */
export async function renewScope(accessKey: OrganizationAccessKey, scope: Scope): Promise<Scope> {
  const { principal, organizationId } = scope;
  const user = principal.kind === "user" ? await findSession(principal.sessionId) : null;
  return issueScope(user, accessKey, organizationId);
}

/** For pages: sends people without a session to sign in; what they may not reach does not exist. */
export async function pageScope(
  accessKey: OrganizationAccessKey,
  organizationId: string,
): Promise<Scope> {
  try {
    return await actionScope(accessKey, organizationId);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === "unauthorized") redirect("/sign-in");
    if (error.code === "not_found" || error.code === "forbidden") notFound();
    throw error;
  }
}

/** For pages that any signed-in user sees. */
export async function pageUser(_accessKey: SessionAccessKey): Promise<SessionUser> {
  const user = await currentUser();
  if (!user) redirect("/sign-in");
  return user;
}

/**
 * For actions that any signed-in user may do.
 * @throws AppError unauthorized
 */
export async function actionUser(_accessKey: SessionAccessKey): Promise<SessionUser> {
  const user = await currentUser();
  if (!user) throw signInFirst();
  return user;
}

/** @throws AppError unauthorized or forbidden. */
export async function instanceScope(accessKey: InstanceAccessKey): Promise<InstanceScope> {
  return issueInstanceScope(await currentUser(), accessKey);
}

/** Whether a page shows the forms of what only administrators of the instance may do. */
export async function mayOnInstance(accessKey: InstanceAccessKey): Promise<boolean> {
  try {
    await instanceScope(accessKey);
    return true;
  } catch (error) {
    if (error instanceof AppError && error.code === "forbidden") return false;
    throw error;
  }
}
